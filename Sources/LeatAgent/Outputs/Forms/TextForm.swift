internal import LeatCore
internal import LeatParsing

/// How the outputs `stdout` and `file` write events.
enum TextForm {
    /// `[0] tag: [[1700000000.123456789, {}], {"log"=>"…"}]`, as Fluent Bit prints.
    case message
    /// `tag: [1700000000.123456789, {"log":"…"}]`, as Fluent Bit's file output writes.
    case out
    /// Records with their time.
    case dated(DatedRecord)
    /// The record alone.
    case plain
    /// Time and values, divided by the first text; the first line of a file may name them.
    case csv(delimiter: [UInt8], namesColumns: Bool)
    /// Names and values.
    case ltsv(delimiter: [UInt8], labelDelimiter: [UInt8])
    /// The text with `{field}` replaced.
    case template([TemplatePart])

    /// A part of a template.
    enum TemplatePart: Hashable {
        case text([UInt8])
        case time
        /// A field; without it the text stands as it was written.
        case field(FieldPath, written: [UInt8])
    }

    /// Appends the lines of some events.
    func append(_ chunk: LoadedChunk, _ items: [Range<Int>], to bytes: inout [UInt8]) {
        if case .dated(let form) = self {
            form.append(chunk, items, to: &bytes)
            // Arrays and streams of one batch are a line as well.
            if form.framing != .lines { bytes.append(UInt8(ascii: "\n")) }
            return
        }
        var number = 0
        var tag: [UInt8] = []
        chunk.forEachEvent(in: items) { event, record in
            // Fluent Bit prints a chunk at a time, and its chunks hold one route tag.
            if event.head.tag != tag { (number, tag) = (0, event.head.tag) }
            self.append(event, record, number: number, to: &bytes)
            number += 1
        }
    }

    private func append(_ event: ChunkEvent, _ record: UnsafeRawBufferPointer, number: Int, to bytes: inout [UInt8]) {
        switch self {
        case .message:
            bytes += "[\(number)] ".utf8
            bytes += event.head.tag
            bytes.append(": [[")
            Self.appendTime(event.time, digitCount: 9, to: &bytes)
            bytes.append(", {}], ")
            PrintedRecord.append(record, to: &bytes)
            bytes.append("]")
        case .out:
            bytes += event.head.tag
            bytes.append(": [")
            Self.appendTime(event.time, digitCount: 9, to: &bytes)
            bytes.append(", {")
            bytes.append(contentsOf: record)
            bytes.append("}]")
        case .csv(let delimiter, _):
            Self.appendTime(event.time, digitCount: 9, to: &bytes)
            var scanner = MemberScanner(record)
            while let member = scanner.next() { bytes += delimiter + Array(record.slice(member.value)) }
        case .ltsv(let delimiter, let labelDelimiter):
            bytes.append("\"time\"")
            bytes += labelDelimiter
            Self.appendTime(event.time, digitCount: 6, to: &bytes)
            var scanner = MemberScanner(record)
            while let member = scanner.next() {
                bytes += delimiter + [UInt8(ascii: "\"")]
                bytes.append(contentsOf: record.slice(member.name))
                bytes += [UInt8(ascii: "\"")] + labelDelimiter
                bytes.append(contentsOf: record.slice(member.value))
            }
        case .template(let parts): Self.append(parts, event.time, record, to: &bytes)
        case .plain, .dated:
            bytes.append("{")
            bytes.append(contentsOf: record)
            bytes.append("}")
        }
        bytes.append(UInt8(ascii: "\n"))
    }

    private static func append(
        _ parts: [TemplatePart],
        _ time: Int64,
        _ record: UnsafeRawBufferPointer,
        to bytes: inout [UInt8]
    ) {
        for part in parts {
            switch part {
            case .text(let text): bytes += text
            case .time: Self.appendTime(time, digitCount: 6, to: &bytes)
            case .field(let path, let written):
                if let range = path.find(in: record) {
                    RecordTemplate.appendText(of: record.slice(range), to: &bytes)
                } else {
                    bytes += written
                }
            }
        }
    }

    static func appendTime(_ nanoseconds: Int64, digitCount: Int, to bytes: inout [UInt8]) {
        bytes += String(Timestamp(nanoseconds: nanoseconds).seconds).utf8
        RecordTimeText.appendFraction(nanoseconds: nanoseconds, digitCount: digitCount, to: &bytes)
    }

    /// The first line of a file with columns; empty without one.
    func columnNames(of record: UnsafeRawBufferPointer) -> [UInt8] {
        guard case .csv(let delimiter, true) = self else { return [] }
        var bytes = Array("timestamp".utf8)
        var scanner = MemberScanner(record)
        while let member = scanner.next() {
            bytes += delimiter + [UInt8(ascii: "\"")] + Array(record.slice(member.name)) + [UInt8(ascii: "\"")]
        }
        return bytes + [UInt8(ascii: "\n")]
    }

    /// Reads `{time} used={mem.used}`.
    static func template(_ text: String) -> TextForm {
        var parts: [TemplatePart] = []
        var rest = Substring(text)
        while let open = rest.firstIndex(of: "{"), let close = rest[open...].firstIndex(of: "}") {
            // Of several open braces the last one counts.
            let start = rest[..<close].lastIndex(of: "{") ?? open
            if start > rest.startIndex { parts.append(.text(Array(rest[..<start].utf8))) }
            let name = String(rest[rest.index(after: start)..<close])
            let written = Array(rest[start...close].utf8)
            parts.append(name == "time" ? .time : .field(FieldPath(name: name), written: written))
            rest = rest[rest.index(after: close)...]
        }
        if !rest.isEmpty { parts.append(.text(Array(rest.utf8))) }
        return .template(parts)
    }
}
