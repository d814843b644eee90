internal import CPcre2

/// A compiled regular expression (PCRE2 with JIT), shared by any number of threads.
///
/// Matching needs a `PatternMatcher`, one per thread. Group names may hold characters that PCRE2 refuses (`a.b`,
/// `@timestamp`); they are renamed on the way in.
public final class Pattern: @unchecked Sendable {
    // Sound as Sendable: PCRE2 does not change a compiled pattern while matching.
    let code: OpaquePointer

    /// Whether the compiled code may be entered without the checks of `pcre2_match`.
    let isDirect: Bool

    /// The pattern as it was given.
    public let source: String

    /// How it was compiled.
    public let options: PatternOptions

    /// The named groups in the order of their numbers, which start at 1; unnamed groups are not listed.
    public let groups: [(name: String, number: Int)]

    /// Number of groups, named or not.
    public let groupCount: Int

    /// Text without which nothing can match, for prefilters.
    public let requiredText: RequiredText

    /// Compiles `source`.
    ///
    /// - Throws: `PatternError` when the pattern is not valid or too large.
    public init(_ source: String, options: PatternOptions = PatternOptions()) throws(PatternError) {
        let translation = try PatternTranslation(source, flavour: options.flavour)
        var flags: UInt32 = 0
        if options.foldsCase { flags |= PCRE2_CASELESS }
        if options.anchorsMatchAtLines || options.flavour == .ruby { flags |= PCRE2_MULTILINE }
        if options.dotMatchesNewline { flags |= PCRE2_DOTALL }
        if translation.needsUnicode { flags |= UInt32(PCRE2_UTF) | PCRE2_MATCH_INVALID_UTF }
        flags |= PCRE2_DUPNAMES | PCRE2_NEVER_BACKSLASH_C

        var errorCode: Int32 = 0
        var errorOffset = 0
        let text = Array(translation.text.utf8)
        let compiled = pcre2_compile_8(text, text.count, flags, &errorCode, &errorOffset, nil)
        guard let compiled else {
            throw PatternError(
                message: Self.message(errorCode),
                offset: translation.sourceOffset(ofByte: errorOffset)
            )
        }
        // Without JIT support matching is slower but the same. With it the code is entered directly, without the checks
        // of `pcre2_match`, which characters of more than one byte need.
        // What has groups is looked for in pieces of texts, too.
        let modes = PCRE2_JIT_COMPLETE | (translation.groups.isEmpty ? 0 : PCRE2_JIT_PARTIAL_HARD)
        let hasCode = pcre2_jit_compile_8(compiled, modes) == 0
        self.isDirect = hasCode && !translation.needsUnicode
        var groupCount: UInt32 = 0
        pcre2_pattern_info_8(compiled, UInt32(PCRE2_INFO_CAPTURECOUNT), &groupCount)

        self.code = compiled
        self.source = source
        self.options = options
        self.groups = translation.groups
        self.groupCount = Int(groupCount)
        self.requiredText = PatternSyntax.requiredText(
            of: translation.text,
            foldsCase: options.foldsCase,
            isUnicode: translation.needsUnicode
        )
    }

    deinit { pcre2_code_free_8(self.code) }

    /// The same pattern for `TextAutomaton`; `nil` when it asks for more than an automaton can.
    public func automaton() -> AutomatonProgram? {
        guard self.options.flavour == .java else { return nil }
        // Without anchors it makes no difference where these match.
        let hasAnchors = self.source.utf8.contains { $0 == UInt8(ascii: "^") || $0 == UInt8(ascii: "$") }
        guard !self.options.anchorsMatchAtLines || !hasAnchors else { return nil }
        do throws(PatternError) {
            let translation = try PatternTranslation(self.source, flavour: self.options.flavour)
            var program = AutomatonProgram(
                pattern: translation.text,
                foldsCase: self.options.foldsCase,
                dotMatchesNewline: self.options.dotMatchesNewline,
                isUnicode: translation.needsUnicode
            )
            if program?.required == nil { program?.required = self.requiredText.longestNeedle }
            return program
        } catch {
            preconditionFailure("a compiled pattern is not valid: \(error)")
        }
    }

    private static func message(_ code: Int32) -> String {
        var buffer = [UInt8](repeating: 0, count: 256)
        let count = pcre2_get_error_message_8(code, &buffer, buffer.count)
        return String(decoding: buffer.prefix(max(0, Int(count))), as: UTF8.self)
    }
}

/// How a pattern is read.
public struct PatternOptions: Hashable, Sendable {
    /// Whose regular expressions these are.
    public enum Flavour: Hashable, Sendable {
        /// Java's and RE2's, as in the query language.
        case java
        /// Ruby's (Onigmo), as in the collector's parser files: `^` and `$` always match at lines, `(?m)` lets the dot
        /// match newlines, `\h` is a hexadecimal digit.
        case ruby
    }

    /// Whether letters match in either case.
    public var foldsCase = false
    /// Whether `^` and `$` match at line breaks too.
    public var anchorsMatchAtLines = false
    /// Whether `.` matches a newline.
    public var dotMatchesNewline = false
    public var flavour = Flavour.java

    public init(
        foldsCase: Bool = false,
        anchorsMatchAtLines: Bool = false,
        dotMatchesNewline: Bool = false,
        flavour: Flavour = .java
    ) {
        self.foldsCase = foldsCase
        self.anchorsMatchAtLines = anchorsMatchAtLines
        self.dotMatchesNewline = dotMatchesNewline
        self.flavour = flavour
    }
}

/// A pattern that cannot be compiled.
public struct PatternError: Error, Hashable, Sendable, CustomStringConvertible {
    /// What is wrong, lower case.
    public let message: String
    /// Where, in Unicode scalars from the start of the pattern.
    public let offset: Int

    public var description: String { "\(self.message) at \(self.offset) of the pattern" }
}
