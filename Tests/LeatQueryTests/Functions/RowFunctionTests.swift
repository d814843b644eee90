import Testing

@testable import LeatQuery

/// A call, an event, and the fields that the call writes or changes; `nil` takes the field away.
struct FunctionCase: Sendable, CustomTestStringConvertible {
    let call: String
    let event: [String: String]
    let changes: [String: String?]

    init(_ call: String, _ event: [String: String], _ changes: [String: String?]) {
        self.call = call
        self.event = event
        self.changes = changes
    }

    var testDescription: String { self.call }

    func check() throws {
        let result = try #require(try FunctionRun.apply(self.call, to: self.event))
        var expected = self.event
        for (name, value) in self.changes { expected[name] = value }
        #expect(result == expected, "\(self.call) over \(self.event)")
    }
}

struct TextFunctionTests {
    static let cases: [FunctionCase] = [
        .init("lower(a)", ["a": "ÄBC"], ["_lower": "äbc"]),
        .init("upper(a, as=b)", ["a": "straße"], ["b": "STRASSE"]),
        .init("lower(a)", [:], [:]),
        .init("length(a)", ["a": "añb"], ["_length": "3"]),
        .init("text:length(\"abc\")", [:], ["_length": "3"]),
        .init("concat([a, b, c])", ["a": "1", "c": "3"], ["_concat": "13"]),
        .init("concat(a, b)", ["a": "1", "b": "2"], ["_concat": "12"]),
        .init("text:trim(a)", ["a": " \tx y\n"], ["_trim": "x y"]),
        .init("text:trim(a, mode=start)", ["a": " x "], ["_trim": "x "]),
        .init("text:substring(a, begin=1, end=3)", ["a": "hello"], ["_string": "el"]),
        .init("text:substring(a, begin=3)", ["a": "hello"], ["_string": "lo"]),
        .init("text:substring(a, begin=9)", ["a": "hello"], ["_string": ""]),
        .init("text:positionOf(a, character=\"l\")", ["a": "hello"], ["_position": "2"]),
        .init("text:positionOf(a, character=\"l\", occurrence=-1)", ["a": "hello"], ["_position": "3"]),
        .init("text:positionOf(a, character=\"z\")", ["a": "hello"], ["_position": "-1"]),
        .init(
            "text:editDistance(target=a, reference=\"kitten\", maxDistance=10)",
            ["a": "sitting"],
            ["_distance": "3"]
        ),
        .init("text:editDistance(target=a, reference=\"ab\", maxDistance=1)", ["a": "xyz"], ["_distance": "1"]),
        .init("stripAnsiCodes(a)", ["a": "\u{1B}[31mred\u{1B}[0m"], ["a": "red"]),
        .init("replace(\"(\\d+)\", with=\"<$1>\", field=a)", ["a": "x1y22"], ["a": "x<1>y<22>"]),
        .init("replace(\"(?<k>\\w)=\", with=\"${k}:\", field=a, as=b)", ["a": "x=1 y=2"], ["b": "x:1 y:2"]),
        .init("replace(regex=/z/, with=q, field=a, as=b)", ["a": "abc"], ["b": "abc"]),
        .init("replace(\"b*\", with=\"-\", field=a)", ["a": "abc"], ["a": "-a--c-"]),
        .init("splitString(a, by=\",\")", ["a": "x,y,,"], ["_splitstring[0]": "x", "_splitstring[1]": "y"]),
        .init("p := splitString(a, by=\"\\s+\", index=-1)", ["a": "x y  z"], ["p": "z"]),
        .init("splitString(a, by=\",\", as=p)", ["a": "abc"], ["p[0]": "abc"]),
        .init("lowercase(field=A, include=both)", ["A": "X"], ["A": nil, "a": "x"]),
        .init(
            "concatArray(a, separator=\"-\", prefix=\"<\", suffix=\">\")",
            ["a[0]": "1", "a[1]": "2"],
            ["_concatArray": "<1>-<2>"]
        ),
        .init("concatArray(\"a\", from=1)", ["a[0]": "1", "a[1]": "2", "a[3]": "4"], ["_concatArray": "2"]),
    ]

    @Test(arguments: cases)
    func textIsChanged(_ example: FunctionCase) throws { try example.check() }

    static let filters: [(call: String, keeps: Bool)] = [
        ("text:contains(a, substring=\"ell\")", true), ("text:contains(a, substring=\"ELL\")", false),
        ("text:startsWith(a, substring=\"he\")", true), ("text:startsWith(a, substring=\"lo\")", false),
        ("text:endsWith(a, substring=\"lo\")", true), ("text:endsWith(b, substring=\"lo\")", false),
    ]

    @Test(arguments: filters)
    func textIsTested(call: String, keeps: Bool) throws {
        #expect((try FunctionRun.apply(call, to: ["a": "hello"]) != nil) == keeps)
    }
}

struct FormatFunctionTests {
    /// A format, the values of `a` and `b`, and the text.
    static let formats: [(format: String, a: String?, b: String?, text: String)] = [
        ("%s/%s", "x", "y", "x/y"), ("%s", nil, nil, "null"), ("%2$s%1$s", "x", "y", "yx"), ("%d", "42", nil, "42"),
        ("%d", "42.9", nil, "42"), ("%d", "abc", nil, "null"), ("%05d", "-42", nil, "-0042"),
        ("%,d", "1234567", nil, "1,234,567"),
        ("%,.2f", "1234.5", nil, "1,234.50"), ("%.3f", "0.12345", nil, "0.123"),
        ("%8.2f|", "3.14159", nil, "    3.14|"),
        ("%-6s|", "ab", nil, "ab    |"), ("%6s|", "ab", nil, "    ab|"), ("%x", "255", nil, "ff"),
        ("%#X", "255", nil, "0XFF"),
        ("%hhx", "-1", nil, "ff"), ("%o", "8", nil, "10"), ("%e", "12345.678", nil, "1.234568e+04"),
        ("%+d", "5", nil, "+5"),
        ("%(d", "-5", nil, "(5)"), ("100%%", nil, nil, "100%"), ("%s %<s", "x", nil, "x x"), ("%.2s", "abc", nil, "ab"),
        ("%S", "abc", nil, "ABC"), ("%c", "65", nil, "A"), ("%b", "true", nil, "true"),
        ("%08x", "255", nil, "000000ff"),
        ("%tF", "1700000000000", nil, "2023-11-14"), ("%1$tH:%1$tM", "1700000000000", nil, "22:13"),
        ("%,i", "1000", nil, "1,000"),
    ]

    @Test(arguments: formats)
    func valuesAreFormatted(format: String, a: String?, b: String?, text: String) throws {
        var event: [String: String] = [:]
        event["a"] = a
        event["b"] = b
        let call = "format(\(QueryPrinter.quote(format)), field=[a, b])"
        #expect(try FunctionRun.apply(call, to: event)?["_format"] == text)
    }

    @Test
    func unknownTypeIsRefused() {
        #expect(throws: CallProblem.self) { try FunctionRun.apply("format(\"%y\", field=a)", to: [:]) }
        #expect(throws: CallProblem.self) { try FunctionRun.apply("format(\"%\", field=a)", to: [:]) }
        #expect(throws: CallProblem.self) { try FunctionRun.apply("format(\"%999999999s\", field=a)", to: [:]) }
    }
}

struct NumberFunctionTests {
    static let cases: [FunctionCase] = [
        .init("math:abs(a)", ["a": "-2.5"], ["_abs": "2.5"]),
        .init("math:sqrt(a)", ["a": "-1"], [:]),
        .init("math:sqrt(a)", ["a": "x"], [:]),
        .init("math:pow(a, exponent=3)", ["a": "2"], ["_pow": "8"]),
        .init("math:mod(a, divisor=3)", ["a": "-1"], ["_mod": "2"]),
        .init("math:floor(a)", ["a": "-1.5"], ["_floor": "-2"]),
        .init("math:deg2rad(a)", ["a": "180"], ["_deg2rad": "3.141592653589793"]),
        .init("round(a)", ["a": "2.5"], ["a": "3"]),
        .init("round(a)", ["a": "-2.5"], ["a": "-2"]),
        .init("round(a, how=ceil)", ["a": "2.1"], ["a": "3"]),
        .init("round(a)", ["a": "x"], [:]),
        .init("parseInt(a)", ["a": "ff"], ["a": "255"]),
        .init("parseInt(a, as=b, radix=10)", ["a": "12"], ["b": "12"]),
        .init("parseInt(a, endian=little)", ["a": "0x0100"], ["a": "1"]),
        .init("parseInt(a)", ["a": "xyz"], [:]),
        .init(
            "bitfield:extractFlags(field=a, output=[[0, one], [1, two]])",
            ["a": "2"],
            ["one": "false", "two": "true"]
        ),
        .init(
            "bitfield:extractFlagsAsString(field=a, flagNames=[[0, one], [1, two]])",
            ["a": "3"],
            ["_flags": "one two"]
        ),
        .init("bitfield:extractFlagsAsArray(field=a, flagNames=[[1, two]])", ["a": "3"], ["_flags[0]": "two"]),
        .init("unit:convert(a, from=ms, to=s)", ["a": "1500"], ["a": "1.5"]),
        .init("unit:convert(a, from=B, to=KiB)", ["a": "2048"], ["a": "2"]),
        .init("unit:convert(a, to=M)", ["a": "2500000"], ["a": "2.5"]),
        .init("unit:convert(a, from=h, to=min, keepUnit=true)", ["a": "2"], ["a": "120 min"]),
        .init("formatDuration(a)", ["a": "93784000"], ["a": "1d2h3m4s"]),
        .init("formatDuration(a, from=s, precision=2)", ["a": "93784"], ["a": "1d2h"]),
        .init("formatDuration(a)", ["a": "0"], ["a": "0ms"]),
        .init("duration(\"1h30m\")", [:], ["_duration": "5400000"]),
    ]

    @Test(arguments: cases)
    func numberIsComputed(_ example: FunctionCase) throws { try example.check() }
}

struct TimeFunctionTests {
    static let cases: [FunctionCase] = [
        .init(
            "formatTime(\"%Y-%m-%d %H:%M:%S.%L\", as=t)",
            ["@timestamp": "1700000000123"],
            ["t": "2023-11-14 22:13:20.123"]
        ),
        .init(
            "formatTime(\"%F %T %z\", as=t, timezone=\"+02:00\")",
            ["@timestamp": "1700000000000"],
            ["t": "2023-11-15 00:13:20 +0200"]
        ),
        .init(
            "formatTime(\"%e %b %y %l%p %A\", as=t)",
            ["@timestamp": "1700000000000"],
            ["t": "14 Nov 23 10pm Tuesday"]
        ),
        .init(
            "formatTime(\"%r|%R|%D|%s\", as=t)",
            ["@timestamp": "1700000000000"],
            ["t": "10:13:20 PM|22:13|11/14/23|1700000000"]
        ),
        .init("formatTime(\"%F\", as=t, field=s)", ["s": "1700000000"], ["t": "2023-11-14"]),
        .init("formatTime(\"%F\", as=t, field=s, unit=milliseconds)", ["s": "1700000000"], ["t": "1970-01-20"]),
        .init("formatTime(\"%F\", as=t, field=s)", ["s": "x"], [:]),
        .init("time:hour()", ["@timestamp": "1700000000000"], ["_hour": "22"]),
        .init("time:dayOfWeek()", ["@timestamp": "1700000000000"], ["_dayOfWeek": "2"]),
        .init("time:dayOfWeekName()", ["@timestamp": "1700000000000"], ["_dayOfWeekName": "Tuesday"]),
        .init("time:monthName(timezone=\"UTC\")", ["@timestamp": "1700000000000"], ["_monthName": "November"]),
        .init("time:hour()", ["@timestamp": "1700000000000", "@timezone": "+03:00"], ["_hour": "1"]),
        .init("time:weekOfYear()", ["@timestamp": "1700000000000"], ["_weekOfYear": "46"]),
        .init("now()", [:], ["_now": "1700000000000"]),
    ]

    @Test(arguments: cases)
    func timeIsWritten(_ example: FunctionCase) throws { try example.check() }

    /// Formats of `parseTimestamp`, texts, and the milliseconds; `nil`: the text does not fit.
    static let readings: [(format: String, text: String, milliseconds: Int64?)] = [
        ("yyyy-MM-dd'T'HH:mm:ss[.SSSSSSSSS]XXXXX", "2023-11-14T22:13:20.5Z", 1_700_000_000_500),
        ("yyyy-MM-dd'T'HH:mm:ss[.SSSSSSSSS]XXXXX", "2023-11-14T23:13:20+01:00", 1_700_000_000_000),
        ("dd/MMM/yyyy:HH:mm:ss Z", "14/Nov/2023:22:13:20 +0000", 1_700_000_000_000),
        ("yyyyMMddHHmmssSSSX", "20231114221320123Z", 1_700_000_000_123),
        ("EEE, d MMM yyyy HH:mm:ss zzz", "Tue, 14 Nov 2023 22:13:20 GMT", 1_700_000_000_000),
        ("MM/dd/yy hh:mm:ss a z", "11/14/23 10:13:20 PM UTC", 1_700_000_000_000),
        ("millis", "1700000000123", 1_700_000_000_123), ("seconds", "1700000000.5", 1_700_000_000_500),
        ("unixtime", "1700000000", 1_700_000_000_000), ("nanos", "1700000000123456789", 1_700_000_000_123),
        ("yyyy-MM-dd HH:mm:ss VV", "2023-11-14 23:13:20 Europe/Copenhagen", 1_700_000_000_000),
        ("MMM [ ]d HH:mm:ss z", "Nov 14 22:13:20 UTC", 1_700_000_000_000),
        ("MMM [ ]d HH:mm:ss z", "Dec  1 00:00:00 UTC", 1_669_852_800_000),
        ("yyyy-MM-dd", "2023-11-14", nil), ("yyyy-MM-ddX", "2023-13-14Z", nil), ("yyyyX", "nonsense", nil),
    ]

    @Test(arguments: readings)
    func timestampIsRead(format: String, text: String, milliseconds: Int64?) throws {
        let event = try FunctionRun.apply("parseTimestamp(\(QueryPrinter.quote(format)), field=t)", to: ["t": text])
        #expect(event?["@timestamp"] == milliseconds.map { String($0) })
        #expect((event?["@error"] == "true") == (milliseconds == nil))
    }

    @Test
    func givenZoneIsUsed() throws {
        let call = "parseTimestamp(\"yyyy-MM-dd HH:mm\", field=t, timezone=\"America/New_York\")"
        let event = try FunctionRun.apply(call, to: ["t": "2023-07-01 12:00"])
        #expect(event?["@timestamp"] == "1688227200000")
        #expect(event?["@timezone"] == "America/New_York")
    }

    /// Lines, and the time found in them.
    static let lines: [(line: String, milliseconds: Int64?)] = [
        ("2023-11-14T22:13:20.123Z INFO started", 1_700_000_000_123),
        ("INFO 2023-11-14 22:13:20,123 started", 1_700_000_000_123),
        (#"1.2.3.4 - - [14/Nov/2023:22:13:20 +0000] "GET / HTTP/1.1" 200"#, 1_700_000_000_000),
        ("<13>Nov 14 22:13:20 host app: text", 1_700_000_000_000), ("ts=1700000000123 level=info", 1_700_000_000_123),
        ("at 1700000000.25 s", 1_700_000_000_250), ("Tue, 14 Nov 2023 22:13:20 GMT", 1_700_000_000_000),
        ("2023/11/14 22:13:20 nginx", 1_700_000_000_000), ("nothing here 12:00", nil), ("", nil),
    ]

    @Test(arguments: lines)
    func timestampIsFound(line: String, milliseconds: Int64?) throws {
        let event = try FunctionRun.apply("findTimestamp()", to: ["@rawstring": line])
        #expect(event?["@timestamp"] == milliseconds.map { String($0) })
    }
}
