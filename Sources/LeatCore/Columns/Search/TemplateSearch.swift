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
    /// Classes of the automaton by the bytes of a slot; most slots share a few.
    private var classesOfBytes: [ByteSet: [UInt8]] = [:]

    init(_ texts: TemplateTexts, _ automaton: TextAutomaton) {
        self.texts = texts
        self.automaton = automaton
    }

    /// What is known of the rows of a template.
    private enum Verdict: Equatable {
        case all(Bool)
        case uncertain
        /// Values matter from this slot on, before which the automaton is in this state.
        case read(slot: Int, TextAutomaton.State)
    }

    /// The rows among `candidates` that pass.
    mutating func rows(within candidates: Bitmap?) -> RowMatches {
        let texts = self.texts
        let verdicts = texts.templates.map { self.verdict(on: $0) }
        var result = RowMatches(passing: self.rows(within: candidates, where: verdicts, are: .all(true)))
        if verdicts.contains(.uncertain) {
            result.uncertain = self.rows(within: candidates, where: verdicts, are: .uncertain)
        }
        for (index, verdict) in verdicts.enumerated() {
            guard case .read(let slot, let state) = verdict else { continue }
            self.read(code: index + 1, from: slot, state, within: candidates, into: &result)
        }
        if texts.whole.count > 0 { self.searchWhole(within: candidates, into: &result) }
        return result
    }

    /// The rows whose template has a verdict.
    private func rows(within candidates: Bitmap?, where verdicts: [Verdict], are wanted: Verdict) -> Bitmap {
        let codes = self.texts.codes
        guard verdicts.contains(wanted) else { return Bitmap(repeating: false, count: codes.count) }
        var isWanted = [UInt8](repeating: 0, count: Int(UInt16.max) + 1)
        for (index, verdict) in verdicts.enumerated() where verdict == wanted { isWanted[index + 1] = 1 }
        return isWanted.withUnsafeBufferPointer { isWanted in
            codes.withUnsafeBufferPointer { codes in
                Bitmap(within: candidates, count: codes.count) { isWanted[Int(codes[$0])] != 0 }
            }
        }
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
        let automaton = self.automaton
        var states: [TextAutomaton.State]? = [automaton.run(automaton.start, self.texts.parts[template.firstPart])]
        var known = (slot: 0, state: automaton.start)
        for slot in 0..<template.slotCount {
            if let entries = states, entries.count == 1 {
                if TextAutomaton.isFinal(entries[0]) { break }
                known = (slot, entries[0])
            }
            let column = Int(self.texts.slots[template.firstSlot + slot])
            let part = self.texts.parts[template.firstPart + slot + 1]
            states = states.flatMap { self.exits(from: $0, column: column) }?.reduce(into: []) { result, state in
                let next = automaton.run(state, part)
                if !result.contains(next) { result.append(next) }
            }
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
        let classes: [UInt8]
        if let known = self.classesOfBytes[traits.bytes] {
            classes = known
        } else {
            classes = self.automaton.classes(of: traits.bytes)
            self.classesOfBytes[traits.bytes] = classes
        }
        return self.automaton.reached(from: states, lengths: traits.lengths, classes)
    }

    // MARK: reading values

    /// Runs over the values of the rows of a template.
    private mutating func read(
        code: Int,
        from firstSlot: Int,
        _ state: TextAutomaton.State,
        within candidates: Bitmap?,
        into result: inout RowMatches
    ) {
        let places = self.texts.places
        var rows = [Int](places.rows(of: code).lazy.map { Int($0) })
        if let candidates { rows.removeAll { !candidates[$0] } }
        guard !rows.isEmpty else { return }
        let template = self.texts.templates[code - 1]
        var run = RunOverRows(self.automaton, state: state, rowCount: rows.count)
        for slot in firstSlot..<template.slotCount {
            let column = Int(self.texts.slots[template.firstSlot + slot])
            run.pass(
                over: self.texts.columns[column],
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

/// The states of an automaton in many texts at once, which go through the same slots.
struct RunOverRows {
    private let automaton: TextAutomaton
    private let rowCount: Int
    /// The state of all, if it is the same.
    private var common: TextAutomaton.State?
    private var states: [TextAutomaton.State] = []

    init(_ automaton: TextAutomaton, state: TextAutomaton.State, rowCount: Int) {
        self.automaton = automaton
        self.common = state
        self.rowCount = rowCount
    }

    func state(of index: Int) -> TextAutomaton.State { self.common ?? self.states[index] }

    /// Goes over a value of a column, another one for each row, and then over a text that is the same for all.
    mutating func pass(
        over column: Column,
        at value: (Int) -> Int,
        followedBy text: UnsafeRawBufferPointer,
        isLast: Bool
    ) {
        if let common = self.common, TextAutomaton.isFinal(common) { return }
        if self.find(in: column, at: value, followedBy: text, isLast: isLast) { return }
        if let common = self.common {
            self.states = [TextAutomaton.State](repeating: common, count: self.rowCount)
            self.common = nil
        }
        switch column {
        case .constant(let column): self.step(column.value.unsafeBytes)
        case .dictionary(let column): self.step(column, at: value)
        default: self.step(column, at: value)
        }
        self.step(text)
    }

    /// Fast path: the automaton has seen nothing of a needle yet, and what follows forgets all but whether it was found.
    private mutating func find(
        in column: Column,
        at value: (Int) -> Int,
        followedBy text: UnsafeRawBufferPointer,
        isLast: Bool
    ) -> Bool {
        guard let needle = self.automaton.program.needle, self.common == self.automaton.start else { return false }
        // Whatever a value leaves behind it is a state that some beginning of the needle leads to.
        let start = self.automaton.start
        let behind = self.automaton.run(start, text)
        guard !TextAutomaton.isFinal(behind), isLast && text.isEmpty || self.forgets(needle, text, behind) else {
            return false
        }
        let found: Bitmap
        switch column {
        case .identifier(let column):
            guard let rows = column.rows(containing: needle, within: nil) else { return false }
            found = rows
        case .plain(let column): found = column.values.indexes(containing: needle, within: nil)
        case .template:
            let matches = column.rows(passing: self.automaton, within: nil)
            guard matches.uncertain == nil else { return false }
            found = matches.passing
        default: return false
        }
        if found.isEmpty {
            self.common = behind
            return true
        }
        self.common = nil
        self.states = (0..<self.rowCount).map { found[value($0)] ? TextAutomaton.accepted : behind }
        return true
    }

    /// Whether a text leads from every beginning of the needle to one state.
    private func forgets(_ needle: Needle, _ text: UnsafeRawBufferPointer, _ state: TextAutomaton.State) -> Bool {
        needle.bytes.withUnsafeBytes { bytes in
            (1..<max(1, bytes.count)).allSatisfy { count in
                let inside = self.automaton.run(self.automaton.start, bytes.slice(0..<count))
                return self.automaton.run(inside, text) == state
            }
        }
    }

    /// Goes over a text that is the same for all.
    private mutating func step(_ text: UnsafeRawBufferPointer) {
        guard text.count > 0 else { return }
        if let common = self.common {
            self.common = self.automaton.run(common, text)
            return
        }
        var known: [TextAutomaton.State: TextAutomaton.State] = [:]
        var last = (from: TextAutomaton.State(-1), to: TextAutomaton.State(-1))
        for index in self.states.indices {
            let state = self.states[index]
            if state != last.from {
                last = (state, known[state] ?? self.automaton.run(state, text))
                known[state] = last.to
            }
            self.states[index] = last.to
        }
    }

    private mutating func step(_ column: Column, at value: (Int) -> Int) {
        var scratch = TextScratch()
        for index in self.states.indices {
            let state = self.states[index]
            if TextAutomaton.isFinal(state) { continue }
            self.states[index] = self.automaton.run(state, scratch.text(of: column, at: value(index)))
        }
    }

    /// Each text of a dictionary once per state before it.
    private mutating func step(_ column: DictionaryColumn, at value: (Int) -> Int) {
        var known: [TextAutomaton.State: Int] = [:]
        var ends: [TextAutomaton.State] = []
        let textCount = column.values.count
        var last = (state: TextAutomaton.State(-1), place: 0)
        for index in self.states.indices {
            let state = self.states[index]
            if TextAutomaton.isFinal(state) { continue }
            if state != last.state {
                let place = known[state] ?? ends.count
                if place == ends.count { ends.append(contentsOf: repeatElement(-1, count: textCount)) }
                known[state] = place
                last = (state, place)
            }
            let code = Int(column.codes[value(index)])
            if ends[last.place + code] < 0 { ends[last.place + code] = self.automaton.run(state, column.values[code]) }
            self.states[index] = ends[last.place + code]
        }
    }
}
