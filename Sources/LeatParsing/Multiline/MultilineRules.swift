public import LeatCore

/// The rules by which lines belong together: a state machine over regular expressions, or the end of a line.
public struct MultilineRules: Sendable {
    /// One rule: in a state, a line that matches joins and leads to another state.
    public struct Rule: Sendable {
        /// The states that the rule belongs to; `start` begins an event.
        public let states: [String]
        public let pattern: Pattern
        public let next: String
        /// Whether the line joins only if a later one does: a blank line may be part of a trace, or follow it.
        public let isTentative: Bool

        public init(_ states: [String], _ pattern: Pattern, next: String, isTentative: Bool = false) {
            self.states = states
            self.pattern = pattern
            self.next = next
            self.isTentative = isTentative
        }
    }

    /// How lines are judged.
    enum Kind: Sendable {
        case machine([Rule])
        /// A line ends the event if its end is this text, or is not (`isNegated`).
        case endsWith([UInt8], isNegated: Bool)
        /// A line ends the event if it is this text, or is not.
        case equals([UInt8], isNegated: Bool)
    }

    let kind: Kind

    /// The name of the state in which an event begins.
    public static let start = "start_state"

    /// A state machine; the order of rules counts.
    public init(_ rules: [Rule]) { self.kind = .machine(rules) }

    init(kind: Kind) { self.kind = kind }

    /// An event begins with each line that matches, and takes all lines up to the next one.
    public static func firstLine(_ pattern: Pattern) throws(PatternError) -> MultilineRules {
        let others = try Pattern("\\A(?!.*(?:\(pattern.source)))", options: pattern.options)
        return MultilineRules([
            Rule([Self.start], pattern, next: "follows"), Rule(["follows"], others, next: "follows"),
        ])
    }

    /// One machine of several: a line begins an event if it does in any of them, the first in order.
    ///
    /// Rules of the other kinds cannot be combined; of those the first counts.
    public static func combined(_ all: [MultilineRules]) -> MultilineRules {
        var rules: [Rule] = []
        for (number, one) in all.enumerated() {
            guard case .machine(let own) = one.kind else { return one }
            let rename = { (state: String) in state == Self.start ? state : "\(number).\(state)" }
            rules += own.map { rule in
                Rule(rule.states.map(rename), rule.pattern, next: rename(rule.next), isTentative: rule.isTentative)
            }
        }
        return MultilineRules(rules)
    }
}
