internal import LeatCore

/// A pattern whose `*` stands for any bytes, also none, across lines; it must match the whole value.
struct GlobPattern: Hashable, Sendable {
    /// What a value must begin with; empty when the pattern begins with `*`.
    let prefix: [UInt8]
    /// What must follow in this order, without overlap.
    let middle: [[UInt8]]
    /// What a value must end with, after all of `middle`.
    let suffix: [UInt8]
    /// Whether there is a `*` at all; otherwise `prefix` is the whole value.
    let hasStar: Bool
    /// Whether ASCII letters match in either case; the pieces are then in lower case.
    let foldsCase: Bool

    init(_ pattern: String, foldsCase: Bool = false) {
        var bytes = Array(pattern.utf8)
        if foldsCase { bytes = bytes.map(Self.lowercased) }
        let pieces = bytes.split(separator: UInt8(ascii: "*"), omittingEmptySubsequences: false).map { Array($0) }
        self.prefix = pieces[0]
        self.hasStar = pieces.count > 1
        self.suffix = pieces.count > 1 ? pieces[pieces.count - 1] : []
        self.middle = pieces.count > 2 ? pieces[1..<pieces.count - 1].filter { !$0.isEmpty } : []
        self.foldsCase = foldsCase
    }

    @inline(__always)
    static func lowercased(_ byte: UInt8) -> UInt8 { byte &- 65 < 26 ? byte | 0x20 : byte }

    /// Whether the pattern matches whatever the value is.
    var matchesAll: Bool { self.hasStar && self.prefix.isEmpty && self.middle.isEmpty && self.suffix.isEmpty }

    /// The piece that a value must contain, if the pattern says nothing else.
    var onlyNeedle: Needle? {
        guard self.hasStar, self.prefix.isEmpty, self.suffix.isEmpty, self.middle.count == 1 else { return nil }
        return Needle(self.middle[0], foldsCase: self.foldsCase)
    }

    /// Texts that every matching value contains.
    var needles: [Needle] {
        ([self.prefix] + self.middle + [self.suffix]).filter { !$0.isEmpty }
            .map { Needle($0, foldsCase: self.foldsCase) }
    }

    /// Whether the whole value matches.
    func matches(_ value: UnsafeRawBufferPointer) -> Bool {
        guard self.hasStar else { return self.equals(value, self.prefix) }
        guard value.count >= self.prefix.count + self.suffix.count else { return false }
        let suffixStart = value.count - self.suffix.count
        guard self.equals(value.slice(0..<self.prefix.count), self.prefix),
            self.equals(value.slice(suffixStart..<value.count), self.suffix)
        else { return false }
        var rest = value.slice(self.prefix.count..<suffixStart)
        for piece in self.middle {
            guard let found = self.find(piece, in: rest) else { return false }
            rest = rest.slice(found + piece.count..<rest.count)
        }
        return true
    }

    private func find(_ piece: [UInt8], in value: UnsafeRawBufferPointer) -> Int? {
        piece.withUnsafeBytes { wanted in
            self.foldsCase ? ByteSearch.findFoldingCase(wanted, in: value) : ByteSearch.find(wanted, in: value)
        }
    }

    private func equals(_ value: UnsafeRawBufferPointer, _ piece: [UInt8]) -> Bool {
        guard value.count == piece.count else { return false }
        if !self.foldsCase { return value.elementsEqual(piece) }
        return piece.indices.allSatisfy { Self.lowercased(value[$0]) == piece[$0] }
    }
}
