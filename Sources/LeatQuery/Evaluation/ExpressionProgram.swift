internal import LeatCore

/// An expression ready to be evaluated over batches.
indirect enum ExpressionProgram: Sendable {
    case null
    case literal([UInt8])
    case field(String)
    case unary(UnaryOperator, ExpressionProgram)
    case binary(BinaryOperator, ExpressionProgram, ExpressionProgram)
    /// The first declared output of a row function.
    case function(any RowFunction, operands: [OperandProgram])
    /// The value of the field that an expression names.
    case fieldNamed(ExpressionProgram)
    /// Whether a filter lets the event pass.
    case filter(FilterNode)
    case conditional(ExpressionProgram, then: ExpressionProgram, else: ExpressionProgram)
    /// The first with a value; an empty text counts as none if `ignoresEmpty`.
    case first([ExpressionProgram], ignoresEmpty: Bool)

    /// The values for the rows of `selection`; those of other rows are undefined.
    func evaluate(
        _ rows: EventRows,
        within selection: Bitmap,
        _ context: StageContext
    ) throws(QueryFailure) -> Vector {
        switch self {
        case .null: return .null
        case .literal(let text): return .literal(text, text.withUnsafeBytes { NumberText.parse($0) })
        case .field(let name): return try rows.column(name).map { .column($0) } ?? .null
        case .unary(let sign, let operand):
            return Self.apply(sign, try operand.evaluate(rows, within: selection, context), rows.rowCount)
        case .binary(let sign, let left, let right):
            return try Self.apply(
                sign,
                try left.evaluate(rows, within: selection, context),
                try right.evaluate(rows, within: selection, context),
                rows.rowCount,
                selection
            )
        case .function(let function, let operands):
            let outputs = try RowFunctionCall.apply(function, operands, rows, within: selection, context)
            return outputs.declared[0].map { .column($0) } ?? .null
        case .fieldNamed(let name):
            return try Self.values(ofFieldsNamedBy: name, rows, within: selection, context)
        case .filter(let node):
            return .booleans(try node.evaluate(rows, within: selection, context), nil)
        case .conditional(let condition, let then, let otherwise):
            var isTrue = try condition.evaluate(rows, within: selection, context).truth(rowCount: rows.rowCount)
            isTrue.formIntersection(selection)
            var isFalse = selection
            isFalse.subtract(isTrue)
            let first = isTrue.isEmpty ? .null : try then.evaluate(rows, within: isTrue, context)
            let second = isFalse.isEmpty ? .null : try otherwise.evaluate(rows, within: isFalse, context)
            return Self.merge([(isTrue, first), (isFalse, second)], rowCount: rows.rowCount)
        case .first(let programs, let ignoresEmpty):
            return try Self.first(of: programs, ignoresEmpty: ignoresEmpty, rows, within: selection, context)
        }
    }

    private static func first(
        of programs: [ExpressionProgram],
        ignoresEmpty: Bool,
        _ rows: EventRows,
        within selection: Bitmap,
        _ context: StageContext
    ) throws(QueryFailure) -> Vector {
        var left = selection
        var parts: [(rows: Bitmap, values: Vector)] = []
        for program in programs where !left.isEmpty {
            let values = try program.evaluate(rows, within: left, context)
            guard let column = values.column(rowCount: rows.rowCount) else { continue }
            var found = left
            if let presence = column.presence { found.formIntersection(presence) }
            if ignoresEmpty {
                found = Bitmap(within: found, count: rows.rowCount) { row in
                    column.withBytes(at: row) { !$0.isEmpty }
                }
            }
            parts.append((found, .column(column)))
            left.subtract(found)
        }
        return Self.merge(parts, rowCount: rows.rowCount)
    }

    private static func merge(_ parts: [(rows: Bitmap, values: Vector)], rowCount: Int) -> Vector {
        var result: Column?
        for part in parts where !part.rows.isEmpty {
            guard let column = part.values.column(rowCount: rowCount) else { continue }
            result = Column.merged(old: result, new: column, where: part.rows)
        }
        return result.map { .column($0) } ?? .null
    }

    private static func values(
        ofFieldsNamedBy name: ExpressionProgram,
        _ rows: EventRows,
        within selection: Bitmap,
        _ context: StageContext
    ) throws(QueryFailure) -> Vector {
        guard let names = try name.evaluate(rows, within: selection, context).column(rowCount: rows.rowCount) else {
            return .null
        }
        var rowsOfName: [[UInt8]: Bitmap] = [:]
        let empty = Bitmap(repeating: false, count: rows.rowCount)
        selection.forEachSet { row in
            if let name = names.bytes(at: row) { rowsOfName[name, default: empty].set(row) }
        }
        var parts: [(rows: Bitmap, values: Vector)] = []
        for (name, named) in rowsOfName {
            guard let column = try rows.column(String(decoding: name, as: UTF8.self)) else { continue }
            parts.append((named, .column(column)))
        }
        return Self.merge(parts, rowCount: rows.rowCount)
    }

    private static func apply(_ sign: UnaryOperator, _ operand: Vector, _ rowCount: Int) -> Vector {
        switch sign {
        case .minus:
            let (values, valid) = operand.numbers(rowCount: rowCount)
            if case .one(let value) = values, valid == nil { return .numberLiteral(-value) }
            return .numbers((0..<rowCount).map { -values[$0] }, valid)
        case .not:
            if case .booleans(var rows, let valid) = operand {
                rows.invert()
                return .booleans(rows, valid)
            }
            guard let column = operand.column(rowCount: rowCount) else { return .null }
            var valid = Bitmap(repeating: false, count: rowCount)
            let isFalse = Bitmap(within: column.presence, count: rowCount) { row in
                guard let isTrue = column.withBytes(at: row, { Vector.isTrue($0) }) else { return false }
                valid.set(row)
                return !isTrue
            }
            return .booleans(isFalse, valid)
        }
    }
}

extension Vector {
    static func numberLiteral(_ value: Double) -> Vector {
        var text: [UInt8] = []
        NumberText.append(value, to: &text)
        return .literal(text, value)
    }
}
