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
        _ = try self.writeGroups(of: column, to: &rows, within: selection, keepsOnlyMatched: self.isStrict)
    }

    /// Writes the groups of the first match of each row, once per distinct text, and returns the rows with a match.
    private func writeGroups(
        of column: Column,
        to rows: inout EventRows,
        within selection: Bitmap,
        keepsOnlyMatched: Bool = false
    ) throws(QueryFailure) -> Bitmap {
        var groups = MatchedGroups(of: self.regex.pattern, rowCount: rows.rowCount)
        if try !self.matchPieces(of: column, within: selection, &groups) {
            try self.matchTexts(of: column, within: selection, &groups)
        }
        let matched = groups.matched
        if keepsOnlyMatched { rows.selection = matched }
        for (name, column) in groups.finish() { try rows.write(column, to: name, at: matched) }
        return matched
    }

    /// Fast path: texts kept as templates are matched in the pieces of them where a match can be.
    ///
    /// - Returns: Whether it applied; if not, nothing was matched.
    private func matchPieces(
        of column: Column,
        within selection: Bitmap,
        _ groups: inout MatchedGroups
    ) throws(QueryFailure) -> Bool {
        guard let (texts, presence) = column.wholeTemplates, let automata = self.regex.automata else { return false }
        var candidates = Bitmap.intersection(selection, presence) ?? selection
        if let needle = self.regex.needle, candidates.setCount * 4 > candidates.count {
            // Most templates are refused faster for the lack of the needle.
            candidates = try column.rows(passing: .contains(needle), within: candidates)
        }
        return try automata.withAutomaton { (automaton) throws(QueryFailure) -> Bool in
            guard var windows = MatchWindows(texts, automaton) else { return false }
            try self.regex.withMatcher { (matcher) throws(QueryFailure) in
                try windows.visit(within: candidates) { (piece, goesOn, rows) throws(QueryFailure) -> Bool in
                    try self.regex.check()
                    guard let outcome = goesOn ? matcher.match(beginning: piece) : matcher.match(piece) else {
                        return false
                    }
                    try self.note(outcome, matcher, piece, rows, &groups)
                    return true
                }
            }
            return true
        }
    }

    /// Slow path: whole texts.
    ///
    /// A text that every match contains is looked for first; what has it is matched once.
    private func matchTexts(
        of column: Column,
        within selection: Bitmap,
        _ groups: inout MatchedGroups
    ) throws(QueryFailure) {
        let test: ValueTest = self.regex.needle.map { .contains($0) } ?? .present
        let candidates = try column.rows(passing: test, within: selection)
        if candidates.isEmpty { return }
        let domain = RowDomain(columns: [column], selection: candidates)
        let texts = PickedTexts(column, rows: domain.rows)
        let (rows, starts) = domain.rowsByIndex(within: candidates)
        try self.regex.withMatcher { (matcher) throws(QueryFailure) in
            for index in domain.rows.indices {
                guard let value = texts.pointer(index, row: Int(domain.rows[index])) else { continue }
                try self.regex.check()
                try self.note(matcher.match(value), matcher, value, rows[starts[index]..<starts[index + 1]], &groups)
            }
        }
    }

    /// Notes what was found in a text that some rows share.
    @inline(__always)
    private func note(
        _ outcome: PatternMatcher.Outcome,
        _ matcher: PatternMatcher,
        _ text: UnsafeRawBufferPointer,
        _ rows: ArraySlice<UInt16>,
        _ groups: inout MatchedGroups
    ) throws(QueryFailure) {
        switch outcome {
        case .match: groups.add(matcher, text, rows)
        case .noMatch: break
        case .tooExpensive: throw self.regex.failure
        }
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
