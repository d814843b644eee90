/// Which texts have which template; sorted out once, when the first column asks.
///
/// A block has hundreds of columns of slots, most of them of one template with few texts: each must not look at all codes.
final class TemplateRows {
    private let codes: [UInt16]
    /// Per code how many texts have it.
    private let uses: [Int]
    /// The texts, by code and in order, and where those of each code begin.
    private lazy var sorted: (texts: [Int32], starts: [Int]) = self.sort()

    init(_ codes: [UInt16], uses: [Int]) {
        self.codes = codes
        self.uses = uses
    }

    /// The texts that have one of some codes, in order.
    func rows(of users: [UInt16]) -> [Int32] {
        if users.count == 1 {
            let (texts, starts) = self.sorted
            let start = starts[Int(users[0])]
            return Array(texts[start..<start + self.uses[Int(users[0])]])
        }
        var isUser = [Bool](repeating: false, count: self.uses.count)
        for user in users { isUser[Int(user)] = true }
        var rows: [Int32] = []
        rows.reserveCapacity(users.reduce(0) { $0 + self.uses[Int($1)] })
        for (row, code) in self.codes.enumerated() where isUser[Int(code)] { rows.append(Int32(row)) }
        return rows
    }

    private func sort() -> (texts: [Int32], starts: [Int]) {
        var starts: [Int] = []
        starts.reserveCapacity(self.uses.count)
        var total = 0
        for count in self.uses {
            starts.append(total)
            total += count
        }
        var next = starts
        var texts = [Int32](repeating: 0, count: total)
        for (text, code) in self.codes.enumerated() {
            texts[next[Int(code)]] = Int32(text)
            next[Int(code)] += 1
        }
        return (texts, starts)
    }
}
