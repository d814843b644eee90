/// The names that the rows of an answer have, in the order of output.
struct ColumnSet {
    private var names: [String] = []
    private var known: Set<String> = []
    /// By the number that the rows give a name whether it is known.
    private var isKnown: [Bool] = []
    private var generation = -1

    /// Adds the names of a row; all rows come in the same object.
    mutating func note(_ row: AnswerRow) {
        if self.generation != row.generation {
            self.generation = row.generation
            self.isKnown = []
        }
        for field in row.fields {
            // Fast path: the name has been seen.
            if field.nameNumber < self.isKnown.count, self.isKnown[field.nameNumber] { continue }
            while self.isKnown.count <= field.nameNumber { self.isKnown.append(false) }
            self.isKnown[field.nameNumber] = true
            let name = row.name(of: field)
            if self.known.insert(name).inserted { self.names.append(name) }
        }
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
