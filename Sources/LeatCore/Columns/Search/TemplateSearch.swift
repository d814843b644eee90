/// Finds the rows of a template column that an automaton lets pass.
///
/// Each template is decided first: the automaton runs over its parts, and over its slots as over any text with the
/// slot's bytes and lengths. Where all ends agree no row is looked at. Otherwise the automaton runs column by column
/// over the values of those slots that matter, from the states in which it is before them.
struct TemplateSearch {
    /// Fewer candidates are put together and looked at one by one.
    static let sparseRowCountMax = 256

    private let texts: TemplateTexts
    private let automaton: TextAutomaton
    private var slots: SlotEnds
    /// Where a needle is that every passing text has.
    private var needle: NeedleInTemplates?
    /// Per column that was searched for a needle the values that contain it.
    private var valuesWithNeedle: [Int: Bitmap?] = [:]

    init(_ texts: TemplateTexts, _ automaton: TextAutomaton) {
        self.texts = texts
        self.automaton = automaton
        self.slots = SlotEnds(automaton)
        self.needle = NeedleInTemplates(automaton, in: texts)
    }

    /// What is known of the rows of a template.
    private enum Verdict: Equatable {
        case all(Bool)
        case uncertain
        /// The rows pass whose value in one of these columns has the needle.
        case values([Int])
        /// Values matter from this slot on, before which the automaton is in this state; of rows that have what a passing
        /// text must have in the value of one of some columns, or of all.
        case read(slot: Int, TextAutomaton.State, having: [Int]? = nil)
    }

    /// The rows among `candidates` that pass.
    mutating func rows(within candidates: Bitmap?) -> RowMatches {
        let texts = self.texts
        let areThere = self.codesOf(candidates)
        let verdicts = texts.templates.indices.map { index in
            areThere?[index + 1] ?? true ? self.verdict(on: texts.templates[index]) : .all(false)
        }
        var result = RowMatches(passing: self.rows(within: candidates, where: verdicts, are: .all(true)))
        if verdicts.contains(.uncertain) {
            result.uncertain = self.rows(within: candidates, where: verdicts, are: .uncertain)
        }
        for (index, verdict) in verdicts.enumerated() {
            switch verdict {
            case .all, .uncertain: break
            case .values(let columns): self.take(code: index + 1, columns, within: candidates, into: &result)
            case .read(let slot, let state, let columns):
                let rows = self.rows(of: index + 1, having: columns, within: candidates)
                self.read(rows, of: texts.templates[index], from: slot, state, into: &result)
            }
        }
        if texts.whole.count > 0 { self.searchWhole(within: candidates, into: &result) }
        return result
    }

    /// The rows whose template has a verdict.
    private func rows(within candidates: Bitmap?, where verdicts: [Verdict], are wanted: Verdict) -> Bitmap {
        let codes = self.texts.codes
        guard verdicts.contains(wanted) else { return Bitmap(repeating: false, count: codes.count) }
        return Bitmap(
            codes: codes,
            among: verdicts.indices.lazy.filter { verdicts[$0] == wanted }.map { $0 + 1 },
            within: candidates
        )
    }

    /// Per code whether some candidate has it; `nil` when most do.
    private func codesOf(_ candidates: Bitmap?) -> [Bool]? {
        guard let candidates, candidates.setCount * 2 < candidates.count else { return nil }
        var areThere = [Bool](repeating: false, count: Int(UInt16.max) + 1)
        let codes = self.texts.codes
        candidates.forEachSet { areThere[Int(codes[$0])] = true }
        return areThere
    }

    private func searchWhole(within candidates: Bitmap?, into result: inout RowMatches) {
        let rows = self.texts.places.rows(of: 0)
        let found = self.texts.whole.strings(passing: self.automaton, within: nil)
        found.passing.forEachSet { index in
            let row = Int(rows[rows.startIndex + index])
            if candidates?[row] ?? true { result.passing.set(row) }
        }
        found.uncertain?.forEachSet { index in
            let row = Int(rows[rows.startIndex + index])
            if candidates?[row] ?? true { result.note(uncertain: row) }
        }
    }

    // MARK: deciding templates

    private mutating func verdict(on template: TemplateTexts.Template) -> Verdict {
        // A needle that is not there decides for any test that asks for it, one that is there for the search for it.
        let isExact = self.automaton.program.needle != nil
        switch self.needle?.verdict(on: template) {
        case .all(false): return .all(false)
        case .all(true) where isExact: return .all(true)
        case .values(let columns) where isExact: return .values(columns)
        case .all(true) where self.isMatch(inPartOf: template): return .all(true)
        case .values(let columns):
            let verdict = self.verdictOfAutomaton(on: template)
            guard case .read(let slot, let state, _) = verdict else { return verdict }
            return .read(slot: slot, state, having: columns)
        case .all, .unknown, nil: return self.verdictOfAutomaton(on: template)
        }
    }

    /// Whether a part with the needle holds a whole match, whatever is around it.
    private func isMatch(inPartOf template: TemplateTexts.Template) -> Bool {
        guard let needle = self.needle else { return false }
        return (template.firstPart...template.firstPart + template.slotCount).contains { part in
            needle.isFound(inPart: part)
                && self.automaton.run(self.automaton.idle, self.texts.parts[part]) == TextAutomaton.accepted
        }
    }

    private mutating func verdictOfAutomaton(on template: TemplateTexts.Template) -> Verdict {
        let automaton = self.automaton
        var states: [TextAutomaton.State]? = [automaton.run(automaton.start, self.texts.parts[template.firstPart])]
        var known = (slot: 0, state: automaton.start)
        for slot in 0..<template.slotCount {
            if let entries = states, entries.count == 1 {
                if TextAutomaton.isFinal(entries[0]) { break }
                known = (slot, entries[0])
            }
            let column = Int(self.texts.slots[template.firstSlot + slot])
            states = states.flatMap { self.exits(from: $0, column: column) }
            states = self.slots.ends(of: self.texts.parts[template.firstPart + slot + 1], from: states)
        }
        guard let ends = states else { return .read(slot: known.slot, known.state) }
        if ends == [TextAutomaton.uncertain] { return .uncertain }
        if ends.allSatisfy({ $0 != TextAutomaton.uncertain && !automaton.passes($0) }) { return .all(false) }
        if ends.allSatisfy({ $0 != TextAutomaton.uncertain && automaton.passes($0) }) { return .all(true) }
        return .read(slot: known.slot, known.state)
    }

    /// The states behind a slot.
    private mutating func exits(from states: [TextAutomaton.State], column: Int) -> [TextAutomaton.State]? {
        let traits = self.texts.columnTraits[column]
        let ends = self.slots.ends(of: self.texts.columns[column], traits, from: states)
        // What holds no needle does not accept.
        guard let ends, ends.count > 1, states == [self.automaton.start], ends.contains(TextAutomaton.accepted),
            let found = self.values(withNeedleIn: column), found.isEmpty
        else { return ends }
        return ends.filter { $0 != TextAutomaton.accepted }
    }

    /// The values of a column that contain the needle, found in one pass; `nil` when there is no needle, or no such way.
    private mutating func values(withNeedleIn column: Int) -> Bitmap? {
        guard let needle = self.automaton.program.needle else { return nil }
        if let known = self.valuesWithNeedle[column] { return known }
        let found = self.values(of: self.texts.columns[column], with: needle)
        self.valuesWithNeedle[column] = .some(found)
        return found
    }

    private func values(of column: Column, with needle: Needle) -> Bitmap? {
        switch column {
        case .identifier(let identifiers): return identifiers.rows(containing: needle, within: nil)
        case .plain(let plain): return plain.values.indexes(containing: needle, within: nil)
        case .template(let template):
            var search = TemplateSearch(template.texts, self.automaton)
            let matches = search.rows(within: nil)
            return matches.uncertain == nil ? matches.passing : nil
        case .reference(let reference):
            guard reference.droppedByteCount == 0, let found = self.values(of: reference.target, with: needle) else {
                return nil
            }
            if found.isEmpty { return Bitmap(repeating: false, count: reference.rowCount) }
            return Bitmap(count: reference.rowCount) { found[reference.row($0)] }
        case .constant, .dictionary, .integer, .number, .prefixed: return nil
        }
    }

    // MARK: reading values

    /// Takes the rows of a template whose value in one of some columns has the needle.
    private func take(code: Int, _ columns: [Int], within candidates: Bitmap?, into result: inout RowMatches) {
        for row in self.rows(of: code, having: columns, within: candidates) { result.passing.set(row) }
    }

    /// The rows of a template; with `columns` those whose value in one of these has the needle.
    private func rows(of code: Int, having columns: [Int]?, within candidates: Bitmap?) -> [Int] {
        let places = self.texts.places
        var rows = [Int](places.rows(of: code).lazy.map { Int($0) })
        if let candidates { rows.removeAll { !candidates[$0] } }
        guard let columns, let needle = self.needle else { return rows }
        let tests = columns.map { (column: $0, isFound: needle.valueTest(of: $0)) }
        rows.removeAll { row in
            !tests.contains { test in test.isFound(places.value(of: test.column, row: row)) }
        }
        return rows
    }

    /// Runs over the values of some rows of a template.
    private mutating func read(
        _ rows: [Int],
        of template: TemplateTexts.Template,
        from firstSlot: Int,
        _ state: TextAutomaton.State,
        into result: inout RowMatches
    ) {
        guard !rows.isEmpty else { return }
        let places = self.texts.places
        var run = RunOverRows(self.automaton, state: state, rowCount: rows.count)
        for slot in firstSlot..<template.slotCount {
            let column = Int(self.texts.slots[template.firstSlot + slot])
            run.pass(
                over: self.texts.columns[column],
                withNeedle: run.hasSeenNothing ? self.values(withNeedleIn: column) : nil,
                at: { places.value(of: column, row: rows[$0]) },
                followedBy: self.texts.parts[template.firstPart + slot + 1],
                isLast: slot == template.slotCount - 1
            )
        }
        for (index, row) in rows.enumerated() {
            let state = run.state(of: index)
            if state == TextAutomaton.uncertain {
                result.note(uncertain: row)
            } else if self.automaton.passes(state) {
                result.passing.set(row)
            }
        }
    }
}

extension RowMatches {
    mutating func note(uncertain row: Int) {
        if self.uncertain == nil { self.uncertain = Bitmap(repeating: false, count: self.passing.count) }
        self.uncertain?.set(row)
    }
}
