import LeatCore
import LeatParsing
import Testing

struct LineParserTests {
    static let now = Timestamp(milliseconds: 1_773_480_413_000)

    /// A parser with the lines of a `[PARSER]` section.
    static func parser(_ lines: String) throws -> LineParser {
        let text = "[PARSER]\n    Name test\n" + lines.split(separator: "\n").map { "    \($0)\n" }.joined()
        let format = ClassicFormat(text: text, source: "test")
        guard case .section(let section)? = format.items.first else { throw Diagnostics(format.diagnostics) }
        return LineParser(try ParserDefinition(section))
    }

    /// The members and the time of a line; `nil` when it does not match.
    static func parse(_ line: String, _ parser: LineParser) -> (members: String, time: Int64?)? {
        var target: [UInt8] = Array("\"before\":1".utf8)
        let start = target.count
        let bytes = ByteSlice(line)
        guard case .parsed(let time) = parser.parse(bytes.unsafeBytes, now: Self.now, into: &target, from: 0) else {
            return nil
        }
        return (String(decoding: target[start...], as: UTF8.self), time?.nanoseconds)
    }

    struct Case: Sendable {
        var lines: String
        var line: String
        var members: String?
        var time: Int64?
    }

    static let lenient =
        "Format regex\nRegex ^(?<time>\\S+) (?<m>.*)\nTime_Format %Y-%m-%dT%H:%M:%S.%L%z\nTime_Strict Off"

    static let cases: [Case] = [
        Case(lines: "Format regex\nRegex ^(?<a>\\w+) (?<b>\\d*)$", line: "x 12", members: #""a":"x","b":"12""#),
        Case(lines: "Format regex\nRegex ^(?<a>\\w+) (?<b>\\d*)$", line: "x ", members: #""a":"x""#),
        Case(
            lines: "Format regex\nRegex ^(?<a>\\w+) (?<b>\\d*)$\nSkip_Empty_Values Off",
            line: "x ",
            members: #""a":"x","b":"""#
        ),
        Case(lines: "Format regex\nRegex ^(?<a>\\w+)$", line: "x y", members: nil),
        Case(
            lines:
                "Format regex\nRegex ^(?<a>\\S+) (?<b>\\S+) (?<c>\\S+) (?<d>\\S+) (?<e>\\S+) (?<f>\\S+)\nTypes a:integer b:float c:bool d:hex,e:integer f:string",
            line: "-012x 1.50 True 0xff - \u{1}\"",
            members: #""a":-12,"b":1.5,"c":true,"d":255,"e":"-","f":"\u0001\"""#
        ),
        Case(
            lines: "Format regex\nRegex ^(?<time>[^ ]+) (?<m>.*)\nTime_Key time\nTime_Format %Y-%m-%dT%H:%M:%S.%L%z",
            line: "2026-03-14T09:26:53.591793158Z hello",
            members: #""m":"hello""#,
            time: 1_773_480_413_591_793_158
        ),
        Case(
            lines:
                "Format regex\nRegex ^(?<time>[^ ]+) (?<m>.*)\nTime_Format %Y-%m-%dT%H:%M:%S\nTime_Keep On\nTime_Offset +0200",
            line: "2024-02-29T14:00:00 x",
            members: #""time":"2024-02-29T14:00:00","m":"x""#,
            time: 1_709_208_000_000_000_000
        ),
        Case(
            lines: "Format regex\nRegex ^(?<time>\\S+) (?<m>.*)\nTime_Format %Y",
            line: "never x",
            members: #""time":"never","m":"x""#
        ),
        Case(
            lines: "Format json",
            line: #" {"a" : [1, {"b": "c"}], "d":"\u00e4"} "#,
            members: #""a":[1,{"b":"c"}],"d":"\u00e4""#
        ),
        Case(lines: "Format json", line: #"{"a":1} x"#, members: nil),
        Case(lines: "Format json", line: "[1]", members: nil),
        Case(lines: "Format json", line: "{}", members: ""),
        Case(
            lines: "Format json\nTime_Key t\nTime_Format %s",
            line: #"{"t":"12","a":1}"#,
            members: #""a":1"#,
            time: 12_000_000_000
        ),
        Case(
            lines: "Format json\nDecode_Field_As json log",
            line: #"{"log":"{\"a\": 1}","x":2}"#,
            members: #""log":{"a":1},"x":2"#
        ),
        Case(
            lines: "Format json\nDecode_Field json log",
            line: #"{"log":"{\"a\": 1}"}"#,
            members: #""log":"{\"a\": 1}","a":1"#
        ),
        Case(
            lines: "Format json\nDecode_Field_As escaped log do_next\nDecode_Field_As json log",
            line: #"{"log":"{\\\"a\\\": 1}\\n"}"#,
            members: #""log":{"a":1}"#
        ),
        Case(
            lines: "Format json\nDecode_Field_As json log try_next\nDecode_Field_As escaped_utf8 log",
            line: #"{"log":"a\\u00e4\\tb"}"#,
            members: #""log":"aä\tb""#
        ),
        Case(lines: "Format json\nDecode_Field_As mysql_quoted q", line: #"{"q":"'it\\'s'"}"#, members: #""q":"it's""#),
        Case(
            lines: "Format logfmt",
            line: #"level=info msg="a \"b\"\n" n=5 bare e= q="" x=a=b"#,
            members: #""level":"info","msg":"a \"b\"\n","n":"5","bare":true,"e":true,"q":"","x":"a=b""#
        ),
        Case(lines: "Format logfmt\nLogfmt_No_Bare_Keys On", line: "a=1 bare", members: nil),
        Case(lines: "Format logfmt\nTypes n:integer", line: "n=5 m=\"open", members: #""n":5,"m":"open""#),
        Case(lines: "Format logfmt", line: " ==", members: nil),
        Case(
            lines: "Format ltsv\nTime_Key time\nTime_Format [%d/%b/%Y:%H:%M:%S %z]\nTypes n:integer",
            line: "time:[29/Feb/2024:12:00:00 +0000]\thost:a:b\tn:5\tempty:",
            members: #""host":"a:b","n":5,"empty":"""#,
            time: 1_709_208_000_000_000_000
        ),
        Case(lines: "Format ltsv", line: "no labels", members: nil),
        Case(lines: "Format ltsv", line: "nolabel\thost:x", members: nil),
        Case(lines: "Format ltsv", line: "host:x\t\ta:b\t", members: #""host":"x","a":"b""#),
        Case(
            lines: "Format json\nDecode_Field json log",
            line: #"{"log":"{\"a\": 1}","a":2}"#,
            members: #""log":"{\"a\": 1}","a":1"#
        ),
        Case(
            lines: Self.lenient,
            line: "2024-03-01T10:00:00.123 x",
            members: #""m":"x""#,
            time: 1_709_287_200_123_000_000
        ),
        Case(lines: Self.lenient, line: "2024-03-01T10:00 x", members: #""m":"x""#, time: 1_709_287_200_000_000_000),
        Case(lines: Self.lenient, line: "2024-03 x", members: #""time":"2024-03","m":"x""#),
        Case(
            lines: Self.lenient.replacing("Off", with: "On"),
            line: "2024-03-01T10:00 x",
            members: #""time":"2024-03-01T10:00","m":"x""#
        ),
    ]

    @Test(arguments: cases)
    func linesBecomeMembers(_ expected: Case) throws {
        let found = Self.parse(expected.line, try Self.parser(expected.lines))
        let members = expected.members.map { $0.isEmpty ? "" : "," + $0 }
        #expect(found?.members == members)
        #expect(found?.time == expected.time)
    }

    static let wrong: [(lines: String, message: String)] = [
        ("", "this parser has no format"), ("Format xml", "unknown format 'xml'"),
        ("Format regex", "this parser has the format regex and no regex"),
        ("Format json\nTypes a:colour", "'a:colour' is no field and type"),
        ("Format json\nTim_Key x", "unknown key 'Tim_Key' of [PARSER]"),
        ("Format json\nTime_Format %Y\nTime_Offset nowhere", "unknown time zone 'nowhere'"),
        ("Format json\nDecode_Field rot13 log", "'rot13 log' is no decoder and field"),
        ("Format json\nSkip_Empty_Values maybe", "'maybe' is no value of skip_empty_values: it must be on or off"),
    ]

    @Test(arguments: wrong)
    func wrongDefinitionsAreErrors(lines: String, message: String) throws {
        let errors = try #require(throws: Diagnostics.self) { try Self.parser(lines) }
        #expect(errors.all.map(\.message) == [message])
    }

    @Test
    func anyLineIsParsedOrRefusedAndTheResultIsJSON() throws {
        var random = SeededRandom(seed: 6)
        let parsers = try [
            "Format logfmt", "Format ltsv", "Format json\nDecode_Field_As json a",
            "Format regex\nRegex (?<a>\\S+) (?<b>.*)",
        ].map(Self.parser)
        let alphabet = Array("ab=\":\\{}[],\t 1\u{1}\u{FF}n".utf8)
        for _ in 0..<3_000 {
            let bytes = (0..<Int.random(in: 0..<40, using: &random)).map { _ in
                alphabet.randomElement(using: &random) ?? 0
            }
            let line = ByteSlice(bytes)
            for parser in parsers {
                var target: [UInt8] = [UInt8(ascii: "{")]
                guard case .parsed = parser.parse(line.unsafeBytes, now: Self.now, into: &target, from: 1) else {
                    continue
                }
                target.append(UInt8(ascii: "}"))
                let valid = target.withUnsafeBytes { (try? JSONValue($0)) != nil }
                #expect(valid, "\(bytes)")
            }
        }
    }
}
