internal import LeatCore

/// A line of an access log in common or combined format, taken apart by position:
/// `127.0.0.1 - frank [10/Oct/2000:13:55:36 -0700] "GET /a HTTP/1.0" 200 2326 "http://r" "agent"`.
struct AccessLogLine {
    /// Nanoseconds since 1970 UTC.
    let nanoseconds: Int64
    /// Names and where their values lie.
    let fields: [(name: StaticString, range: Range<Int>)]

    init?(_ line: UnsafeRawBufferPointer) {
        var cursor = 0
        guard let client = Self.word(line, &cursor), let identity = Self.word(line, &cursor),
            let open = line.firstIndex(ofByte: UInt8(ascii: "["), from: cursor), open > cursor,
            let close = line.firstIndex(ofByte: UInt8(ascii: "]"), from: open),
            let time = LineTime.accessLog(line.slice((open + 1)..<close))
        else { return nil }
        let user = cursor..<(open - 1)
        cursor = close + 2
        guard let request = Self.quoted(line, &cursor), let status = Self.word(line, &cursor),
            status.count == 3, line[status.lowerBound] &- UInt8(ascii: "1") < 9
        else { return nil }
        let byteCount = Self.word(line, &cursor)
        self.nanoseconds = time
        var fields: [(StaticString, Range<Int>)] = [("clientip", client), ("ident", identity), ("userid", user)]
        fields += Self.requestParts(line, request)
        fields.append(("statuscode", status))
        if let byteCount { fields.append(("responsesize", byteCount)) }
        if let referrer = Self.quoted(line, &cursor) { fields.append(("referrer", referrer)) }
        if let agent = Self.quoted(line, &cursor) { fields.append(("useragent", agent)) }
        self.fields = fields.filter { !$0.1.isEmpty && !line.slice($0.1).isEqual(to: "-") }
    }

    /// Method, path and version of `GET /a HTTP/1.0`.
    private static func requestParts(
        _ line: UnsafeRawBufferPointer,
        _ request: Range<Int>
    ) -> [(StaticString, Range<Int>)] {
        let text = line[request]
        guard let first = text.firstIndex(of: 0x20), let last = text.lastIndex(of: 0x20), first < last else {
            return [("request", request)]
        }
        return [
            ("method", request.lowerBound..<first), ("url", (first + 1)..<last),
            ("httpversion", (last + 1)..<request.upperBound),
        ]
    }

    /// The bytes up to the next space; moves behind it.
    private static func word(_ line: UnsafeRawBufferPointer, _ cursor: inout Int) -> Range<Int>? {
        guard cursor < line.count else { return nil }
        let end = line.firstIndex(ofByte: 0x20, from: cursor) ?? line.count
        defer { cursor = end + 1 }
        return end > cursor ? cursor..<end : nil
    }

    /// The bytes between the quotes that begin here; moves behind them and a space.
    private static func quoted(_ line: UnsafeRawBufferPointer, _ cursor: inout Int) -> Range<Int>? {
        guard cursor < line.count, line[cursor] == UInt8(ascii: "\"") else { return nil }
        var end = cursor + 1
        while end < line.count, line[end] != UInt8(ascii: "\"") {
            end += line[end] == UInt8(ascii: "\\") ? 2 : 1
        }
        guard end < line.count else { return nil }
        defer { cursor = end + 2 }
        return (cursor + 1)..<end
    }
}
