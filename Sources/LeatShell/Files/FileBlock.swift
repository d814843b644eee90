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

    func read() throws(DamagedBlock) -> Batch { self.rows ?? self.rows(having: nil) }

    func read(passing prefilter: Prefilter) throws(DamagedBlock) -> Batch {
        if let rows { return rows }
        // Lines that are joined, or belong to the line before, are read together.
        guard !self.hasJoins, self.format != .bulk else { return self.rows(having: nil) }
        let lines = TextPrefilter(bytes: self.bytes.unsafeBytes, mayHaveEscapes: self.format.hasEscapes)
        return self.rows(having: lines.needle(of: prefilter))
    }

    /// The rows of all lines, or of those that have the needle.
    private func rows(having needle: Needle?) -> Batch {
        var reader = LineReader(self.format, arrival: self.arrival)
        let (batch, badTimeCount) = reader.read(self.bytes.unsafeBytes, having: needle)
        self.notes.add(badTimeCount: badTimeCount)
        return batch
    }
}

extension LineFormat {
    /// Whether values can differ from the bytes of their line.
    var hasEscapes: Bool {
        switch self {
        case .json, .bulk, .docker, .journal, .cri, .logfmt: true
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

    /// What every line must have as it stands to pass, of several the longest; `nil` when nothing is so certain.
    func needle(of prefilter: Prefilter) -> Needle? {
        guard let needle = self.longest(in: prefilter), !self.isHidden(needle) else { return nil }
        return self.hasCodeUnits ? nil : needle
    }

    private func longest(in prefilter: Prefilter) -> Needle? {
        switch prefilter {
        case .and(let parts):
            parts.compactMap { self.longest(in: $0) }.filter { !self.isHidden($0) }
                .max { $0.bytes.count < $1.bytes.count }
        case .anyField(let needle), .contains(_, let needle): needle
        case .equals(let field, let text): Self.isAsWritten(field, text) ? Needle(text) : nil
        case .all, .none, .or, .present, .numeric: nil
        }
    }

    private func mayEqual(field: String, _ text: [UInt8]) -> Bool {
        Self.isAsWritten(field, text) ? self.mayContain(Needle(text)) : true
    }

    /// Whether a value of a field stands in its line; times, tags and streams do not as they are.
    private static func isAsWritten(_ field: String, _ text: [UInt8]) -> Bool {
        !text.isEmpty && field.first != "@" && field.first != "#" && field != "stream"
    }

    private func mayContain(_ needle: Needle) -> Bool {
        if self.isHidden(needle) { return true }
        return ByteSearch.find(needle, in: self.bytes) != nil || self.hasCodeUnits
    }

    /// Whether a value may have the needle though its line does not: some escape could stand for a part of it.
    private func isHidden(_ needle: Needle) -> Bool {
        self.mayHaveEscapes && !needle.bytes.allSatisfy(Self.isNeverEscaped)
    }

    /// Whether any character may be written as its number.
    private var hasCodeUnits: Bool {
        self.mayHaveEscapes && ByteSearch.find(Needle(Array("\\u".utf8)), in: self.bytes) != nil
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
