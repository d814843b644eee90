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
            let tally = column.tally(within: selection)
            for (code, count) in tally.counts.enumerated() where count > 0 {
                try body(column.values[code], TextTally(count: Int(count), lastRow: Int(tally.lastRows[code])))
            }
            return true
        default: return false
        }
    }
}

extension DictionaryColumn {
    /// How often each text occurs among the selected rows (`nil`: all) that have the field.
    func tally(within selection: Bitmap?) -> CodeTally {
        guard let selection, !selection.isFull, selection != self.presence else { return self.tally }
        let rows = Bitmap.intersection(selection, self.presence)
        return CodeTally(self.codes, among: self.values.count, within: rows)
    }
}

extension Bitmap {
    /// The last row whose bit is set.
    var lastSet: Int? {
        guard let index = self.words.lastIndex(where: { $0 != 0 }) else { return nil }
        return (index << 6) + 63 - self.words[index].leadingZeroBitCount
    }
}
