internal import LeatCore

/// A regular expression that filters and extracts: `/…/`, `field=/…/` or `regex()` as a step of its own.
struct RegexStage: Stage {
    let regex: RegexTest
    /// Where it is looked for; `nil`: in any searched field of the stored event, in `@rawstring` first.
    let field: String?
    /// Whether every match gives an event, at most `limit`.
    var repeats = false
    var limit = 100
    /// Whether rows without a match go.
    var isStrict = true

    func columns(after columns: [String]?) -> [String]? { columns?.adding(self.regex.fieldNames) }

    func run(_ rows: EventRows, _ context: StageContext) throws(QueryFailure) -> [EventRows] {
        guard let field = self.field else { return [try self.searchAll(rows, context)] }
        guard let column = try rows.column(field) else {
            if self.isStrict { return [] }
            return [rows]
        }
        if self.repeats { return try self.repeated(rows, column) }
        var result = rows
        try self.extract(from: column, &result, within: rows.selection)
        return [result]
    }

    /// Keeps the rows with a match in some field; the field that matches first gives the groups.
    private func searchAll(_ rows: EventRows, _ context: StageContext) throws(QueryFailure) -> EventRows {
        var result = rows
        guard !self.regex.fieldNames.isEmpty else {
            let found = try FilterNode.anyField(.regex(self.regex)).evaluate(rows, within: rows.selection, context)
            if self.isStrict { result.selection = found }
            return result
        }
        var found = Bitmap(repeating: false, count: rows.rowCount)
        var left = rows.selection
        let names = rows.stored.fieldNames.filter { FilterNode.isSearched($0) }
        for name in names.filter({ $0 == "@rawstring" }) + names.filter({ $0 != "@rawstring" }) where !left.isEmpty {
            let column: Column?
            do throws(DamagedBlock) { column = try rows.stored.column(name) } catch { throw .damaged("\(error)") }
            guard let column else { continue }
            let matched = try self.writeGroups(of: column, to: &result, within: left)
            found.formUnion(matched)
            left.subtract(matched)
        }
        if self.isStrict { result.selection = found }
        return result
    }

    private func extract(
        from column: Column,
        _ rows: inout EventRows,
        within selection: Bitmap
    ) throws(QueryFailure) {
        if self.regex.fieldNames.isEmpty {
            let matched = try column.rows(passing: .regex(self.regex), within: selection)
            if self.isStrict { rows.selection = matched }
            return
        }
        let matched = try self.writeGroups(of: column, to: &rows, within: selection)
        if self.isStrict { rows.selection = matched }
    }

    /// Writes the groups of the first match of each row, once per distinct text, and returns the rows with a match.
    ///
    /// A text that every match contains is looked for first; what has it is matched once.
    private func writeGroups(
        of column: Column,
        to rows: inout EventRows,
        within selection: Bitmap
    ) throws(QueryFailure) -> Bitmap {
        let test: ValueTest = self.regex.needle.map { .contains($0) } ?? .present
        let candidates = try column.rows(passing: test, within: selection)
        if candidates.isEmpty { return candidates }
        let domain = RowDomain(columns: [column], selection: candidates)
        let texts = PickedTexts(column, rows: domain.rows)
        var isMatch = [Bool](repeating: false, count: domain.rows.count)
        let names = self.regex.fieldNames
        var values = names.map { _ in PartialColumn() }
        let targets = self.regex.pattern.groups.map { group in
            (number: group.number, value: names.firstIndex(of: group.name) ?? 0)
        }
        try self.regex.withMatcher { (matcher) throws(QueryFailure) in
            for index in domain.rows.indices {
                guard let value = texts.pointer(index, row: Int(domain.rows[index])) else { continue }
                try self.regex.check()
                switch matcher.match(value) {
                case .match:
                    isMatch[index] = true
                    for target in targets {
                        guard let range = matcher.range(ofGroup: target.number) else { continue }
                        values[target.value].set(value.slice(range), at: index)
                    }
                case .noMatch: break
                case .tooExpensive: throw self.regex.failure
                }
            }
        }
        let matched = Bitmap(within: candidates, count: rows.rowCount) { isMatch[domain.index(of: $0)] }
        for (name, column) in zip(names, values) where !column.isEmpty {
            try rows.write(domain.expanded(column, rowCount: rows.rowCount), to: name, at: matched)
        }
        return matched
    }

    /// One row per match.
    private func repeated(_ rows: EventRows, _ column: Column) throws(QueryFailure) -> [EventRows] {
        let text = column.addressable
        let names = self.regex.fieldNames
        var picked: [Int32] = []
        var found: [[UInt8]?] = []
        try self.regex.withMatcher { (matcher) throws(QueryFailure) in
            for row in rows.selection.rows {
                var count = 0
                var position = 0
                let value = text.pointer(at: Int(row))
                while let value, count < self.limit, position <= value.count {
                    try self.regex.check()
                    let outcome = matcher.match(value, from: position)
                    if outcome == .tooExpensive { throw self.regex.failure }
                    guard case .match(let range) = outcome else { break }
                    picked.append(row)
                    found += names.map { name in
                        matcher.pattern.groups.lazy.filter { $0.name == name }
                            .compactMap { matcher.range(ofGroup: $0.number) }.first.map { Array(value.slice($0)) }
                    }
                    count += 1
                    position = range.upperBound > range.lowerBound ? range.upperBound : range.upperBound + 1
                }
                if count == 0 && !self.isStrict {
                    picked.append(row)
                    found += names.map { _ in nil }
                }
            }
        }
        return try self.batches(rows, picked, found, names)
    }

    private func batches(
        _ rows: EventRows,
        _ picked: [Int32],
        _ found: [[UInt8]?],
        _ names: [String]
    ) throws(QueryFailure) -> [EventRows] {
        var result: [EventRows] = []
        var start = 0
        for var part in rows.pickedBatches(picked) {
            for (number, name) in names.enumerated() {
                var values = PartialColumn()
                for row in 0..<part.rowCount {
                    if let value = found[(start + row) * names.count + number] { values.set(value, at: row) }
                }
                let (strings, presence) = values.finish(count: part.rowCount)
                try part.write(
                    .plain(PlainColumn(values: strings, presence: presence)),
                    to: name,
                    at: part.selection
                )
            }
            start += part.rowCount
            result.append(part)
        }
        return result
    }
}
