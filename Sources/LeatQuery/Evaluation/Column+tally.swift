internal import LeatCore

/// How often a text of a column occurs among some rows, and where last.
struct TextTally {
    var count: Int
    var lastRow: Int
}

extension Column {
    /// Calls `body` with each text that occurs among the selected rows; `nil`, without a call, for columns whose texts
    /// are not known to be few.
    func tally<Failure: Error>(
        within selection: Bitmap?,
        _ body: (UnsafeRawBufferPointer, TextTally) throws(Failure) -> Void
    ) throws(Failure) -> Bool {
        let rows = Bitmap.intersection(selection, self.presence)
        switch self {
        case .constant(let column):
            let count = rows?.setCount ?? column.rowCount
            guard count > 0 else { return true }
            let tally = TextTally(count: count, lastRow: rows?.lastSet ?? column.rowCount - 1)
            try column.value.withUnsafeBytes { (text) throws(Failure) in try body(text, tally) }
            return true
        case .dictionary(let column):
            let counts = column.codes.counted(among: column.values.count, within: rows)
            let lastRows = column.codes.lastRows(of: counts, within: rows)
            for (code, count) in counts.enumerated() where count > 0 {
                try body(column.values[code], TextTally(count: Int(count), lastRow: Int(lastRows[code])))
            }
            return true
        default: return false
        }
    }
}

extension [UInt16] {
    /// How often each code below `codeCount` occurs among `rows`, or all.
    func counted(among codeCount: Int, within rows: Bitmap?) -> [UInt32] {
        // Two tables in turn: counting one code twice in a row waits for the first count to be stored.
        guard codeCount > 0 else { return [] }
        var counts = [UInt32](repeating: 0, count: 2 * codeCount)
        self.withUnsafeBufferPointer { codes in
            counts.withUnsafeMutableBufferPointer { counts in
                var most: UInt16 = 0
                for code in codes { most = Swift.max(most, code) }
                precondition(Int(most) < codeCount, "code \(most) in a dictionary of \(codeCount)")
                guard let rows else {
                    var index = 0
                    while index + 2 <= codes.count {
                        counts[Int(codes[index])] &+= 1
                        counts[codeCount + Int(codes[index + 1])] &+= 1
                        index += 2
                    }
                    if index < codes.count { counts[Int(codes[index])] &+= 1 }
                    return
                }
                rows.forEachSet { counts[Int(codes[$0]) + ($0 & 1) * codeCount] &+= 1 }
            }
        }
        return (0..<codeCount).map { counts[$0] &+ counts[codeCount + $0] }
    }

    /// The last row of each code that occurs among `rows`; the rows are looked through from the end until all are found.
    func lastRows(of counts: [UInt32], within rows: Bitmap?) -> [Int32] {
        var last = [Int32](repeating: -1, count: counts.count)
        var missing = counts.count { $0 > 0 }
        var row = self.count - 1
        while missing > 0, row >= 0 {
            let code = Int(self[row])
            if last[code] < 0, rows?[row] ?? true {
                last[code] = Int32(row)
                missing -= 1
            }
            row -= 1
        }
        return last
    }
}

extension Bitmap {
    /// The last row whose bit is set.
    var lastSet: Int? {
        guard let index = self.words.lastIndex(where: { $0 != 0 }) else { return nil }
        return (index << 6) + 63 - self.words[index].leadingZeroBitCount
    }
}
