extension TextAutomaton {
    /// More states than this at one place are too many to follow.
    static let reachedCountMax = 32
    /// Lengths up to this are followed byte by byte.
    static let exactLengthMax = 40

    /// Whether some text with these traits may pass or be uncertain.
    func mayPass(_ traits: TextTraits) -> Bool {
        if let required = self.program.required, !traits.mayHold(required) { return false }
        guard let ends = self.reached(from: [self.start], lengths: traits.lengths, self.classes(of: traits.bytes))
        else {
            return true
        }
        return ends.contains { $0 == Self.uncertain || self.passes($0) }
    }

    /// The states in which texts of some lengths and bytes of some classes can end that begin in one of `states`; perhaps
    /// more than these; `nil` when they are too many.
    func reached(from states: [State], lengths: ClosedRange<Int>, _ classes: [UInt8]) -> [State]? {
        // Most texts leave most automata where they are.
        if states.allSatisfy({ state in
            Self.isFinal(state) || classes.allSatisfy { self.step(state, class: $0) == state }
        }) {
            return states
        }
        if lengths.upperBound > Self.exactLengthMax { return self.closure(of: states, lengths.lowerBound, classes) }
        var result: [State] = lengths.lowerBound == 0 ? states : []
        var layer = states
        for length in stride(from: 1, through: lengths.upperBound, by: 1) {
            guard let next = self.next(layer, classes) else { return nil }
            layer = next
            if length >= lengths.lowerBound {
                for state in layer where !result.contains(state) { result.append(state) }
                if result.count > Self.reachedCountMax { return nil }
            }
        }
        return result
    }

    /// What texts of any length reach.
    private func closure(of states: [State], _ lengthMin: Int, _ classes: [UInt8]) -> [State]? {
        var result = states
        if lengthMin > 0 {
            guard let next = self.next(states, classes) else { return nil }
            result = next
        }
        var index = 0
        while index < result.count {
            guard let next = self.next([result[index]], classes) else { return nil }
            for state in next where !result.contains(state) { result.append(state) }
            if result.count > Self.reachedCountMax { return nil }
            index += 1
        }
        return result
    }

    private func next(_ states: [State], _ classes: [UInt8]) -> [State]? {
        var result: [State] = []
        for state in states {
            for group in classes {
                let next = self.step(state, class: group)
                if !result.contains(next) { result.append(next) }
            }
            if result.count > Self.reachedCountMax { return nil }
        }
        return result
    }
}
