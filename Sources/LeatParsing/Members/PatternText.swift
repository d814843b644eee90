public import LeatCore

/// Compiles patterns as Fluent Bit's configurations write them: Ruby's flavour, bare or as `/pattern/flags`.
public enum PatternText {
    /// The pattern of a text; flags are `i` (either case), `m` (the dot matches newlines) and `x` (spaces do not count).
    public static func compile(_ text: String) throws(PatternError) -> Pattern {
        let (body, flags) = Self.parts(text)
        return try Pattern(
            flags.contains("x") ? "(?x)\(body)" : body,
            options: PatternOptions(
                foldsCase: flags.contains("i"),
                dotMatchesNewline: flags.contains("m"),
                flavour: .ruby
            )
        )
    }

    private static func parts(_ text: String) -> (body: String, flags: Substring) {
        guard text.count > 1, text.first == "/", let last = text.lastIndex(of: "/"), last != text.startIndex else {
            return (text, "")
        }
        let flags = text[text.index(after: last)...]
        guard flags.allSatisfy({ "imxo".contains($0) }) else { return (text, "") }
        return (String(text[text.index(after: text.startIndex)..<last]), flags)
    }
}

/// Matches a pattern against JSON values: the text of strings, without a copy where they have no escapes.
public struct ValueMatcher {
    /// The matcher, for its groups after a match in `withMatch`.
    public let matcher: PatternMatcher
    private var text: [UInt8] = []

    public init(_ pattern: Pattern) { self.matcher = PatternMatcher(pattern) }

    /// Whether a value is a string that matches; one that takes too long is counted and counts as no match.
    public mutating func matches(_ value: UnsafeRawBufferPointer) -> Bool {
        self.withMatch(value) { _, _ in } != nil
    }

    /// Calls `body` with the text of a string that matches, and the matcher to ask for groups.
    public mutating func withMatch<Result>(
        _ value: UnsafeRawBufferPointer,
        _ body: (UnsafeRawBufferPointer, PatternMatcher) -> Result
    ) -> Result? {
        guard value.count >= 2, value[0] == UInt8(ascii: "\"") else { return nil }
        let contents = value.slice(1..<value.count - 1)
        // Fast path: no escapes.
        if contents.firstIndex(ofByte: UInt8(ascii: "\\")) == nil { return self.match(contents, body) }
        self.text.removeAll(keepingCapacity: true)
        JSONText.appendUnescaped(contents, to: &self.text)
        var text: [UInt8] = []
        swap(&text, &self.text)
        defer { swap(&text, &self.text) }
        return text.withUnsafeBytes { self.match($0, body) }
    }

    /// How many values were given up because their match took too many steps.
    public private(set) var tooExpensiveCount = 0

    private mutating func match<Result>(
        _ text: UnsafeRawBufferPointer,
        _ body: (UnsafeRawBufferPointer, PatternMatcher) -> Result
    ) -> Result? {
        switch self.matcher.match(text) {
        case .match: return body(text, self.matcher)
        case .noMatch: return nil
        case .tooExpensive:
            self.tooExpensiveCount += 1
            return nil
        }
    }
}
