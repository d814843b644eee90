/// How often each code of a dictionary occurs among some rows, and where last.
public final class CodeTally: Sendable {
    public let counts: [UInt32]
    /// Per code the last of its rows; -1 for codes that do not occur.
    public let lastRows: [Int32]

    /// Counts the codes, all of them below `codeCount`, of `rows` (`nil`: all).
    public init(_ codes: [UInt16], among codeCount: Int, within rows: Bitmap?) {
        let counts = Self.counts(codes, among: codeCount, within: rows)
        self.counts = counts
        self.lastRows = Self.lastRows(codes, of: counts, within: rows)
    }

    private static func counts(_ codes: [UInt16], among codeCount: Int, within rows: Bitmap?) -> [UInt32] {
        // Two tables in turn: counting one code twice in a row waits for the first count to be stored.
        guard codeCount > 0 else { return [] }
        var counts = [UInt32](repeating: 0, count: 2 * codeCount)
        codes.withUnsafeBufferPointer { codes in
            counts.withUnsafeMutableBufferPointer { counts in
                var most: UInt16 = 0
                for code in codes { most = max(most, code) }
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

    /// The last row of each code; the rows are looked through from the end until all are found.
    private static func lastRows(_ codes: [UInt16], of counts: [UInt32], within rows: Bitmap?) -> [Int32] {
        var last = [Int32](repeating: -1, count: counts.count)
        var missing = counts.count { $0 > 0 }
        var row = codes.count - 1
        codes.withUnsafeBufferPointer { codes in
            last.withUnsafeMutableBufferPointer { last in
                while missing > 0, row >= 0 {
                    let code = Int(codes[row])
                    if last[code] < 0, rows?[row] ?? true {
                        last[code] = Int32(truncatingIfNeeded: row)
                        missing -= 1
                    }
                    row -= 1
                }
            }
        }
        return last
    }
}
