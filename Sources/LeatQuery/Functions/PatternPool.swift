internal import LeatCore

/// A regular expression with matchers that any thread may borrow.
final class PatternPool: @unchecked Sendable {
    // Sound as Sendable: a matcher is in the pool or with the one thread that took it.
    let pattern: Pattern
    private let matchers = Guarded<[PatternMatcher]>([])

    /// Compiles an expression with flags of the language: `i` ignores case, `m` lets `^` and `$` match at lines, `d` and
    /// `s` let the dot match newlines; `g` and `F` change nothing here.
    init(_ source: String, flags: String = "") throws(PatternError) {
        self.pattern = try Pattern(
            source,
            options: PatternOptions(
                foldsCase: flags.contains("i"),
                anchorsMatchAtLines: flags.contains("m"),
                dotMatchesNewline: flags.contains("d") || flags.contains("s")
            )
        )
    }

    /// Lends a matcher to `body`.
    func borrow<Result>(_ body: (PatternMatcher) throws(QueryFailure) -> Result) throws(QueryFailure) -> Result {
        let matcher = self.matchers.withLock { $0.popLast() } ?? PatternMatcher(self.pattern)
        defer { self.matchers.withLock { $0.append(matcher) } }
        return try body(matcher)
    }

    /// Whether the text matches anywhere.
    func matches(_ bytes: UnsafeRawBufferPointer) throws(QueryFailure) -> Bool {
        try self.borrow { matcher throws(QueryFailure) in
            guard let result = matcher.matches(bytes) else { throw self.tooExpensive }
            return result
        }
    }

    /// What a match attempt ended with, as a failure of the query.
    var tooExpensive: QueryFailure {
        .tooExpensive("the regular expression /\(self.pattern.source)/ takes too many steps on one value")
    }

    /// Calls `body` with each match from the left, without overlaps; an empty match advances by one character.
    func forEachMatch(
        in bytes: UnsafeRawBufferPointer,
        _ body: (PatternMatcher, Range<Int>) -> Void
    ) throws(QueryFailure) {
        try self.borrow { matcher throws(QueryFailure) in
            var offset = 0
            while offset <= bytes.count {
                switch matcher.match(bytes, from: offset) {
                case .noMatch: return
                case .tooExpensive: throw self.tooExpensive
                case .match(let range):
                    body(matcher, range)
                    offset = range.upperBound
                    guard range.isEmpty else { continue }
                    repeat { offset += 1 } while offset < bytes.count && bytes[offset] & 0xC0 == 0x80
                }
            }
        }
    }
}
