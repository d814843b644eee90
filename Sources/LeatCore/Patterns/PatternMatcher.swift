internal import CPcre2

/// Matches one pattern on one thread; keeps the borders of the last match.
public final class PatternMatcher {
    /// What a match attempt found.
    public enum Outcome: Hashable, Sendable {
        /// A match at these bytes.
        case match(Range<Int>)
        case noMatch
        /// The attempt took more steps than allowed: nothing is known about this text.
        case tooExpensive
    }

    /// Steps after which a match attempt is given up.
    ///
    /// A step of the JIT takes some nanoseconds, so that one attempt ends within about 10 ms.
    public static let stepCountMax: UInt32 = 1_000_000

    public let pattern: Pattern
    private let data: OpaquePointer
    private let context: OpaquePointer
    private let stack: OpaquePointer?

    public init(_ pattern: Pattern) {
        guard let data = pcre2_match_data_create_from_pattern_8(pattern.code, nil),
            let context = pcre2_match_context_create_8(nil)
        else { preconditionFailure("out of memory") }
        self.pattern = pattern
        self.data = data
        self.context = context
        self.stack = pcre2_jit_stack_create_8(32 * 1024, 1024 * 1024, nil)
        pcre2_set_match_limit_8(context, Self.stepCountMax)
        pcre2_jit_stack_assign_8(context, nil, self.stack.map { UnsafeMutableRawPointer($0) })
    }

    deinit {
        pcre2_match_data_free_8(self.data)
        pcre2_match_context_free_8(self.context)
        if let stack = self.stack { pcre2_jit_stack_free_8(stack) }
    }

    /// Looks for the first match that starts at `offset` or later.
    public func match(_ bytes: UnsafeRawBufferPointer, from offset: Int = 0) -> Outcome {
        var nothing: UInt8 = 0
        let result = withUnsafePointer(to: &nothing) { nothing in
            self.run(bytes.baseAddress?.assumingMemoryBound(to: UInt8.self) ?? nothing, bytes.count, offset)
        }
        return self.outcome(result)
    }

    private func outcome(_ result: Int32) -> Outcome {
        if result > 0 {
            let borders = pcre2_get_ovector_pointer_8(self.data)
            guard let borders else { preconditionFailure("a match without borders") }
            // `\K` may set the start behind the end.
            return .match(min(borders[0], borders[1])..<borders[1])
        }
        switch result {
        case PCRE2_ERROR_NOMATCH: return .noMatch
        default: return .tooExpensive
        }
    }

    /// Looks for the first match in a text of which only the beginning is here.
    ///
    /// - Returns: What is true of every text that begins so, apart from matches that begin behind these bytes; `nil` when more
    ///   of the text must be seen.
    public func match(beginning bytes: UnsafeRawBufferPointer) -> Outcome? {
        var nothing: UInt8 = 0
        let result = withUnsafePointer(to: &nothing) { nothing in
            let start = bytes.baseAddress?.assumingMemoryBound(to: UInt8.self) ?? nothing
            return self.run(start, bytes.count, 0, PCRE2_PARTIAL_HARD)
        }
        return result == PCRE2_ERROR_PARTIAL ? nil : self.outcome(result)
    }

    private func run(
        _ subject: UnsafePointer<UInt8>,
        _ count: Int,
        _ offset: Int,
        _ options: UInt32 = 0
    ) -> Int32 {
        if self.pattern.isDirect {
            return pcre2_jit_match_8(self.pattern.code, subject, count, offset, options, self.data, self.context)
        }
        return pcre2_match_8(self.pattern.code, subject, count, offset, options, self.data, self.context)
    }

    /// Whether the text matches; `nil` when that took too many steps.
    public func matches(_ bytes: UnsafeRawBufferPointer) -> Bool? {
        switch self.match(bytes) {
        case .match: true
        case .noMatch: false
        case .tooExpensive: nil
        }
    }

    /// The bytes of a group in the last match; `nil` when the group took no part in it.
    public func range(ofGroup number: Int) -> Range<Int>? {
        guard let borders = pcre2_get_ovector_pointer_8(self.data), number <= self.pattern.groupCount else {
            return nil
        }
        let start = borders[2 * number]
        let end = borders[2 * number + 1]
        return start == Int.max || start == -1 || end < start ? nil : start..<end
    }
}
