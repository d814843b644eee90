internal import LeatCore

/// The rules of a `MultilineRules` with numbers for names, and their matchers; used by one thread.
///
/// Shared by the joiners of all files and streams.
public final class MultilineMachine {
    /// A rule by number of its state.
    private struct Step {
        let matcher: PatternMatcher
        let next: Int
        let isTentative: Bool
    }

    /// What a line is in a state.
    enum Verdict: Hashable {
        /// It belongs to the event, which is then in this state.
        case joins(next: Int, isTentative: Bool)
        /// It belongs to the event and ends it.
        case ends
        /// It does not belong to the event.
        case breaks
    }

    /// The state in which no event is under way.
    static let start = 0

    private let kind: MultilineRules.Kind
    private var steps: [[Step]] = []

    /// Whether lines are joined with a newline between them, which was taken from them before.
    let joinsWithNewline: Bool

    /// `joinsFields` says that lines are values of a field, which bring their newlines: `endswith` and `equal` add none.
    public init(_ rules: MultilineRules, joinsFields: Bool = false) {
        self.kind = rules.kind
        if case .machine = rules.kind { self.joinsWithNewline = true } else { self.joinsWithNewline = !joinsFields }
        guard case .machine(let list) = rules.kind else { return }
        var numbers = [MultilineRules.start: Self.start]
        let number = { (name: String) -> Int in
            if let known = numbers[name] { return known }
            numbers[name] = numbers.count
            return numbers.count - 1
        }
        self.steps = [[]]
        for rule in list {
            let matcher = PatternMatcher(rule.pattern)
            let next = number(rule.next)
            for state in rule.states {
                let index = number(state)
                while self.steps.count < numbers.count { self.steps.append([]) }
                self.steps[index].append(Step(matcher: matcher, next: next, isTentative: rule.isTentative))
            }
            while self.steps.count < numbers.count { self.steps.append([]) }
        }
    }

    /// Judges a line.
    func judge(_ line: UnsafeRawBufferPointer, in state: Int) -> Verdict {
        switch self.kind {
        case .machine:
            for step in self.steps[state] {
                if case .match = step.matcher.match(line) {
                    return .joins(next: step.next, isTentative: step.isTentative)
                }
            }
            return .breaks
        case .endsWith(let text, let isNegated):
            let hasEnd = line.count >= text.count && line.suffix(text.count).elementsEqual(text)
            return hasEnd != isNegated ? .ends : .joins(next: 1, isTentative: false)
        case .equals(let text, let isNegated):
            return line.elementsEqual(text) != isNegated ? .ends : .joins(next: 1, isTentative: false)
        }
    }
}
