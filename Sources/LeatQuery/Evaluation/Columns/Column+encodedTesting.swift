internal import LeatCore

extension Column {
    /// The rows among `candidates` (`nil`: all), which have the field, that pass, without making their texts; `nil` when
    /// the texts are needed.
    func rows(
        passingOnEncoding test: ValueTest,
        within candidates: Bitmap?
    ) throws(QueryFailure) -> Bitmap? {
        switch test {
        case .present: return candidates ?? Bitmap(repeating: true, count: self.rowCount)
        case .equals(let text):
            if let found = text.withUnsafeBytes({ self.rows(equalTo: $0, within: candidates) }) { return found }
        case .equalsNumber(let text, let number):
            guard case .number(let column) = self else { return nil }
            if column.form.scale != nil { return column.rows(where: .equal, number, within: candidates) }
            return text.withUnsafeBytes { self.rows(equalTo: $0, within: candidates) }
        case .number(let comparator, let bound):
            if case .number(let column) = self { return column.rows(where: comparator, bound, within: candidates) }
            return nil
        case .any(let tests):
            var found = Bitmap(repeating: false, count: self.rowCount)
            for test in tests { found.formUnion(try self.rows(passing: test, within: candidates)) }
            return found
        case .contains, .oneOf, .glob, .regex: break
        }
        guard let pool = AutomatonPool.pool(for: test) else { return nil }
        var matches = pool.withAutomaton { self.rows(passing: $0, within: candidates) }
        if let uncertain = matches.uncertain {
            matches.passing.formUnion(try self.rows(passingAsText: test, within: uncertain))
        }
        return matches.passing
    }

    /// The rows whose text is `text`, by its value; `nil` when texts must be compared.
    private func rows(equalTo text: UnsafeRawBufferPointer, within candidates: Bitmap?) -> Bitmap? {
        let none = Bitmap(repeating: false, count: self.rowCount)
        switch self {
        case .number(let column):
            guard let wanted = column.form.value(of: text) else { return none }
            let numbers = column.numbers
            return numbers.bounds.contains(wanted)
                ? Bitmap(within: candidates, count: numbers.count) { numbers[$0] == wanted } : none
        case .identifier(let column):
            return column.value(of: text).map { column.rows(storedAs: $0, within: candidates) } ?? none
        case .prefixed(let column):
            let prefix = column.prefix.unsafeBytes
            guard text.count >= prefix.count, text.slice(0..<prefix.count).isEqual(to: prefix) else { return none }
            let rest = text.slice(prefix.count..<text.count)
            if case .integer(let integers) = column.rest {
                guard let wanted = NumberText.canonicalInteger(rest) else { return none }
                return Bitmap(within: candidates, count: integers.values.count) { integers.values[$0] == wanted }
            }
            return column.rest.rows(equalTo: rest, within: candidates)
        case .reference(let column):
            guard column.rows == nil, column.droppedByteCount == 0 else { return nil }
            return column.target.rows(equalTo: text, within: candidates)
        case .constant, .dictionary, .integer, .plain, .template: return nil
        }
    }
}

extension NumberColumn {
    /// The rows whose number is in a relation to another one; none if the texts are no numbers.
    fileprivate func rows(
        where comparator: Comparison.Operator,
        _ bound: Double,
        within candidates: Bitmap?
    ) -> Bitmap {
        let count = self.numbers.count
        guard let scale = self.form.scale, !bound.isNaN else { return Bitmap(repeating: false, count: count) }
        // The value of a text grows with its number, so that two numbers divide all.
        let bounds = self.numbers.bounds
        let atLeast = Self.firstNumber(in: bounds) { NumberText.value($0, scale: scale) >= bound }
        let above = Self.firstNumber(in: bounds) { NumberText.value($0, scale: scale) > bound }
        switch comparator {
        case .less: return self.rows(from: nil, to: atLeast, within: candidates)
        case .lessOrEqual: return self.rows(from: nil, to: above, within: candidates)
        case .greater: return above.map { self.rows(from: $0, to: nil, within: candidates) } ?? self.noRows
        case .greaterOrEqual: return atLeast.map { self.rows(from: $0, to: nil, within: candidates) } ?? self.noRows
        case .equal, .like:
            return atLeast.map { self.rows(from: $0, to: above, within: candidates) } ?? self.noRows
        case .notEqual:
            var rows = candidates ?? Bitmap(repeating: true, count: count)
            if let atLeast { rows.subtract(self.rows(from: atLeast, to: above, within: candidates)) }
            return rows
        }
    }

    private var noRows: Bitmap { Bitmap(repeating: false, count: self.numbers.count) }

    /// The rows whose number is at least `first` and below `end`, as far as there are these.
    private func rows(from first: Int64?, to end: Int64?, within candidates: Bitmap?) -> Bitmap {
        let values = self.values
        let least = first ?? .min
        return values.withUnsafeBufferPointer { values in
            guard let end else { return Bitmap(within: candidates, count: values.count) { values[$0] >= least } }
            return Bitmap(within: candidates, count: values.count) { values[$0] >= least && values[$0] < end }
        }
    }

    /// The least number within `bounds` that passes a test which all greater ones pass, too; `nil` when none does.
    private static func firstNumber(in bounds: ClosedRange<Int64>, where passes: (Int64) -> Bool) -> Int64? {
        guard passes(bounds.upperBound) else { return nil }
        var least = bounds.lowerBound
        var most = bounds.upperBound
        while least < most {
            let middle = least &+ Int64(truncatingIfNeeded: UInt64(bitPattern: most &- least) / 2)
            if passes(middle) { most = middle } else { least = middle &+ 1 }
        }
        return most
    }
}

extension IdentifierColumn {
    /// The rows that are stored as these bytes, found in one pass over all.
    fileprivate func rows(storedAs value: [UInt8], within candidates: Bitmap?) -> Bitmap {
        var result = Bitmap(repeating: false, count: self.rowCount)
        value.withUnsafeBytes { value in
            var position = 0
            while let found = ByteSearch.find(value, in: self.bytes.unsafeBytes, from: position) {
                position = found + 1
                guard found % self.width == 0 else { continue }
                let row = self.row(ofValue: found / self.width)
                if candidates?[row] ?? true { result.set(row) }
            }
        }
        return result
    }
}
