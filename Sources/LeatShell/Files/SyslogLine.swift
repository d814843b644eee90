internal import LeatCore

/// A syslog line of RFC 3164 or RFC 5424, with or without its priority, taken apart by position.
struct SyslogLine {
    /// Nanoseconds since 1970 UTC.
    let nanoseconds: Int64
    /// Names and where their values lie.
    let fields: [(name: StaticString, range: Range<Int>)]

    /// Takes a line apart; `now` (nanoseconds since 1970) decides the year of times that lack one.
    init?(_ line: UnsafeRawBufferPointer, now: Int64) {
        var cursor = 0
        var fields: [(StaticString, Range<Int>)] = []
        if line.first == UInt8(ascii: "<") {
            guard let end = line.firstIndex(ofByte: UInt8(ascii: ">")), (2...4).contains(end) else { return nil }
            fields.append(("priority", 1..<end))
            cursor = end + 1
            if line.count > cursor + 1, line[cursor] == UInt8(ascii: "1"), line[cursor + 1] == 0x20 {
                cursor += 2
                guard let time = Self.header5424(line, &cursor, &fields) else { return nil }
                self.nanoseconds = time
                self.fields = fields
                return
            }
        }
        let rest = line.slice(cursor..<line.count)
        if let time = LineTime.syslog(rest, now: now == .max ? 1_700_000_000_000_000_000 : now) {
            self.nanoseconds = time
            cursor += 15
        } else if !fields.isEmpty || now != .max, let (time, length) = LineTime.iso(rest) {
            self.nanoseconds = time
            cursor += length
        } else {
            return nil
        }
        guard cursor < line.count, line[cursor] == 0x20 else { return nil }
        cursor += 1
        guard Self.header3164(line, &cursor, &fields) else { return nil }
        self.fields = fields
    }

    /// `host tag[pid]: message`.
    private static func header3164(
        _ line: UnsafeRawBufferPointer,
        _ cursor: inout Int,
        _ fields: inout [(StaticString, Range<Int>)]
    ) -> Bool {
        guard let space = line.firstIndex(ofByte: 0x20, from: cursor), space > cursor,
            let colon = line.firstIndex(ofByte: UInt8(ascii: ":"), from: space + 1), colon - space < 80
        else { return false }
        fields.append(("host", cursor..<space))
        var tag = (space + 1)..<colon
        guard !tag.isEmpty, !line[tag].contains(0x20) else { return false }
        if let open = line[tag].firstIndex(of: UInt8(ascii: "[")), line[colon - 1] == UInt8(ascii: "]"),
            open + 1 < colon
        {
            fields.append(("pid", (open + 1)..<(colon - 1)))
            tag = tag.lowerBound..<open
        }
        fields.append(("ident", tag))
        let start = colon + 1 < line.count && line[colon + 1] == 0x20 ? colon + 2 : colon + 1
        if start < line.count { fields.append(("message", start..<line.count)) }
        return true
    }

    /// `TIME HOST APP PID MSGID STRUCTURED-DATA MESSAGE`; returns the time.
    private static func header5424(
        _ line: UnsafeRawBufferPointer,
        _ cursor: inout Int,
        _ fields: inout [(StaticString, Range<Int>)]
    ) -> Int64? {
        var words: [Range<Int>] = []
        for _ in 0..<5 {
            guard let space = line.firstIndex(ofByte: 0x20, from: cursor), space > cursor else { return nil }
            words.append(cursor..<space)
            cursor = space + 1
        }
        guard let time = TimestampParser.parseISO(line.slice(words[0]))?.nanoseconds else { return nil }
        let names: [StaticString] = ["host", "ident", "pid", "msgid"]
        for (name, word) in zip(names, words[1...]) where !line.slice(word).isEqual(to: "-") {
            fields.append((name, word))
        }
        // Structured data stays text; it ends at the bracket that a space or the end follows.
        if cursor < line.count, line[cursor] == UInt8(ascii: "[") {
            var end = cursor
            while end + 1 < line.count, !(line[end] == UInt8(ascii: "]") && line[end + 1] == 0x20) { end += 1 }
            fields.append(("structured_data", cursor..<(end + 1)))
            cursor = end + 2
        } else {
            cursor += 2
        }
        if cursor < line.count { fields.append(("message", cursor..<line.count)) }
        return time
    }
}
