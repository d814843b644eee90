/// The names that the rows of an answer have, in the order of output.
struct ColumnSet {
    private var names: [String] = []
    private var known: Set<[UInt8]> = []
    /// The names of the last row: rows often repeat them, and comparing bytes is cheaper than hashing.
    private var last: [[UInt8]] = []

    /// Adds the names of a row.
    mutating func note(_ row: AnswerRow) {
        if self.isLike(row) { return }
        self.last.removeAll(keepingCapacity: true)
        for field in row.fields {
            let name = Array(row.bytes[field.name])
            self.last.append(name)
            if self.known.insert(name).inserted { self.names.append(String(decoding: name, as: UTF8.self)) }
        }
    }

    private func isLike(_ row: AnswerRow) -> Bool {
        guard row.fields.count == self.last.count else { return false }
        for (field, name) in zip(row.fields, self.last) where !row.bytes[field.name].elementsEqual(name) {
            return false
        }
        return true
    }

    /// Time, id, tags, fields in order of first use, text.
    var ordered: [String] {
        func rank(_ name: String) -> Int {
            switch name {
            case "@timestamp": 0
            case "@id": 1
            case "@rawstring": 4
            default: name.hasPrefix("#") ? 2 : 3
            }
        }
        return self.names.enumerated().sorted { (rank($0.element), $0.offset) < (rank($1.element), $1.offset) }
            .map(\.element)
    }
}

/// Finds the values of given columns in rows.
struct ColumnIndex {
    private let names: [[UInt8]]
    private let positionOfName: [[UInt8]: Int]
    private var cells: [Range<Int>?]

    init(_ names: [String]) {
        self.names = names.map { Array($0.utf8) }
        self.positionOfName = Dictionary(zip(self.names, 0...)) { first, _ in first }
        self.cells = Array(repeating: nil, count: names.count)
    }

    /// Per column where its value lies in the row's bytes; `nil` where the row lacks it.
    mutating func cells(of row: AnswerRow) -> [Range<Int>?] {
        for index in self.cells.indices { self.cells[index] = nil }
        var guess = 0
        for field in row.fields {
            // Fast path: fields come in the order of the columns.
            if guess < self.names.count, row.bytes[field.name].elementsEqual(self.names[guess]) {
                self.cells[guess] = field.value
                guess += 1
            } else if let position = self.positionOfName[Array(row.bytes[field.name])] {
                self.cells[position] = field.value
                guess = position + 1
            }
        }
        return self.cells
    }
}
