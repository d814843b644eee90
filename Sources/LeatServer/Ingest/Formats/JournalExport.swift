internal import LeatCore

/// Cuts systemd's journal export format into entries, piece by piece as they come;
/// https://systemd.io/JOURNAL_EXPORT_FORMATS.
///
///     KEY=value\n                              a text without newlines
///     KEY\n<u64 little-endian count>bytes\n    anything else
///     \n                                       ends the entry
struct JournalExport {
    /// One field as it came.
    struct Field: Hashable, Sendable {
        let name: String
        let value: [UInt8]
    }

    /// Why bytes are no export.
    struct Fault: Error, Hashable, Sendable {
        let reason: String
    }

    /// Longest entry.
    private let byteCountMax: Int
    private var buffer: [UInt8] = []
    private var fields: [Field] = []
    private var entryByteCount = 0

    init(byteCountMax: Int) { self.byteCountMax = byteCountMax }

    /// Takes the next bytes and gives every entry that is complete.
    mutating func consume(_ bytes: some Sequence<UInt8>, _ take: ([Field]) -> Void) throws(Fault) {
        self.buffer.append(contentsOf: bytes)
        var at = 0
        while let (field, end) = try self.next(from: at) {
            self.entryByteCount += end - at
            at = end
            if let field {
                self.fields.append(field)
                guard self.entryByteCount <= self.byteCountMax else { throw self.tooLarge }
            } else {
                self.end(take)
            }
        }
        self.buffer.removeFirst(at)
        guard self.buffer.count <= self.byteCountMax else { throw self.tooLarge }
    }

    /// The upload ended; an entry that lacks only its empty line counts.
    mutating func finish(_ take: ([Field]) -> Void) throws(Fault) {
        guard self.buffer.isEmpty else { throw Fault(reason: "the last entry is cut short") }
        self.end(take)
    }

    private var tooLarge: Fault { Fault(reason: "an entry exceeds the limit of \(self.byteCountMax) bytes") }

    private mutating func end(_ take: ([Field]) -> Void) {
        if !self.fields.isEmpty { take(self.fields) }
        self.fields = []
        self.entryByteCount = 0
    }

    /// The field at `start` and where it ends; a `nil` field is the end of the entry; `nil` when more bytes are needed.
    private func next(from start: Int) throws(Fault) -> (field: Field?, end: Int)? {
        guard let newline = self.buffer[start...].firstIndex(of: 0x0A) else { return nil }
        let line = self.buffer[start..<newline]
        if line.isEmpty { return (nil, newline + 1) }
        if let equals = line.firstIndex(of: UInt8(ascii: "=")) {
            let name = try Self.name(line[..<equals])
            return (Field(name: name, value: Array(line[(equals + 1)...])), newline + 1)
        }
        let name = try Self.name(line)
        let value = newline + 9
        guard value <= self.buffer.count else { return nil }
        let count = self.buffer[(newline + 1)..<value].reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        guard count <= UInt64(self.byteCountMax) else { throw self.tooLarge }
        let end = value + Int(count)
        guard end < self.buffer.count else { return nil }
        guard self.buffer[end] == 0x0A else { throw Fault(reason: "field \(name) does not end with a newline") }
        return (Field(name: name, value: Array(self.buffer[value..<end])), end + 1)
    }

    private static func name(_ bytes: ArraySlice<UInt8>) throws(Fault) -> String {
        guard (1...256).contains(bytes.count), bytes.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else {
            throw Fault(reason: "'\(String(decoding: bytes.prefix(40), as: UTF8.self))' is no name of a field")
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
