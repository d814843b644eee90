/// The rows that have a value, and for each of them how many are before it.
///
/// So values of a column that few rows have can lie end to end as they are stored, at no memory for the other rows.
final class RankedRows: Sendable {
    /// A bit per row, the first in the lowest bit of the first word.
    let words: [UInt64]
    /// Per word how many rows are before it.
    private let before: [UInt32]
    /// Number of rows, with a value or without.
    let rowCount: Int
    /// Number of values.
    let valueCount: Int

    init(_ rows: Bitmap) {
        self.words = rows.words
        self.rowCount = rows.count
        var before: [UInt32] = []
        before.reserveCapacity(rows.words.count)
        var total = 0
        for word in rows.words {
            before.append(UInt32(total))
            total += word.nonzeroBitCount
        }
        self.before = before
        self.valueCount = total
    }

    /// Which value a row has; some value, perhaps one beyond the last, for rows without.
    @inline(__always)
    func value(of row: Int) -> Int {
        let word = row >> 6
        let below = self.words[word] & ((1 << UInt64(row & 63)) &- 1)
        return Int(self.before[word]) &+ below.nonzeroBitCount
    }

    /// Which value a row has, or for rows without one that another row has; some row must have one.
    @inline(__always)
    func knownValue(of row: Int) -> Int { min(self.value(of: row), self.valueCount - 1) }

    /// The row of a value.
    func row(of value: Int) -> Int {
        precondition(value >= 0 && value < self.valueCount, "value \(value) of \(self.valueCount)")
        var low = 0
        var high = self.before.count
        while high - low > 1 {
            let middle = (low + high) / 2
            if Int(self.before[middle]) <= value { low = middle } else { high = middle }
        }
        var word = self.words[low]
        for _ in 0..<value - Int(self.before[low]) { word &= word &- 1 }
        return (low << 6) + word.trailingZeroBitCount
    }

    /// Calls `body` with the rows that have a value, in order.
    @inline(__always)
    func forEachRow(_ body: (Int) -> Void) {
        for (index, word) in self.words.enumerated() {
            var rest = word
            while rest != 0 {
                body(index << 6 &+ rest.trailingZeroBitCount)
                rest &= rest &- 1
            }
        }
    }

    /// Bytes of memory.
    var byteCount: Int { self.words.count * 12 }
}
