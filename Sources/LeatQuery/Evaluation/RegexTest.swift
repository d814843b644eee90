internal import LeatCore
internal import Synchronization

/// A regular expression as filters and extractions use it, from any number of threads.
final class RegexTest: @unchecked Sendable {
    // Sound as Sendable: matchers are only used by the thread that took them out of `matchers`.
    let pattern: Pattern
    /// A text that every match contains, if there is one.
    let needle: Needle?
    private let matchers = Guarded<[PatternMatcher]>([])
    /// The same test for columns that keep their encoding, if the expression is that simple.
    let automata: AutomatonPool?
    private let cancellation: Cancellation

    init(_ pattern: Pattern, cancellation: Cancellation = Cancellation()) {
        self.cancellation = cancellation
        self.pattern = pattern
        self.needle = pattern.requiredText.longestNeedle
        self.automata = pattern.automaton().map { AutomatonPool($0) }
    }

    /// The expression `body` with the flags that a literal or `flags=` gives it: `i`, `m`, `d` or `s`; `g` and `F`
    /// change nothing here.
    convenience init(
        body: String,
        flags: String,
        cancellation: Cancellation = Cancellation()
    ) throws(PatternError) {
        let options = PatternOptions(
            foldsCase: flags.contains("i"),
            anchorsMatchAtLines: flags.contains("m"),
            dotMatchesNewline: flags.contains("d") || flags.contains("s")
        )
        self.init(try Pattern(body, options: options), cancellation: cancellation)
    }

    /// Names of the groups that become fields.
    var fieldNames: [String] {
        var names: [String] = []
        for group in self.pattern.groups where !names.contains(group.name) { names.append(group.name) }
        return names
    }

    /// Runs `body` with a matcher that no other thread uses meanwhile.
    @inline(__always)
    func withMatcher<Result>(
        _ body: (PatternMatcher) throws(QueryFailure) -> Result
    ) throws(QueryFailure) -> Result {
        let matcher = self.matchers.withLock { $0.popLast() } ?? PatternMatcher(self.pattern)
        defer { self.matchers.withLock { $0.append(matcher) } }
        return try body(matcher)
    }

    /// Whether a value matches.
    func matches(_ value: UnsafeRawBufferPointer) throws(QueryFailure) -> Bool {
        try self.withMatcher { (matcher) throws(QueryFailure) in try self.matches(value, matcher) }
    }

    /// Whether a value matches, with a matcher of `withMatcher`.
    @inline(__always)
    func matches(_ value: UnsafeRawBufferPointer, _ matcher: PatternMatcher) throws(QueryFailure) -> Bool {
        // One match may take milliseconds, and a batch has thousands of values.
        try self.cancellation.check()
        guard let result = matcher.matches(value) else { throw self.failure }
        return result
    }

    /// Throws when somebody has ended the query; asked before each match.
    @inline(__always)
    func check() throws(QueryFailure) { try self.cancellation.check() }

    /// What a match that takes too many steps ends in.
    var failure: QueryFailure {
        .tooExpensive("the regular expression /\(self.pattern.source)/ takes too many steps on one value")
    }
}
