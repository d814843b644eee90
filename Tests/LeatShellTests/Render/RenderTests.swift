import LeatCore
import Testing

@testable import LeatShell

@Suite struct RenderTests {
    /// What a format makes of rows.
    static func write(
        _ rows: [String],
        _ format: AnswerFormat,
        terminal: Terminal = .pipe,
        columns: [String]? = nil,
        isAggregate: Bool = false
    ) throws -> String {
        var writer = format.writer(terminal: terminal)
        var output = OutputStream()
        for row in rows { try Array(row.utf8).withUnsafeBytes { try writer.write($0, to: &output) } }
        var summary = AnswerSummary()
        summary.columns = columns
        summary.isAggregate = isAggregate
        try writer.finish(summary, to: &output)
        return String(decoding: output.takeBytes(), as: UTF8.self)
    }

    static let event =
        #"{"@timestamp":1795176000250,"@id":"1","service":"cart","level":"error","@rawstring":"it broke"}"#

    @Test func eventsAreLinesInAPipe() throws {
        #expect(try Self.write([Self.event], .table) == "2026-11-20T12:00:00.250Z cart it broke\n")
    }

    @Test func eventsHaveColoursOnATerminal() throws {
        let terminal = Terminal(isTerminal: true, hasColor: true)
        let shown = try Self.write([Self.event], .auto, terminal: terminal)
        #expect(shown.contains(" \u{1B}[1;31merror\u{1B}[0m it broke\n"))
        let again = try Self.write([Self.event], .auto, terminal: terminal)
        #expect(shown == again, "the colour of a source is stable")
    }

    @Test func controlCharactersAreShownNotSent() throws {
        let row = #"{"@timestamp":0,"@id":"1","@rawstring":"a\u001b[31mb\u0007\u0000\u009bc\nd\te\u202ef"}"#
        let shown = try Self.write([row], .auto, terminal: Terminal(isTerminal: true))
        #expect(shown == "1970-01-01T00:00:00.000Z a\\e[31mb\\x07\\0\\u{9b}c\nd       e\\u{202e}f\n")
    }

    @Test func objectsAreFoldedToLevelMessageAndFields() throws {
        let text =
            #"{\"ts\":1,\"level\":\"warn\",\"service\":\"cart\",\"msg\":\"slow\",\"ms\":250,\"user\":{\"id\":\"u1\"}}"#
        let row = #"{"@timestamp":1795176000250,"@id":"1","service":"cart","@rawstring":"\#(text)"}"#
        #expect(
            try Self.write([row], .auto, terminal: Terminal(isTerminal: true))
                == "2026-11-20T12:00:00.250Z cart warn slow ms=250 user.id=u1\n"
        )
        #expect(try Self.write([row], .auto).contains(#"{"ts":1,"level":"warn""#), "a pipe has the text as it arrived")
        let narrow = try Self.write([row], .auto, terminal: Terminal(isTerminal: true, width: 24))
        #expect(narrow == "2026-11-20T12:00:00.250Z cart warn slow ms=250 +1\n")
    }

    @Test func aTextLongerThanTheScreenIsCutWhileFolded() throws {
        let row = #"{"@timestamp":0,"@id":"1","@rawstring":"\#(String(repeating: "é", count: 5_000))"}"#
        let terminal = Terminal(isTerminal: true, width: 20, height: 5)
        let shown = try Self.write([row], .auto, terminal: terminal)
        #expect(shown.contains("é… (9.8 KiB in all; "))
        #expect(shown.filter { $0 == "é" }.count == 500)
        var whole = AnswerFormat.auto.writer(terminal: terminal, isFolded: false)
        var output = OutputStream()
        try Array(row.utf8).withUnsafeBytes { try whole.write($0, to: &output) }
        #expect(output.takeBytes().count > 10_000)
    }

    @Test func aTableIsCutAndAChartIsNot() throws {
        let rows = (0..<10).map { #"{"k":"a\#($0)","_count":"\#($0)"}"# }
        var writer = AnswerFormat.auto.writer(terminal: Terminal(isTerminal: true), rowCountMax: 3)
        var output = OutputStream()
        for row in rows { try Array(row.utf8).withUnsafeBytes { try writer.write($0, to: &output) } }
        #expect(writer.holdsRows)
        try writer.finish(AnswerSummary(), to: &output)
        #expect(output.takeBytes().split(separator: 0x0A).count == 4)
        #expect(writer.hiddenRowCount == 7)
    }

    @Test func longAnswersGoThroughThePagerAlsoAtTheirEnd() throws {
        let terminal = Terminal(isTerminal: true, width: 10, height: 5)
        let pager = try #require(Pager(terminal: terminal, environment: ["PAGER": "less"]))
        #expect(!pager.isNeeded(for: Array("a\nb\nc\n".utf8)))
        #expect(pager.isNeeded(for: Array("a\nb\nc\nd\ne\n".utf8)))
        #expect(pager.isNeeded(for: Array("\(String(repeating: "x", count: 45))\n".utf8)), "a line takes five rows")
        #expect(!pager.isNeeded(for: Array("\u{1B}[38;5;130mabc\u{1B}[0m\n\n\n".utf8)), "colours take no columns")
    }

    @Test func jsonOnATerminalEscapesWhatJSONLeaves() throws {
        let row = "{\"a\":\"x\u{9B}y\u{7F}\"}"
        #expect(try Self.write([row], .json, terminal: Terminal(isTerminal: true)) == "{\"a\":\"x\\u009by\\u007f\"}\n")
        #expect(try Self.write([row], .json) == row + "\n")
    }

    @Test func tablesAlignNumbersRightAndWideTextByItsWidth() throws {
        let rows = [#"{"name":"日本","_count":"7"}"#, #"{"name":"a","_count":"1234"}"#, #"{"_count":"x"}"#]
        #expect(try Self.write(Array(rows.prefix(2)), .table) == "name  _count\n日本       7\na       1234\n")
        #expect(try Self.write(rows, .table) == "name  _count\n日本  7\na     1234\n      x\n")
    }

    @Test func tablesFitTheTerminal() throws {
        let row = #"{"a":"\#(String(repeating: "x", count: 50))","b":"\#(String(repeating: "y", count: 50))"}"#
        let shown = try Self.write([row], .table, terminal: Terminal(isTerminal: true, width: 30))
        for line in shown.split(separator: "\n") { #expect(DisplayWidth.of(String(line)) <= 30) }
        #expect(shown.contains("…"))
        let narrow = try Self.write(
            [#"{"a":"1","b":"2","c":"3","d":"4"}"#],
            .table,
            terminal: Terminal(isTerminal: true, width: 9)
        )
        #expect(narrow.contains("more column"))
    }

    @Test func groupsGetBarsOnATerminal() throws {
        let rows = [#"{"k":"a","_count":"8"}"#, #"{"k":"b","_count":"4"}"#]
        let shown = try Self.write(
            rows,
            .auto,
            terminal: Terminal(isTerminal: true, width: 30),
            columns: ["k", "_count"],
            isAggregate: true
        )
        #expect(
            shown
                == "k  _count\na       8  \(String(repeating: "█", count: 19))\nb       4  \(String(repeating: "█", count: 9))▌\n"
        )
        #expect(
            try Self.write(rows, .auto, columns: ["k", "_count"], isAggregate: true)
                == "k  _count\na       8\nb       4\n"
        )
    }

    @Test func oneNumberIsLarge() throws {
        let shown = try Self.write(
            [#"{"_count":"120"}"#],
            .auto,
            terminal: Terminal(isTerminal: true),
            isAggregate: true
        )
        #expect(shown == "▄█  ▀▀█ █▀█\n █  █▀▀ █ █\n▀▀▀ ▀▀▀ ▀▀▀\n\n_count = 120\n")
    }

    @Test func chartHasBlocksAxisAndLegend() throws {
        let rows = (0..<4).map { #"{"_bucket":"\#(1_795_176_000_000 + $0 * 60_000)","_count":"\#($0 * 4)"}"# }
        let terminal = Terminal(isTerminal: true, width: 60, height: 10)
        #expect(
            try Self.write(rows, .chart, terminal: terminal, columns: ["_bucket", "_count"]) == """
                ■ _count  max 12
                  12 ┤                                       █████████████
                     ┤                          ▅▅▅▅▅▅▅▅▅▅▅▅▅█████████████
                     ┤             ▃▃▃▃▃▃▃▃▃▃▃▃▃██████████████████████████
                   0 ┤             ███████████████████████████████████████
                     └────────────────────────────────────────────────────
                      2026-11-20T12:00:00Z            2026-11-20T12:03:00Z

                """
        )
    }

    @Test func chartInPlainASCII() throws {
        let rows = (0..<2).map { #"{"_bucket":"\#($0 * 60_000)","_count":"\#($0 + 1)"}"# }
        let terminal = Terminal(isTerminal: true, width: 40, height: 8, isUnicode: false)
        let shown = try Self.write(rows, .chart, terminal: terminal, columns: ["_bucket", "_count"])
        #expect(shown.utf8.allSatisfy { $0 < 0x80 })
    }

    static let csv: [(rows: [String], columns: [String]?, text: String)] = [
        ([], nil, ""),
        ([#"{"b":"1"}"#, #"{"a":"x,\"y\"","b":"2"}"#], nil, "b,a\n1,\n2,\"x,\"\"y\"\"\"\n"),
        ([#"{"a":"1","b":"2"}"#], ["b", "c", "a"], "b,c,a\n2,,1\n"),
        ([#"{"a":"two\nlines"}"#, #"{"a":"\r"}"#], ["a"], "a\n\"two\nlines\"\n\"\r\"\n"),
        ([#"{"a":"","b":" x"}"#, #"{"c,d":"1"}"#], nil, "a,b,\"c,d\"\n,\" x\",\n,,1\n"),
        ([#"{"a":""}"#, "{}"], ["a"], "a\n\"\"\n\"\"\n"),
        ([#"{"ip[0]":"1","ip[1]":"2"}"#, #"{"ip[0]":"3"}"#], nil, "ip[0],ip[1]\n1,2\n3,\n"),
        ([], ["a", "_count"], "a,_count\n"),
        ([event], nil, "@timestamp,@id,service,level,@rawstring\n1795176000250,1,cart,error,it broke\n"),
    ]

    @Test(arguments: csv)
    func csvIsQuotedWhereItMust(rows: [String], columns: [String]?, text: String) throws {
        #expect(try Self.write(rows, .csv, columns: columns) == text)
    }

    @Test func csvOnATerminalShowsWhatWouldChangeIt() throws {
        let terminal = Terminal(isTerminal: true)
        let row = #"{"a":"x,\u001b[2J\"","b":"\u009b"}"#
        #expect(try Self.write([row], .csv, terminal: terminal) == "a,b\n\"x,\\e[2J\"\"\",\\u{9b}\n")
    }

    @Test func rawGivesTextOrValues() throws {
        #expect(try Self.write([Self.event], .raw) == "it broke\n")
        #expect(try Self.write([#"{"_count":"5"}"#], .raw) == "5\n")
        #expect(try Self.write([#"{"a":"hello","b":"world"}"#], .raw) == "a->hello, b->world\n")
    }

    @Test func megabyteLineIsWholeOrCut() {
        let text = [UInt8](repeating: UInt8(ascii: "x"), count: 1 << 20) + [0x1B]
        var whole: [UInt8] = []
        var cut: [UInt8] = []
        let terminal = Terminal(isTerminal: true)
        text.withUnsafeBytes { bytes in
            _ = ShownText.append(bytes, to: &whole, terminal: terminal)
            _ = ShownText.append(bytes, to: &cut, columnsMax: 5, terminal: terminal)
        }
        #expect(whole.count == (1 << 20) + 2)
        #expect(String(decoding: cut, as: UTF8.self) == "xxxx…")
    }

    static let widths: [(text: String, width: Int)] = [
        ("abc", 3), ("", 0), ("日本", 4), ("é", 1), ("e\u{301}", 1), ("😀", 2), ("\u{200B}", 0), ("ｱ", 1),
    ]

    @Test(arguments: widths)
    func widthIsThatOfTerminals(text: String, width: Int) {
        #expect(DisplayWidth.of(text) == width)
    }
}
