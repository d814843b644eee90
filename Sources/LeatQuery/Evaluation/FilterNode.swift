internal import LeatCore

/// A filter ready to be evaluated over batches.
indirect enum FilterNode: Sendable {
    case constant(Bool)
    case and([FilterNode])
    case or([FilterNode])
    case not(FilterNode)
    /// The field is there and its value passes.
    case field(String, ValueTest)
    /// Some searched field of the stored event has a value that passes.
    case anyField(ValueTest)
    case predicate(any RowPredicate, operands: [OperandProgram])
    /// An element of an array passes.
    case elements(ElementStage)
    /// The expression is true.
    case expression(ExpressionProgram)
    /// The table has a row for the event.
    case lookup(JoinStage)

    /// The rows among `selection` that pass.
    func evaluate(
        _ rows: EventRows,
        within selection: Bitmap,
        _ context: StageContext
    ) throws(QueryFailure) -> Bitmap {
        switch self {
        case .constant(let value):
            return value ? selection : Bitmap(repeating: false, count: rows.rowCount)
        case .and(let parts):
            var left = selection
            for part in parts where !left.isEmpty { left = try part.evaluate(rows, within: left, context) }
            return left
        case .or(let parts):
            return try Self.evaluateAny(parts, rows, within: selection, context)
        case .not(let part):
            var left = selection
            left.subtract(try part.evaluate(rows, within: selection, context))
            return left
        case .field(let name, let test):
            guard let column = try rows.column(name) else { return Bitmap(repeating: false, count: rows.rowCount) }
            return try column.rows(passing: test, within: selection)
        case .anyField(let test):
            return try Self.search(rows, for: test, within: selection)
        case .predicate(let predicate, let operands):
            return try RowFunctionCall.test(predicate, operands, rows, within: selection, context)
        case .elements(let stage):
            return try stage.eventsWithElement(rows, within: selection, context)
        case .lookup(let stage):
            var part = rows
            part.selection = selection
            var strict = stage
            strict.isStrict = true
            strict.rowLimit = 1
            return try strict.run(part, context).first?.selection ?? Bitmap(repeating: false, count: rows.rowCount)
        case .expression(let program):
            var result = try program.evaluate(rows, within: selection, context).truth(rowCount: rows.rowCount)
            result.formIntersection(selection)
            return result
        }
    }

    private static func evaluateAny(
        _ parts: [FilterNode],
        _ rows: EventRows,
        within selection: Bitmap,
        _ context: StageContext
    ) throws(QueryFailure) -> Bitmap {
        var found = Bitmap(repeating: false, count: rows.rowCount)
        var left = selection
        for part in parts where !left.isEmpty {
            let passed = try part.evaluate(rows, within: left, context)
            found.formUnion(passed)
            left.subtract(passed)
        }
        return found
    }

    /// Fields that free text does not look at, besides tags (5.1).
    private static let unsearchedFields: Set<String> = [
        "@id", "@timestamp", "@timestamp.nanos", "@ingesttimestamp", "@timezone",
    ]

    /// Whether free text looks at a field.
    static func isSearched(_ name: String) -> Bool {
        !name.hasPrefix("#") && !Self.unsearchedFields.contains(name)
    }

    /// Looks at each column of the events as they were stored, at one that has two names once.
    private static func search(
        _ rows: EventRows,
        for test: ValueTest,
        within selection: Bitmap
    ) throws(QueryFailure) -> Bitmap {
        var found = Bitmap(repeating: false, count: rows.rowCount)
        var left = selection
        var seen: Set<UnsafeRawPointer> = []
        let needle = test.search?.needle
        for name in rows.stored.fieldNames where Self.isSearched(name) && !left.isEmpty {
            if let needle, rows.stored.traits(of: name)?.mayHold(needle) == false { continue }
            for column in try Self.searchedColumns(name, of: rows.stored, for: test) where !left.isEmpty {
                if let area = column.area, !seen.insert(area).inserted { continue }
                let passed = try column.rows(passing: test, within: left)
                found.formUnion(passed)
                left.subtract(passed)
            }
        }
        return found
    }

    /// The columns in which free text looks for the values of a field.
    private static func searchedColumns(
        _ name: String,
        of batch: Batch,
        for test: ValueTest
    ) throws(QueryFailure) -> [Column] {
        do throws(DamagedBlock) {
            // A needle without JSON punctuation needs no document's text: it is in a value, which has a column, or in a
            // name, which is in the templates.
            if name == DocumentColumns.textName, case .contains(let needle) = test, !needle.hasJSONPunctuation,
                let document = try batch.storedDocumentText()
            {
                return [document.templates, document.own].compactMap(\.self)
            }
            return try batch.column(name).map { [$0] } ?? []
        } catch {
            throw .damaged("\(error)")
        }
    }

    /// How dear the filter is to evaluate, for the order in which the parts of a conjunction are.
    var cost: Int {
        switch self {
        case .constant: 0
        case .field(_, let test): test.cost
        case .expression: 6
        case .predicate, .elements, .lookup: 8
        case .anyField(let test): 10 + 5 * test.cost
        case .not(let part): part.cost
        case .and(let parts), .or(let parts): parts.reduce(0) { $0 + $1.cost }
        }
    }
}

extension ValueTest {
    var cost: Int {
        switch self {
        case .present, .equals, .oneOf: 1
        case .equalsNumber, .number: 2
        case .contains, .glob: 3
        case .regex: 5
        case .any(let tests): tests.reduce(0) { $0 + $1.cost }
        }
    }
}

extension Column {
    /// Where the texts lie, to recognise a column that has two names.
    fileprivate var area: UnsafeRawPointer? {
        switch self {
        case .plain(let column):
            column.values.bytes.count > 0 ? column.values.bytes.unsafeBytes.baseAddress : nil
        case .identifier(let column): column.bytes.unsafeBytes.baseAddress
        case .template(let column): UnsafeRawPointer(Unmanaged.passUnretained(column.texts).toOpaque())
        case .constant, .dictionary, .integer, .number, .prefixed, .reference: nil
        }
    }
}
