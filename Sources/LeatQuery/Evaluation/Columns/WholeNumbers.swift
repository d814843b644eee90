internal import LeatCore

/// The numbers of a column as whole ones, of those rows only that have one.
struct WholeNumbers {
    /// In the order of their rows.
    let values: [Int64]
    /// What each is to be divided by; the quotient is the same as that which `Column.numbers()` gives.
    let divisor: Double
    /// A bit per row that has a number in `values`, and perhaps a presence that lets fewer rows have it; `nil`: all rows.
    private let rows: [UInt64]?
    private let presence: Bitmap?

    fileprivate init(_ values: [Int64], scale: Int, rows: [UInt64]? = nil, presence: Bitmap?) {
        self.values = values
        self.divisor = NumberText.powersOfTen[scale]
        self.rows = rows
        self.presence = presence
    }

    /// Calls `body` with each selected row that has a number, and the index of that number.
    @inline(__always)
    func forEach(within selection: Bitmap, _ body: (_ row: Int, _ index: Int) -> Void) {
        var wanted = selection
        if let presence = self.presence { wanted.formIntersection(presence) }
        guard let rows = self.rows else { return wanted.forEachSet { body($0, $0) } }
        var start = 0
        for (word, own) in rows.enumerated() {
            var rest = wanted.words[word] & own
            if rest == own {
                var index = start
                while rest != 0 {
                    body(word << 6 &+ rest.trailingZeroBitCount, index)
                    rest &= rest &- 1
                    index &+= 1
                }
            } else {
                while rest != 0 {
                    let before = own & ((rest & (0 &- rest)) &- 1)
                    body(word << 6 &+ rest.trailingZeroBitCount, start &+ before.nonzeroBitCount)
                    rest &= rest &- 1
                }
            }
            start &+= own.nonzeroBitCount
        }
    }
}

extension Column {
    /// The numbers of a column that is stored as such; `nil` for others, and where a quotient would not be exact.
    var wholeNumbers: WholeNumbers? {
        switch self {
        case .integer(let column): return WholeNumbers(column.values, scale: 0, presence: column.presence)
        case .number(let column):
            guard let scale = column.form.scale else { return nil }
            let bounds = column.numbers.bounds
            guard scale == 0 || bounds.lowerBound >= -(1 << 53) && bounds.upperBound <= 1 << 53 else { return nil }
            guard case .ranked(let ranked) = column.numbers else {
                return WholeNumbers(column.values, scale: scale, presence: column.presence)
            }
            return WholeNumbers(ranked.dense.values, scale: scale, rows: ranked.rows, presence: column.presence)
        case .constant, .dictionary, .plain, .identifier, .prefixed, .reference, .template: return nil
        }
    }
}
