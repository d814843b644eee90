import LeatCore
import Testing

@Suite struct PatternTests {
    static func match(_ pattern: String, _ text: String, _ options: PatternOptions = PatternOptions()) throws -> String?
    {
        let matcher = PatternMatcher(try Pattern(pattern, options: options))
        let bytes = Array(text.utf8)
        return bytes.withUnsafeBytes { buffer in
            guard case .match(let range) = matcher.match(buffer) else { return nil }
            return String(decoding: buffer[range], as: UTF8.self)
        }
    }

    @Test(
        arguments: [
            ("b+", "abbbc", "bbb"),
            ("(?<a.b>x)\\1", "axx", "xx"),
            ("(?<@timestamp>\\d+)", "t 12", "12"),
            ("(?P<n>x)\\k<n>", "xx", "xx"),
            ("^é.$", "éa", "éa"),
            ("a.c", "aéc", "aéc"),
            ("\\u00e9", "café", "é"),
            ("\\Qa.b\\E", "a.b", "a.b"),
            ("[]x]+", "a]x]", "]x]"),
            ("[-/][ix]", "a/i", "/i"),
            ("[\\w-.]+@", "a.b-c@x", "a.b-c@"),
            ("[+-\\d]+", "a+1-2", "+1-2"),
            ("[\\w-]+", "a-b", "a-b"),
            ("user=\\S", "user=Ötzi", "user=Ö"),
            ("user=\\S{4} ", "user=Ötzi log", "user=Ötzi "),
            ("\\S$", "a é", "é"),
            ("^\\D", "日本", "日"),
            ("\\W", "aÄb", "Ä"),
            ("\\W+", "aÄÖb", "ÄÖ"),
            ("\\N", "日本", "日"),
            ("\\X", "日本", "日"),
            ("[[:^alpha:]]", "aé", "é"),
            ("\\p{Han}+", "a日本", "日本"),
            ("\\p{IsHan}", "a日本", "日"),
            ("\\P{L}", "é, x", ","),
            ("\\p{Lu}", "aéÉ", "É"),
            ("caf\\p{L}$", "café", "café"),
            ("[\\p{Alpha}_]+", "é a_b", "a_b"),
            ("\\P{Alpha}", "aé", "é"),
            ("\\x{65e5}", "日", "日"),
            ("à\\h", "à b", "à "),
            ("x*", "", ""),
            ("^*(?<user>\\w.+?)(@|$)", "ann@x", "ann@"),
            ("a$?b", "ab", "ab"),
            ("^{2}a", "a", "a"),
            ("\\^*a", "^^a", "^^a"),
            ("[$+]+", "$+", "$+"),
        ] as [(String, String, String)]
    )
    func findsThisText(pattern: String, text: String, expected: String) throws {
        #expect(try Self.match(pattern, text) == expected)
    }

    @Test func flavoursDiffer() throws {
        let ruby = PatternOptions(flavour: .ruby)
        #expect(try Self.match("^b", "a\nb") == nil)
        #expect(try Self.match("^b", "a\nb", ruby) == "b")
        #expect(try Self.match("\\h+", " beef", ruby) == "beef")
        #expect(try Self.match("\\h+", "a \tb") == " \t")
        #expect(try Self.match("(?m:a.b)", "a\nb", ruby) == "a\nb")
        #expect(try Self.match("(?m:a.b)", "a\nb") == nil)
    }

    @Test func namedGroupsKeepTheirNamesAndNumbers() throws {
        let pattern = try Pattern("(x)(?<a.b>y)(?:z)(?<c[0]>w)?")
        #expect(pattern.groups.map(\.name) == ["a.b", "c[0]"])
        #expect(pattern.groups.map(\.number) == [2, 3])
        let matcher = PatternMatcher(pattern)
        Array("xyz".utf8).withUnsafeBytes { bytes in
            #expect(matcher.match(bytes) == .match(0..<3))
            #expect(matcher.range(ofGroup: 2) == 1..<2)
            #expect(matcher.range(ofGroup: 3) == nil)
            #expect(matcher.range(ofGroup: 4) == nil)
        }
    }

    @Test func invalidBytesDoNotStopAMatch() throws {
        let matcher = PatternMatcher(try Pattern("a.{2}é"))
        let bytes: [UInt8] = [0xFF, 0x61, 0x62, 0x63, 0xC3, 0xA9, 0xC3]
        bytes.withUnsafeBytes { #expect(matcher.match($0) == .match(1..<6)) }
    }

    @Test func anExplosivePatternIsReportedAndNotTakenForNoMatch() throws {
        let matcher = PatternMatcher(try Pattern("(a+)+$"))
        let text = [UInt8](repeating: 0x61, count: 60) + [0x62]
        text.withUnsafeBytes { #expect(matcher.match($0) == .tooExpensive) }
    }

    @Test func errorsNameTheScalarOfTheSource() throws {
        let error = try #require(throws: PatternError.self) { try Pattern("é(?<a.b>x)[z") }
        #expect(error.offset == 12)
        #expect(error.message.contains("missing terminating ]"))
    }

    static let required: [(pattern: String, foldsCase: Bool, expected: RequiredText)] = [
        ("timeout", false, .needle(Needle(Array("timeout".utf8)))),
        (
            "error.*timeout", false,
            .all([.needle(Needle(Array("error".utf8))), .needle(Needle(Array("timeout".utf8)))])
        ),
        ("ab+cd", false, .all([.needle(Needle(Array("ab".utf8))), .needle(Needle(Array("cd".utf8)))])),
        ("abc?d", false, .needle(Needle(Array("ab".utf8)))),
        ("foo|barn", false, .oneOf([.needle(Needle(Array("foo".utf8))), .needle(Needle(Array("barn".utf8)))])),
        ("x(foo|\\d+)y", false, .anything),
        ("(?:foo)*", false, .anything),
        ("(?=foo)", false, .anything),
        ("(?!foo)bar", false, .needle(Needle(Array("bar".utf8)))),
        ("(?i)FooBar", false, .needle(Needle(Array("foobar".utf8), foldsCase: true))),
        ("FooBar", true, .needle(Needle(Array("foobar".utf8), foldsCase: true))),
        ("user=\\d+ id", false, .all([.needle(Needle(Array("user=".utf8))), .needle(Needle(Array(" id".utf8)))])),
        ("a\\.b\\/c", false, .needle(Needle(Array("a.b/c".utf8)))),
        ("[0-9]{3}\\.[0-9]{2}", false, .anything),
        ("(?x) a b", false, .anything),
        (
            "lock on (orders|payments)-1[0-9],", false,
            .all([
                .needle(Needle(Array("lock on ".utf8))),
                .oneOf([.needle(Needle(Array("orders".utf8))), .needle(Needle(Array("payments".utf8)))]),
                .needle(Needle(Array("-1".utf8))),
            ])
        ),
    ]

    @Test(arguments: required.indices)
    func knowsTheTextThatEveryMatchContains(index: Int) throws {
        let row = Self.required[index]
        let pattern = try Pattern(row.pattern, options: PatternOptions(foldsCase: row.foldsCase))
        #expect(pattern.requiredText == row.expected, "\(row.pattern)")
    }

    /// Patterns put together from parts that stress the reader, matched on texts of the same letters.
    @Test func requiredTextIsInEveryMatch() throws {
        var random = SeededRandom(seed: 11)
        let parts = [
            "ab", "c", "(ab|cd)", "(?:b)?", "[abc]", "a*", "b+", "c{2}", "d{0,1}", ".", "\\w", "(?i)", "^", "|", "\\.",
            "(?<n>d)",
        ]
        for _ in 0..<3000 {
            let text = (0..<Int.random(in: 1...6, using: &random)).map { _ in parts.randomElement(using: &random) ?? ""
            }.joined()
            guard let pattern = try? Pattern(text) else { continue }
            let matcher = PatternMatcher(pattern)
            for _ in 0..<10 {
                let subject = (0..<12).map { _ in
                    UInt8(ascii: "abcdABCD.".unicodeScalars.randomElement(using: &random) ?? "a")
                }
                let isMatch = subject.withUnsafeBytes { matcher.matches($0) }
                if isMatch == true {
                    #expect(
                        Self.passes(pattern.requiredText, subject),
                        "\(text) on \(String(decoding: subject, as: UTF8.self))"
                    )
                }
            }
        }
    }

    static func passes(_ required: RequiredText, _ text: [UInt8]) -> Bool {
        switch required {
        case .anything: true
        case .needle(let needle):
            (needle.foldsCase ? Array(String(decoding: text, as: UTF8.self).lowercased().utf8) : text)
                .contains(needle.bytes)
        case .all(let parts): parts.allSatisfy { Self.passes($0, text) }
        case .oneOf(let parts): parts.contains { Self.passes($0, text) }
        }
    }
}
