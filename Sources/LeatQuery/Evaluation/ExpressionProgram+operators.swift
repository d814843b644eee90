internal import Glibc
internal import LeatCore

extension ExpressionProgram {
    /// The operators of section 8.2, for all rows at once.
    static func apply(
        _ sign: BinaryOperator,
        _ left: Vector,
        _ right: Vector,
        _ rowCount: Int,
        _ selection: Bitmap
    ) throws(QueryFailure) -> Vector {
        switch sign {
        case .add, .subtract, .multiply, .divide, .remainder:
            return Self.arithmetic(sign, left, right, rowCount)
        case .less, .lessOrEqual, .greater, .greaterOrEqual:
            return Self.order(sign, left, right, rowCount)
        case .equal: return Self.equality(left, right, rowCount, selection, isNegated: false)
        case .notEqual: return Self.equality(left, right, rowCount, selection, isNegated: true)
        case .link: throw .unanswerable("'<=>' has a meaning only within correlate()")
        }
    }

    private static func compute(_ sign: BinaryOperator, _ left: Double, _ right: Double) -> Double {
        switch sign {
        case .add: left + right
        case .subtract: left - right
        case .multiply: left * right
        case .divide: left / right
        default: fmod(left, right)
        }
    }

    /// Numbers give a number, everything else nothing; division by zero gives nothing ([M]).
    private static func arithmetic(_ sign: BinaryOperator, _ left: Vector, _ right: Vector, _ rowCount: Int) -> Vector {
        let (first, firstValid) = left.numbers(rowCount: rowCount)
        let (second, secondValid) = right.numbers(rowCount: rowCount)
        var valid = Bitmap.intersection(firstValid, secondValid)
        if case .one(let one) = first, case .one(let other) = second, valid == nil {
            let value = Self.compute(sign, one, other)
            return value.isFinite ? .numberLiteral(value) : .null
        }
        var values = [Double](repeating: 0, count: rowCount)
        var isFinite = true
        for row in 0..<rowCount {
            let value = Self.compute(sign, first[row], second[row])
            values[row] = value
            isFinite = isFinite && value.isFinite
        }
        if !isFinite {
            valid = Bitmap(within: valid, count: rowCount) { values[$0].isFinite }
        }
        return .numbers(values, valid)
    }

    private static func order(_ sign: BinaryOperator, _ left: Vector, _ right: Vector, _ rowCount: Int) -> Vector {
        let (first, firstValid) = left.numbers(rowCount: rowCount)
        let (second, secondValid) = right.numbers(rowCount: rowCount)
        let valid = Bitmap.intersection(firstValid, secondValid)
        let comparator = Comparison.Operator(rawValue: sign.rawValue) ?? .equal
        let rows = Bitmap(within: valid, count: rowCount) {
            ValueTest.holds(first[$0], comparator, second[$0])
        }
        return .booleans(rows, valid)
    }

    /// Both numbers: compared as numbers; both texts: byte by byte; one of each: different.
    private static func equality(
        _ left: Vector,
        _ right: Vector,
        _ rowCount: Int,
        _ selection: Bitmap,
        isNegated: Bool
    ) -> Vector {
        let valid = Bitmap.intersection(left.valid(rowCount: rowCount), right.valid(rowCount: rowCount))
        var rows: Bitmap
        if case .column(let column) = left, case .literal(let text, let number) = right,
            let found = Self.rows(of: column, equalTo: text, number)
        {
            rows = found
        } else {
            let (first, firstValid) = left.numbers(rowCount: rowCount)
            let (second, secondValid) = right.numbers(rowCount: rowCount)
            let candidates = Bitmap.intersection(valid, selection)
            let (one, other) = (left.column(rowCount: rowCount), right.column(rowCount: rowCount))
            rows = Bitmap(within: candidates, count: rowCount) { row in
                let isNumber = (firstValid?[row] ?? true, secondValid?[row] ?? true)
                if isNumber == (true, true) { return first[row] == second[row] }
                if isNumber.0 != isNumber.1 { return false }
                guard let one, let other else { return false }
                return one.withBytes(at: row) { left in other.withBytes(at: row) { left.isEqual(to: $0) } }
            }
        }
        if isNegated { rows.invert() }
        return .booleans(rows, valid)
    }

    /// The comparison with a constant, once per distinct value.
    private static func rows(of column: Column, equalTo text: [UInt8], _ number: Double?) -> Bitmap? {
        let test: ValueTest =
            if let number { .equalsNumber(text, number) } else { .equals(text) }
        do throws(QueryFailure) {
            return try column.rows(passing: test, within: nil)
        } catch {
            return nil
        }
    }
}
