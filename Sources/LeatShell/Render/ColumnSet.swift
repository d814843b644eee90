/// The names that the rows of an answer have, in the order of output.
struct ColumnSet {
    /// In the order in which they were seen first.
    private var names: [String] = []
    private var numberOfName: [String: Int] = [:]
    /// By the number that the rows give a name its place in `names`; -1 where that is not known.
    private var numbers: [Int] = []
    private var generation = -1

    /// Adds the names of a row; all rows come in the same object.
    mutating func note(_ row: AnswerRow) {
        for field in row.fields { _ = self.number(of: field, in: row) }
    }

    /// Adds the name of a field; gives the column's number, which stays the same.
    mutating func number(of field: AnswerRow.Field, in row: AnswerRow) -> Int {
        if self.generation != row.generation {
            self.generation = row.generation
            self.numbers = []
        }
        while self.numbers.count <= field.nameNumber { self.numbers.append(-1) }
        // Fast path: the name has been seen.
        if self.numbers[field.nameNumber] >= 0 { return self.numbers[field.nameNumber] }
        let name = row.name(of: field)
        let number = self.numberOfName[name] ?? self.names.count
        if number == self.names.count {
            self.numberOfName[name] = number
            self.names.append(name)
        }
        self.numbers[field.nameNumber] = number
        return number
    }

    /// By a column's number where it stands among the names; `nil` where it does not.
    func positions(in names: [String]) -> [Int?] {
        let positionOfName = Dictionary(zip(names, 0...)) { first, _ in first }
        return self.names.map { positionOfName[$0] }
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

/// Finds the values of given columns in rows; all rows come in the same object.
struct ColumnIndex {
    private let positionOfName: [String: Int]
    /// By the number that the rows give a name its position; -1 where it is none of the columns, -2 where that is not known.
    private var positions: [Int] = []
    private var generation = -1
    private var cells: [Range<Int>?]

    init(_ names: [String]) {
        self.positionOfName = Dictionary(zip(names, 0...)) { first, _ in first }
        self.cells = Array(repeating: nil, count: names.count)
    }

    /// Per column where its value lies in the row's bytes; `nil` where the row lacks it.
    mutating func cells(of row: AnswerRow) -> [Range<Int>?] {
        for index in self.cells.indices { self.cells[index] = nil }
        if self.generation != row.generation {
            self.generation = row.generation
            self.positions = []
        }
        for field in row.fields {
            let position = self.position(of: field, in: row)
            if position >= 0 { self.cells[position] = field.value }
        }
        return self.cells
    }

    private mutating func position(of field: AnswerRow.Field, in row: AnswerRow) -> Int {
        while self.positions.count <= field.nameNumber { self.positions.append(-2) }
        // Fast path: the name has been seen.
        if self.positions[field.nameNumber] > -2 { return self.positions[field.nameNumber] }
        let position = self.positionOfName[row.name(of: field)] ?? -1
        self.positions[field.nameNumber] = position
        return position
    }
}
