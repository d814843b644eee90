internal import LeatCore

extension Column {
    /// The rows among `selection` (or all) that have the field and whose value passes; each distinct value of a
    /// dictionary is tested once.
    func rows(passing test: ValueTest, within selection: Bitmap?) throws(QueryFailure) -> Bitmap {
        if case .present = test {
            var rows = self.presentRows
            if let selection { rows.formIntersection(selection) }
            return rows
        }
        let candidates = self.candidates(selection)
        switch self {
        case .constant(let column):
            let value = column.value
            let passes = try value.withUnsafeBytes { (bytes) throws(QueryFailure) in try test.passes(bytes) }
            return passes
                ? candidates ?? Bitmap(repeating: true, count: column.rowCount)
                : Bitmap(repeating: false, count: column.rowCount)
        case .dictionary(let column):
            return try column.rows(passing: test, within: candidates)
        case .integer(let column):
            return try column.rows(passing: test, within: candidates)
        case .plain(let column):
            return try column.rows(passing: test, within: candidates)
        case .number, .identifier, .prefixed, .reference, .template:
            if let rows = try self.rows(passingOnEncoding: test, within: candidates) { return rows }
            return try self.rows(passingAsText: test, within: candidates)
        }
    }

    /// Slow path: makes the texts and tests them.
    func rows(passingAsText test: ValueTest, within candidates: Bitmap?) throws(QueryFailure) -> Bitmap {
        guard let candidates, candidates.setCount * 8 < candidates.count else {
            return try self.strings.indexes(passing: test, within: candidates)
        }
        let rows = candidates.rows
        let passing = try self.strings(of: rows).indexes(passing: test, within: nil)
        var result = Bitmap(repeating: false, count: candidates.count)
        passing.forEachSet { result.set(Int(rows[$0])) }
        return result
    }

    /// The selected rows that have the field; `nil` means all.
    private func candidates(_ selection: Bitmap?) -> Bitmap? {
        guard var rows = selection else { return self.presence }
        if let presence = self.presence { rows.formIntersection(presence) }
        return rows.isFull ? nil : rows
    }
}

extension DictionaryColumn {
    fileprivate func rows(passing test: ValueTest, within candidates: Bitmap?) throws(QueryFailure) -> Bitmap {
        let passing = try self.values.indexes(passing: test, within: nil)
        if passing.isEmpty { return Bitmap(repeating: false, count: self.codes.count) }
        let codes = self.codes
        if passing.isFull { return candidates ?? Bitmap(repeating: true, count: codes.count) }
        return Bitmap(codes: codes, among: passing.rows.lazy.map { Int($0) }, within: candidates)
    }
}

extension IntegerColumn {
    fileprivate func rows(passing test: ValueTest, within candidates: Bitmap?) throws(QueryFailure) -> Bitmap {
        let values = self.values
        switch test {
        case .number(let comparator, let bound):
            return values.withUnsafeBufferPointer { values in
                Bitmap(within: candidates, count: values.count) {
                    ValueTest.holds(Double(values[$0]), comparator, bound)
                }
            }
        case .equalsNumber(_, let number):
            return Bitmap(within: candidates, count: values.count) { Double(values[$0]) == number }
        case .equals(let text):
            guard let wanted = text.withUnsafeBytes({ NumberText.canonicalInteger($0) }) else {
                return Bitmap(repeating: false, count: values.count)
            }
            return Bitmap(within: candidates, count: values.count) { values[$0] == wanted }
        default:
            if let needle = test.search?.needle, !Column.integer(self).traits.mayHold(needle) {
                return Bitmap(repeating: false, count: values.count)
            }
            return try Bitmap(within: candidates, count: values.count) { (row) throws(QueryFailure) in
                try NumberText.withDecimal(values[row]) { (text) throws(QueryFailure) in try test.passes(text) }
            }
        }
    }
}

extension PlainColumn {
    fileprivate func rows(passing test: ValueTest, within candidates: Bitmap?) throws(QueryFailure) -> Bitmap {
        try self.values.indexes(passing: test, within: candidates)
    }
}

extension ByteStrings {
    /// The strings among `selection` (or all) that pass.
    ///
    /// Texts that every passing string contains are looked for in the whole area at once, unless few strings are
    /// selected.
    func indexes(passing test: ValueTest, within selection: Bitmap?) throws(QueryFailure) -> Bitmap {
        let isSparse = selection.map { $0.setCount * 8 < self.count } ?? false
        if !isSparse, let search = test.search {
            let found = self.indexes(containing: search.needle, within: selection)
            if search.isExact || found.isEmpty { return found }
            return try self.indexes(passingEach: test, within: found)
        }
        return try self.indexes(passingEach: test, within: selection)
    }

    private func indexes(passingEach test: ValueTest, within selection: Bitmap?) throws(QueryFailure) -> Bitmap {
        guard case .regex(let regex) = test else {
            return try Bitmap(within: selection, count: self.count) { (index) throws(QueryFailure) in
                try test.passes(self[index])
            }
        }
        return try regex.withMatcher { (matcher) throws(QueryFailure) in
            try Bitmap(within: selection, count: self.count) { (index) throws(QueryFailure) in
                try regex.matches(self[index], matcher)
            }
        }
    }
}

extension ValueTest {
    /// A text that every passing value contains, and whether containing it is all that is asked.
    var search: (needle: Needle, isExact: Bool)? {
        switch self {
        case .contains(let needle): (needle, true)
        case .equals(let text): text.isEmpty ? nil : (Needle(text), false)
        case .glob(let glob):
            glob.needles.max { $0.bytes.count < $1.bytes.count }.map { ($0, false) }
        case .regex(let regex): regex.needle.map { ($0, false) }
        case .present, .oneOf, .equalsNumber, .number, .any: nil
        }
    }
}
