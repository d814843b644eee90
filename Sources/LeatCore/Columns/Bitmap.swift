/// One bit per row of a batch.
///
/// Bits beyond `count` are always zero, so that words can be combined and counted without masking.
public struct Bitmap: Hashable, Sendable {
    /// The bits, row 0 in the lowest bit of the first word.
    public internal(set) var words: [UInt64]

    /// Number of rows.
    public let count: Int

    /// A bitmap of `count` equal bits.
    public init(repeating bit: Bool, count: Int) {
        self.count = count
        self.words = [UInt64](repeating: bit ? .max : 0, count: (count + 63) / 64)
        self.clearTail()
    }

    /// A bitmap from its words; bits beyond `count` are cleared.
    public init(words: [UInt64], count: Int) {
        precondition(words.count == (count + 63) / 64, "\(words.count) words for \(count) bits")
        self.words = words
        self.count = count
        self.clearTail()
    }

    private mutating func clearTail() {
        let used = self.count % 64
        if used != 0 {
            self.words[self.words.count - 1] &= (1 << UInt64(used)) - 1
        }
    }

    /// The bit of `row`.
    @inlinable
    public subscript(row: Int) -> Bool {
        (self.words[row >> 6] >> UInt64(row & 63)) & 1 != 0
    }

    /// Sets the bit of `row` to `bit`.
    public mutating func set(_ row: Int, to bit: Bool = true) {
        precondition(row < self.count, "row \(row) of \(self.count)")
        if bit {
            self.words[row >> 6] |= 1 << UInt64(row & 63)
        } else {
            self.words[row >> 6] &= ~(1 << UInt64(row & 63))
        }
    }

    /// How many bits are set.
    public var setCount: Int {
        var total = 0
        for word in self.words { total += word.nonzeroBitCount }
        return total
    }

    /// Whether no bit is set.
    public var isEmpty: Bool { self.words.allSatisfy { $0 == 0 } }

    /// Whether every bit is set.
    public var isFull: Bool { self.setCount == self.count }

    /// Keeps the bits that are also set in `other`.
    public mutating func formIntersection(_ other: Bitmap) {
        precondition(self.count == other.count, "bitmaps of \(self.count) and \(other.count) rows")
        for index in self.words.indices { self.words[index] &= other.words[index] }
    }

    /// Adds the bits that are set in `other`.
    public mutating func formUnion(_ other: Bitmap) {
        precondition(self.count == other.count, "bitmaps of \(self.count) and \(other.count) rows")
        for index in self.words.indices { self.words[index] |= other.words[index] }
    }

    /// Clears the bits that are set in `other`.
    public mutating func subtract(_ other: Bitmap) {
        precondition(self.count == other.count, "bitmaps of \(self.count) and \(other.count) rows")
        for index in self.words.indices { self.words[index] &= ~other.words[index] }
    }

    /// Turns every bit over.
    public mutating func invert() {
        for index in self.words.indices { self.words[index] = ~self.words[index] }
        self.clearTail()
    }

    /// Calls `body` with each row whose bit is set, in ascending order.
    @inlinable
    public func forEachSet<Failure: Error>(_ body: (Int) throws(Failure) -> Void) throws(Failure) {
        for index in self.words.indices {
            var word = self.words[index]
            while word != 0 {
                try body((index << 6) + word.trailingZeroBitCount)
                word &= word &- 1
            }
        }
    }

    /// Calls `body` with each row whose bit is set, in descending order, as long as it returns `true`.
    @inlinable
    public func forEachSetFromEnd(_ body: (Int) -> Bool) {
        for index in self.words.indices.reversed() {
            var word = self.words[index]
            while word != 0 {
                let bit = 63 - word.leadingZeroBitCount
                guard body((index << 6) + bit) else { return }
                word &= ~(1 << UInt64(bit))
            }
        }
    }
}
