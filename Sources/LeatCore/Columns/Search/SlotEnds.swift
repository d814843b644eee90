/// In which states an automaton can be behind the values of a column, before any row is looked at.
///
/// Perhaps more states than these, never fewer; `nil` when they are too many to follow.
struct SlotEnds {
    /// Bytes of distinct texts that are run over to know the states exactly.
    private static let exactByteCountMax = 16 << 10

    private let automaton: TextAutomaton
    /// Classes of the automaton by the bytes of a column; most columns share a few.
    private var classesOfBytes: [ByteSet: [UInt8]] = [:]

    init(_ automaton: TextAutomaton) { self.automaton = automaton }

    /// The states behind one text.
    func ends(of text: UnsafeRawBufferPointer, from states: [TextAutomaton.State]?) -> [TextAutomaton.State]? {
        guard let states else { return nil }
        if states.count == 1 { return [self.automaton.run(states[0], text)] }
        return self.ends(ofEach: CollectionOfOne(text), from: states)
    }

    /// The states behind the values of a column with these traits.
    mutating func ends(
        of column: Column,
        _ traits: TextTraits,
        from states: [TextAutomaton.State]
    ) -> [TextAutomaton.State]? {
        switch column {
        case .constant(let column): return self.ends(of: column.value.unsafeBytes, from: states)
        case .dictionary(let column):
            return self.reached(traits, from: states) { $0.ends(ofDistinct: column.values, dropping: 0, from: states) }
        case .reference(let column):
            return self.reached(traits, from: states) {
                guard case .dictionary(let target) = column.target else { return nil }
                return $0.ends(ofDistinct: target.values, dropping: column.droppedByteCount, from: states)
            }
        case .prefixed(let column):
            guard let behind = self.ends(of: column.prefix.unsafeBytes, from: states) else { return nil }
            return self.ends(of: column.rest, column.rest.traits, from: behind)
        case .template(let column):
            return self.reached(traits, from: states) { $0.ends(of: column.texts, from: states) }
        case .integer, .number, .identifier, .plain: return self.reached(traits, from: states) { _ in nil }
        }
    }

    /// What texts with some traits reach, or what a closer look says if that leaves a choice.
    private mutating func reached(
        _ traits: TextTraits,
        from states: [TextAutomaton.State],
        _ closer: (inout SlotEnds) -> [TextAutomaton.State]?
    ) -> [TextAutomaton.State]? {
        let classes: [UInt8]
        if let known = self.classesOfBytes[traits.bytes] {
            classes = known
        } else {
            classes = self.automaton.classes(of: traits.bytes)
            self.classesOfBytes[traits.bytes] = classes
        }
        let reached = self.automaton.reached(from: states, lengths: traits.lengths, classes)
        return reached?.count == 1 ? reached : closer(&self) ?? reached
    }

    private func ends(
        ofDistinct texts: ByteStrings,
        dropping count: Int,
        from states: [TextAutomaton.State]
    ) -> [TextAutomaton.State]? {
        guard texts.bytes.count * states.count <= Self.exactByteCountMax else { return nil }
        let parts = (0..<texts.count).lazy.map { texts[$0].slice(min(count, texts[$0].count)..<texts[$0].count) }
        return self.ends(ofEach: parts, from: states)
    }

    private func ends(
        ofEach texts: some Sequence<UnsafeRawBufferPointer>,
        from states: [TextAutomaton.State]
    ) -> [TextAutomaton.State]? {
        var ends: [TextAutomaton.State] = []
        for text in texts {
            for state in states {
                let end = self.automaton.run(state, text)
                if !ends.contains(end) { ends.append(end) }
            }
            if ends.count > TextAutomaton.reachedCountMax { return nil }
        }
        return ends
    }

    /// The states behind templates within a slot.
    private mutating func ends(
        of texts: TemplateTexts,
        from states: [TextAutomaton.State]
    ) -> [TextAutomaton.State]? {
        guard var result = self.ends(ofDistinct: texts.whole, dropping: 0, from: states) else { return nil }
        for template in texts.templates {
            var current = self.ends(of: texts.parts[template.firstPart], from: states)
            for slot in 0..<template.slotCount {
                let column = Int(texts.slots[template.firstSlot + slot])
                guard let entries = current else { return nil }
                current = self.ends(of: texts.columns[column], texts.columnTraits[column], from: entries)
                current = self.ends(of: texts.parts[template.firstPart + slot + 1], from: current)
            }
            guard let current else { return nil }
            for state in current where !result.contains(state) { result.append(state) }
            if result.count > TextAutomaton.reachedCountMax { return nil }
        }
        return result
    }
}
