extension Bitmap {
    /// A bitmap from a test of each row.
    @inlinable
    public init<Failure: Error>(count: Int, _ isSet: (Int) throws(Failure) -> Bool) throws(Failure) {
        var words = [UInt64](repeating: 0, count: (count + 63) / 64)
        for index in 0..<words.count {
            let base = index << 6
            var word: UInt64 = 0
            for bit in 0..<min(64, count - base) where try isSet(base + bit) {
                word |= 1 << UInt64(truncatingIfNeeded: bit)
            }
            words[index] = word
        }
        self.init(words: words, count: count)
    }

    /// The rows of `selection`, or all, that pass a test; rows outside are not tested.
    @inlinable
    public init<Failure: Error>(
        within selection: Bitmap?,
        count: Int,
        _ isSet: (Int) throws(Failure) -> Bool
    ) throws(Failure) {
        guard let selection else {
            try self.init(count: count, isSet)
            return
        }
        var words = selection.words
        for index in 0..<words.count {
            var rest = words[index]
            var word: UInt64 = 0
            while rest != 0 {
                let bit = rest & (0 &- rest)
                if try isSet((index << 6) + rest.trailingZeroBitCount) { word |= bit }
                rest &= rest &- 1
            }
            words[index] = word
        }
        self.init(words: words, count: count)
    }

    /// The rows of `selection`, or all, whose code is one of `wanted`.
    public init(codes: [UInt16], among wanted: some Sequence<Int>, within selection: Bitmap?) {
        var isWanted = [UInt8](repeating: 0, count: Int(UInt16.max) + 1)
        for code in wanted { isWanted[code] = 1 }
        if let selection, selection.setCount * 8 < codes.count {
            self.init(within: selection, count: codes.count) { isWanted[Int(codes[$0])] != 0 }
            return
        }
        // Without branches: which rows are wanted follows no order.
        let words = isWanted.withUnsafeBufferPointer { isWanted in
            codes.withUnsafeBufferPointer { codes in
                (0..<(codes.count + 63) / 64).map { index in
                    var word: UInt64 = 0
                    for row in (index << 6)..<min((index << 6) + 64, codes.count) {
                        word |= UInt64(isWanted[Int(codes[row])]) << UInt64(row & 63)
                    }
                    return word
                }
            }
        }
        self.init(words: words, count: codes.count)
        if let selection { self.formIntersection(selection) }
    }

    /// The set rows, ascending.
    public var rows: [Int32] {
        var result: [Int32] = []
        result.reserveCapacity(self.setCount)
        self.forEachSet { result.append(Int32(truncatingIfNeeded: $0)) }
        return result
    }
}
