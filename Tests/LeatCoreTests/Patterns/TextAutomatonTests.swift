import LeatCore
import Testing

struct TextAutomatonTests {
    static let cases: [(pattern: String, text: String, passes: Bool)] = [
        ("[0-9]{3}\\.[0-9]{2}:", "at 10.123.45: x", true),
        ("[0-9]{3}\\.[0-9]{2}:", "at 10.123.4: x", false),
        ("^a.*z$", "abcz", true),
        ("^a.*z$", "abcz\n", true),
        ("^a.*z$", "abcz\n\n", false),
        ("^a.*z\\z", "abcz\n", false),
        ("(?i)HeLLo", "say hello", true),
        ("a|bc|", "", true),
        ("(ab?){2,3}c", "aabac", true),
        ("[^a-c]+x", "abcx", false),
        ("\\d+\\s\\w", "12 _", true),
        ("(?:x(?i:Y)z)", "xyz", true),
        ("(?:x(?i:Y)z)", "xyZ", false),
        ("a{2,}?b", "ab", false),
        ("\\bup\\b", "x up y", true),
        ("\\bup\\b", "xup, up_", false),
        ("\\bup\\b", "up", true),
        ("\\bup", "cups, upper", true),
        ("up\\b", "upper cup", true),
        ("up\\b", "upper", false),
        ("(a+)+$", String(repeating: "a", count: 5_000) + "b", false),
    ]

    @Test(arguments: cases)
    func decidesLikeTheExpression(pattern: String, text: String, passes: Bool) throws {
        let program = try #require(try Pattern(pattern).automaton())
        let result = Array(text.utf8).withUnsafeBytes { TextAutomaton(program).passes($0) }
        #expect(result == passes)
    }

    /// What an automaton cannot do must be left to PCRE2.
    @Test(arguments: [
        "(?=a)b", "(a)\\1",
        "a\\bword", "\\b.word", "\\bw?x", "\\ba|b", "\\x2e\\b", "\\d\\b", "a++b", "(?>a)b", "[[:alpha:]]", "(?m)^a",
        "(?x)a b", "\\pL", "a$b", "x(?i)y",
    ])
    func refusesWhatIsNotRegular(pattern: String) throws { #expect(try Pattern(pattern).automaton() == nil) }

    @Test func randomExpressionsMeanTheSameAsInPCRE2() throws {
        var random = SeededRandom(seed: 71)
        var decided = 0
        for round in 0..<5_000 {
            var pattern = Self.expression(depth: 0, &random)
            if random.next() % 4 == 0 { pattern = "^" + pattern }
            if random.next() % 4 == 0 { pattern += "$" }
            if random.next() % 10 == 0 { pattern = "\\b" + pattern }
            if random.next() % 10 == 0 { pattern += "\\b" }
            let options = PatternOptions(
                foldsCase: random.next() % 3 == 0,
                dotMatchesNewline: random.next() % 3 == 0
            )
            guard let compiled = try? Pattern(pattern, options: options), let program = compiled.automaton() else {
                continue
            }
            let automaton = TextAutomaton(program)
            let matcher = PatternMatcher(compiled)
            for _ in 0..<8 {
                let text = Self.text(&random)
                let (found, expected) = text.withUnsafeBytes { (automaton.passes($0), matcher.matches($0)) }
                guard let found, let expected else { continue }
                decided += 1
                #expect(found == expected, "round \(round): /\(pattern)/ on \(String(decoding: text, as: UTF8.self))")
            }
        }
        #expect(decided > 20_000)
    }

    private static func expression(depth: Int, _ random: inout SeededRandom) -> String {
        let parts = (0..<Int.random(in: 1...3, using: &random)).map { _ in
            Self.atom(depth: depth, &random)
                + ["", "", "", "*", "+", "?", "{2}", "{1,3}", "*?"][Int(random.next() % 9)]
        }
        return parts.joined()
    }

    private static func atom(depth: Int, _ random: inout SeededRandom) -> String {
        let simple = [
            "a", "b", "B", "1", ".", "\\d", "\\w", "\\s", "\\S", "[ab]", "[^a1]", "[a-c1]", "\\.", "\\n", "-", "\\x41",
        ]
        if depth < 3, random.next() % 4 == 0 {
            let inner = (0..<Int.random(in: 1...3, using: &random)).map { _ in
                Self.expression(depth: depth + 1, &random)
            }
            return (random.next() % 2 == 0 ? "(" : "(?:") + inner.joined(separator: "|") + ")"
        }
        return simple[Int(random.next() % UInt64(simple.count))]
    }

    private static func text(_ random: inout SeededRandom) -> [UInt8] {
        let bytes = Array("aabbA11B.- \nc\u{e9}".utf8)
        return (0..<Int.random(in: 0...12, using: &random)).map { _ in
            bytes[Int(random.next() % UInt64(bytes.count))]
        }
    }

    @Test(arguments: [("abc", "abc", false), ("(?i)A1z", "a1z", true), ("a\\.b", "a.b", false), ("ab|c", nil, false)])
    func literalsAreNeedles(pattern: String, text: String?, foldsCase: Bool) throws {
        let program = try #require(try Pattern(pattern).automaton())
        #expect(program.needle == text.map { Needle(Array($0.utf8), foldsCase: foldsCase) })
    }

    @Test func longTextsAreNoPrograms() {
        let long = [UInt8](repeating: 97, count: 5_000)
        let programs = [AutomatonProgram(Needle(long)), AutomatonProgram(anyOf: [long])]
        #expect(programs.allSatisfy { $0 == nil })
    }

    @Test func tooManyStatesAreUncertain() throws {
        // Needs a state per way in which the last fifteen bytes can be `a` or not.
        let program = try #require(try Pattern("a[ab]{14}c").automaton())
        let automaton = TextAutomaton(program)
        var random = SeededRandom(seed: 3)
        let text: [UInt8] = (0..<40_000).map { _ in random.next() % 2 == 0 ? 97 : 98 }
        #expect(text.withUnsafeBytes { automaton.passes($0) } == nil)
    }
}
