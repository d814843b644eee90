internal import LeatCore

/// A run of lines of a local file; read when the query wants it, by whichever worker takes it.
struct FileBlock: BlockSource {
    let bytes: ByteSlice
    let format: LineFormat
    /// The time of lines that carry none.
    let arrival: Int64
    /// Lines, which is the number of rows unless lines are joined or empty.
    let rowCount: Int
    /// Whether rows may be made of several lines.
    let hasJoins: Bool
    /// Where damage and odd lines are told.
    let notes: FileNotes

    var byteCount: Int { self.bytes.count }

    /// The times of the lines once they were measured; before, so wide that no block is passed over.
    var timeRange: ClosedRange<Int64> = Self.unknownTimes
    /// The rows, when measuring the times has read them already and there was room to keep them.
    var rows: Batch?

    /// Half of all time, so that differences do not overflow.
    private static let unknownTimes = (Int64.min / 4)...(Int64.max / 4)

    /// All of the text is looked at.
    var isTestedUnread: Bool { false }

    func mayMatch(_ prefilter: Prefilter) throws(DamagedBlock) -> Bool {
        // A needle may lie across two lines that are joined.
        if self.hasJoins { return true }
        return TextPrefilter(bytes: self.bytes.unsafeBytes, mayHaveEscapes: self.format.hasEscapes).mayMatch(prefilter)
    }

    func read() throws(DamagedBlock) -> Batch {
        if let rows { return rows }
        var reader = LineReader(self.format, arrival: self.arrival)
        let (batch, badTimeCount) = reader.read(self.bytes.unsafeBytes)
        self.notes.add(badTimeCount: badTimeCount)
        return batch
    }
}

extension LineFormat {
    /// Whether values can differ from the bytes of their line.
    var hasEscapes: Bool {
        switch self {
        case .json, .bulk, .docker, .cri, .logfmt: true
        case .accessLog, .syslog, .plain: false
        }
    }
}

/// Tests lines for needles before any of them is taken apart.
struct TextPrefilter {
    let bytes: UnsafeRawBufferPointer
    let mayHaveEscapes: Bool

    func mayMatch(_ prefilter: Prefilter) -> Bool {
        switch prefilter {
        case .none: false
        case .and(let parts): parts.allSatisfy { self.mayMatch($0) }
        case .or(let parts): parts.contains { self.mayMatch($0) }
        case .anyField(let needle), .contains(_, let needle): self.mayContain(needle)
        case .equals(let field, let text): self.mayEqual(field: field, text)
        case .all, .present, .numeric: true
        }
    }

    private func mayEqual(field: String, _ text: [UInt8]) -> Bool {
        // Times, tags and streams are not in the lines as they are.
        guard !text.isEmpty, field.first != "@", field.first != "#", field != "stream" else { return true }
        return self.mayContain(Needle(text))
    }

    private func mayContain(_ needle: Needle) -> Bool {
        // A needle is found as it stands unless some escape in the block could stand for a part of it.
        if self.mayHaveEscapes && !needle.bytes.allSatisfy(Self.isNeverEscaped) { return true }
        if ByteSearch.find(needle, in: self.bytes) != nil { return true }
        return self.mayHaveEscapes && ByteSearch.find(Needle(Array("\\u".utf8)), in: self.bytes) != nil
    }

    /// Whether a byte of a value stands in the line as it is, and beside the same neighbours.
    ///
    /// A document's text is compact: what stands around its brackets, colons and commas may be white space in the line.
    private static func isNeverEscaped(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"), UInt8(ascii: ":"), UInt8(ascii: ","),
            UInt8(ascii: "{"), UInt8(ascii: "}"), UInt8(ascii: "["), UInt8(ascii: "]"):
            false
        default: byte >= 0x20 && byte < 0x7F
        }
    }
}
