import LeatCore
import LeatParsing
import Testing

struct MultilineJoinerTests {
    /// Joins lines that come one millisecond apart.
    struct Run {
        var joiner: MultilineJoiner
        var now: UInt64 = 0
        var offset: UInt64 = 0
        var events: [String] = []

        init(_ rules: MultilineRules, byteCountMax: Int = 1000) {
            self.joiner = MultilineJoiner(
                MultilineMachine(rules),
                byteCountMax: byteCountMax,
                timeoutNanoseconds: 10_000_000
            )
        }

        mutating func add(_ lines: [String]) {
            for line in lines {
                var found: [String] = []
                let bytes = ByteSlice(line)
                self.joiner.add(bytes.unsafeBytes, nanoseconds: 0, offset: self.offset, now: self.now) { event, text in
                    found.append(text.text + (event.isTruncated ? " (cut)" : ""))
                }
                self.events += found
                self.offset += UInt64(line.utf8.count + 1)
                self.now += 1_000_000
            }
        }

        mutating func wait(_ nanoseconds: UInt64) {
            self.now += nanoseconds
            var found: [String] = []
            self.joiner.flushIfDue(now: self.now) { _, text in found.append(text.text) }
            self.events += found
        }
    }

    static func rules(_ name: String) throws -> MultilineRules { try #require(BuiltInMultiline.rules(name)) }

    static func custom(_ lines: String) throws -> MultilineRules {
        let text = "[MULTILINE_PARSER]\n" + lines.split(separator: "\n").map { "    \($0)\n" }.joined()
        guard case .section(let section)? = ClassicFormat(text: text, source: "test").items.first else {
            throw Diagnostics([])
        }
        return try MultilineDefinition(section).rules
    }

    struct Case: Sendable {
        var language: String
        var lines: [String]
        var events: [String]
    }

    static let cases: [Case] = [
        Case(
            language: "java",
            lines: ["ERROR failed", "a.B: Exception: x", "\tat y", "INFO", "", "z"],
            events: ["ERROR failed", "a.B: Exception: x\n\tat y", "INFO", "", "z"]
        ),
        Case(language: "java", lines: ["Exception: x", "", "INFO"], events: ["Exception: x", "", "INFO"]),
        Case(language: "java", lines: ["Error: x", "", "", "\tat y"], events: ["Error: x\n\n\n\tat y"]),
        Case(
            language: "java",
            lines: ["Error: x", "", "Error: y", "\tat z"],
            events: ["Error: x", "", "Error: y\n\tat z"]
        ),
        Case(
            language: "python",
            lines: [
                "Traceback (most recent call last):", "  File \"a\", line 1, in b", "    c()", "    ~^^",
                "ValueError: x", "",
                "During handling of the above exception, another exception occurred:", "",
                "Traceback (most recent call last):", "  File \"a\", line 2, in d", "KeyboardInterrupt", "next",
            ],
            events: [
                "Traceback (most recent call last):\n  File \"a\", line 1, in b\n    c()\n    ~^^\nValueError: x\n\nDuring handling of the above exception, another exception occurred:\n\nTraceback (most recent call last):\n  File \"a\", line 2, in d\nKeyboardInterrupt",
                "next",
            ]
        ),
        Case(
            language: "python",
            lines: ["Traceback (most recent call last):", "  File \"a\"", "    c()", "E: x", "", "next"],
            events: ["Traceback (most recent call last):\n  File \"a\"\n    c()\nE: x", "", "next"]
        ),
        Case(
            language: "go",
            lines: ["panic: x", "", "goroutine 1 [running]:", "main.main()", "\ta.go:1", "exit status 2", "", "ok"],
            events: ["panic: x\n\ngoroutine 1 [running]:\nmain.main()\n\ta.go:1", "exit status 2", "", "ok"]
        ),
        Case(
            language: "ruby",
            lines: ["a.rb:1:in `b': x (E)", "\tfrom a.rb:2:in `c'", "ok"],
            events: ["a.rb:1:in `b': x (E)\n\tfrom a.rb:2:in `c'", "ok"]
        ),
        Case(
            language: "php",
            lines: [
                "PHP Fatal error:  Uncaught Exception: x in a.php:3", "Stack trace:", "#0 {main}",
                "  thrown in a.php on line 3",
                "ok",
            ],
            events: [
                "PHP Fatal error:  Uncaught Exception: x in a.php:3\nStack trace:\n#0 {main}\n  thrown in a.php on line 3",
                "ok",
            ]
        ),
        Case(language: "dart", lines: ["Unhandled exception:", "a", "b"], events: ["Unhandled exception:", "a", "b"]),
    ]

    @Test(arguments: cases)
    func tracesAreJoined(_ expected: Case) throws {
        var run = Run(try Self.rules(expected.language))
        run.add(expected.lines)
        run.wait(10_000_000)
        #expect(run.events == expected.events)
        #expect(run.joiner.deadline == nil)
        #expect(run.joiner.pendingByteCount == 0)
    }

    @Test
    func anEventIsHandedOutAfterTheTimeout() throws {
        var run = Run(try Self.rules("java"))
        run.add(["INFO", "Error: x", "\tat y"])
        #expect(run.events == ["INFO"])
        #expect(run.joiner.unfinishedOffset == 5)
        run.wait(8_000_000)
        #expect(run.events == ["INFO"])
        run.wait(1_000_000)
        #expect(run.events == ["INFO", "Error: x\n\tat y"])
    }

    @Test
    func longEventsAreCut() throws {
        var run = Run(try Self.rules("java"), byteCountMax: 14)
        run.add(["Error: x", "\tat ä", "\tat z", "INFO and more that is too long to join"])
        #expect(run.events == ["Error: x\n\tat  (cut)", "INFO and more that is too long to join"])
    }

    @Test
    func endsAreRecognised() throws {
        var run = Run(try Self.custom("type endswith\nmatch_string ;"))
        run.add(["a", "b;", "c;", "d"])
        #expect(run.events == ["a\nb;", "c;"])
        run = Run(try Self.custom("type endswith\nmatch_string \\\nnegate on"))
        run.add(["a\\", "b", "c"])
        #expect(run.events == ["a\\\nb", "c"])
        run = Run(try Self.custom("type equal\nmatch_string end"))
        run.add(["a", "end", "end"])
        #expect(run.events == ["a\nend", "end"])
    }

    @Test
    func valuesOfAFieldAreJoinedAsTheyAre() throws {
        let machine = MultilineMachine(try Self.custom("type endswith\nmatch_string ;"), joinsFields: true)
        var joiner = MultilineJoiner(machine, byteCountMax: 100, timeoutNanoseconds: 1)
        var events: [String] = []
        for (offset, line) in ["a", "b;"].enumerated() {
            let bytes = ByteSlice(line)
            joiner.add(bytes.unsafeBytes, nanoseconds: 0, offset: UInt64(offset), now: 0) { events.append($1.text) }
        }
        #expect(events == ["ab;"])
    }

    static let wrong: [(lines: String, message: String)] = [
        ("name x", "no rule of this parser belongs to start_state"),
        ("rule start_state x y", "a rule needs three texts in quotes"),
        (
            "rule \"start_state\" \"/(/\" \"y\"",
            "the pattern '/(/' is not valid: missing closing parenthesis at 1 of the pattern"
        ),
        ("type other", "unknown type 'other'"),
        ("type endswith\nflush_timeout 1s", "'1s' is no number of milliseconds"),
        ("type endswith\nmatch_strin x", "unknown key 'match_strin' of [MULTILINE_PARSER]"),
    ]

    @Test(arguments: wrong)
    func wrongDefinitionsAreErrors(lines: String, message: String) throws {
        let errors = try #require(throws: Diagnostics.self) { try Self.custom(lines) }
        #expect(errors.all.map(\.message) == [message])
    }

    /// Whatever the lines, each is in exactly one event and in order.
    @Test(arguments: 0..<20)
    func noLineIsLostOrDoubled(seed: Int) throws {
        var random = SeededRandom(seed: UInt64(seed))
        let pieces = [
            "INFO", "", "Error: x", "\tat y", "Caused by: Error: z", "Traceback (most recent call last):",
            "  File \"a\"",
            "    c()", "E: x", "panic: x", "goroutine 1 [running]:", "main.main()", "\ta.go:1", "Unhandled exception:",
            "#0   a",
            "nested exception is:", "Stack trace:", "#1 x", "PHP Warning: x",
        ]
        let lines = (0..<300).map { _ in pieces.randomElement(using: &random) ?? "" }
        var run = Run(
            MultilineRules.combined(BuiltInMultiline.names.compactMap(BuiltInMultiline.rules)),
            byteCountMax: 1 << 20
        )
        for line in lines {
            run.add([line])
            if Int.random(in: 0..<20, using: &random) == 0 { run.wait(20_000_000) }
        }
        run.wait(20_000_000)
        #expect(run.events.joined(separator: "\n") == lines.joined(separator: "\n"))
    }
}
