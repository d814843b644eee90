internal import LeatCore

/// Loki's `PushRequest` in protobuf, as the tree that its JSON form has; `elasticsearch-bulk.md` 6.2.
enum LokiMessage {
    private typealias Fault = ProtobufReader.Fault

    /// The request as `IngestEndpoints.loki` reads it.
    static func value(_ bytes: UnsafeRawBufferPointer) throws(ProtobufReader.Fault) -> JSONValue {
        var streams: [JSONValue] = []
        try ProtobufReader.forEachField(of: bytes) { (number, value) throws(Fault) in
            if number == 1 { streams.append(try Self.stream(value.message)) }
        }
        return .object([.init("streams", .array(streams))])
    }

    private static func stream(_ bytes: UnsafeRawBufferPointer) throws(Fault) -> JSONValue {
        var labels: [JSONValue.Member] = []
        var entries: [JSONValue] = []
        try ProtobufReader.forEachField(of: bytes) { (number, value) throws(Fault) in
            if number == 1 { labels = try Self.labels(value.text) }
            if number == 2 { entries.append(try Self.entry(value.message)) }
        }
        return .object([.init("stream", .object(labels)), .init("values", .array(entries))])
    }

    private static func entry(_ bytes: UnsafeRawBufferPointer) throws(Fault) -> JSONValue {
        var seconds: Int64 = 0
        var nanoseconds: Int64 = 0
        var line = ""
        var metadata: [JSONValue.Member] = []
        try ProtobufReader.forEachField(of: bytes) { (number, value) throws(Fault) in
            switch number {
            case 1:
                try ProtobufReader.forEachField(of: value.message) { (number, value) throws(Fault) in
                    if number == 1 { seconds = Int64(bitPattern: value.number) }
                    if number == 2 { nanoseconds = Int64(bitPattern: value.number) }
                }
            case 2: line = value.text
            case 3: metadata.append(try Self.pair(value.message))
            default: break
            }
        }
        let (whole, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
        let (time, overflowToo) = whole.addingReportingOverflow(nanoseconds)
        guard !overflow, !overflowToo else { throw Fault(reason: "time \(seconds) s is out of range") }
        return .array([.string("\(time)"), .string(line), .object(metadata)])
    }

    private static func pair(_ bytes: UnsafeRawBufferPointer) throws(Fault) -> JSONValue.Member {
        var name = ""
        var text = ""
        try ProtobufReader.forEachField(of: bytes) { (number, value) throws(Fault) in
            if number == 1 { name = value.text }
            if number == 2 { text = value.text }
        }
        return JSONValue.Member(name, .string(text))
    }

    /// The labels of `{name="value", …}`; values are written as JSON strings are.
    static func labels(_ text: String) throws(ProtobufReader.Fault) -> [JSONValue.Member] {
        var labels: [JSONValue.Member] = []
        var rest = text.trimming()[...]
        guard rest.hasPrefix("{"), rest.hasSuffix("}") else { throw Fault(reason: "labels must stand in braces") }
        rest = rest.dropFirst().dropLast()
        while !rest.allSatisfy(\.isWhitespace) {
            guard let equals = rest.firstIndex(of: "=") else { throw Fault(reason: "a label needs '='") }
            let name = rest[..<equals].trimming()
            rest = rest[rest.index(after: equals)...].drop(while: \.isWhitespace)
            guard rest.hasPrefix("\""), let end = Self.endOfString(rest) else {
                throw Fault(reason: "the value of label '\(name)' needs quotes")
            }
            do {
                labels.append(JSONValue.Member(name, try JSONValue(parsing: String(rest[...end]))))
            } catch {
                throw Fault(reason: "the value of label '\(name)': \(error)")
            }
            rest = rest[rest.index(after: end)...].drop { $0.isWhitespace || $0 == "," }
        }
        return labels
    }

    private static func endOfString(_ text: Substring) -> Substring.Index? {
        var isEscaped = false
        for index in text.indices.dropFirst() {
            if isEscaped {
                isEscaped = false
            } else if text[index] == "\\" {
                isEscaped = true
            } else if text[index] == "\"" {
                return index
            }
        }
        return nil
    }
}
