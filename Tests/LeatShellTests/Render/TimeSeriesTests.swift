import LeatCore
import Testing

@testable import LeatShell

@Suite struct TimeSeriesTests {
    static func series(_ columns: [String], _ rows: [String]) -> TimeSeries? {
        var series = TimeSeries(columns: columns)
        let row = AnswerRow()
        for text in rows {
            Array(text.utf8).withUnsafeBytes { if row.read($0) { series.add(row) } }
        }
        return series.arrange() ? series : nil
    }

    @Test func rowsPerGroupBecomeOneSeriesEach() throws {
        let series = try #require(
            Self.series(
                ["_bucket", "service", "_count"],
                [
                    #"{"_bucket":"0","service":"web","_count":"1"}"#,
                    #"{"_bucket":"0","service":"cart","_count":"2"}"#,
                    #"{"_bucket":"60000","service":"web","_count":"3"}"#,
                    #"{"_bucket":"60000","service":"cart","_count":"4"}"#,
                ]
            )
        )
        #expect(series.buckets == [0, 60_000])
        #expect(series.series.map(\.name) == ["web", "cart"])
        #expect(series.series.map(\.values) == [[1, 3], [2, 4]])
    }

    @Test func numbersThatNameGroupsAreSeenFromRepeatedBuckets() throws {
        let series = try #require(
            Self.series(
                ["_bucket", "status", "_count"],
                [
                    #"{"_bucket":"0","status":"200","_count":"7"}"#, #"{"_bucket":"0","status":"500","_count":"1"}"#,
                    #"{"_bucket":"10","status":"200","_count":"8"}"#,
                ]
            )
        )
        #expect(series.series.map(\.name) == ["200", "500"])
        #expect(series.series.map(\.values) == [[7, 8], [1, nil]])
    }

    @Test func severalNumbersPerGroupHaveTheirNames() throws {
        let series = try #require(
            Self.series(
                ["_bucket", "k", "_count", "_avg"],
                [
                    #"{"_bucket":"0","k":"a","_count":"1","_avg":"2.5"}"#,
                    #"{"_bucket":"10","k":"a","_count":"3","_avg":""}"#,
                ]
            )
        )
        #expect(series.series.map(\.name) == ["a _count", "a _avg"])
        #expect(series.series.map(\.values) == [[1, 3], [2.5, nil]])
    }

    @Test func bucketsWithoutRowsAreThere() throws {
        let rows = [0, 10, 40].map { #"{"_bucket":"\#($0)","_count":"1"}"# }
        let series = try #require(Self.series(["_bucket", "_count"], rows))
        #expect(series.buckets == [0, 10, 20, 30, 40])
        #expect(series.series[0].values == [1, 1, nil, nil, 1])
    }

    static let tables: [(columns: [String], rows: [String])] = [
        (["_bucket", "a"], [#"{"_bucket":"0","a":"x"}"#, #"{"_bucket":"1","a":"y"}"#]),
        (["_bucket", "a"], [#"{"_bucket":"soon","a":"1"}"#, #"{"_bucket":"1","a":"1"}"#]),
        (["_bucket", "a"], [#"{"_bucket":"0","a":"1"}"#, #"{"_bucket":"0","a":"1"}"#]),
        (["_bucket"], [#"{"_bucket":"0"}"#, #"{"_bucket":"1"}"#]),
    ]

    @Test(arguments: tables)
    func whatHasNoNumbersOverTimeIsNoChart(columns: [String], rows: [String]) {
        #expect(Self.series(columns, rows) == nil)
    }

    @Test func manySeriesTakeARowEachWithinTheWidth() throws {
        let rows = (0..<5).flatMap { bucket in
            (0..<6).map { #"{"_bucket":"\#(bucket * 60_000)","k":"name-\#($0)","_count":"\#(bucket * ($0 + 1))"}"# }
        }
        let terminal = Terminal(isTerminal: true, width: 60, height: 24)
        let shown = try RenderTests.write(
            rows,
            .auto,
            terminal: terminal,
            columns: ["_bucket", "k", "_count"],
            isAggregate: true
        )
        let lines = shown.split(separator: "\n")
        #expect(lines.count == 8)
        #expect(lines.allSatisfy { DisplayWidth.of(String($0)) <= 60 })
        #expect(lines[0].hasPrefix("name-5 │"))
        #expect(lines[0].hasSuffix("max 24"))
        #expect(lines[7].contains("1970-01-01T00:00:00Z"))
    }

    static let numbers: [(text: String, shown: String?)] = [
        ("111.96638655462185", "111.966"), ("0.000123456789", "0.0001235"), ("12", nil), ("1.5", nil),
        ("-7.00000000001", "-7"), ("1e300", nil), ("1.2.3.4.56789", nil), ("", nil), ("0.99999999", "1"),
    ]

    @Test(arguments: numbers)
    func longFractionsAreRounded(text: String, shown: String?) {
        let rounded = Array(text.utf8).withUnsafeBytes { ShownNumber.rounded($0) }
        #expect(rounded == shown)
    }

    @Test(arguments: [20, 24, 40, 80, 120], [1, 6])
    func chartsFitTheTerminal(width: Int, seriesCount: Int) throws {
        let rows = (0..<50).flatMap { bucket in
            (0..<seriesCount).map { number in
                #"{"_bucket":"\#(1_795_176_000_000 + bucket * 60_000)","service":"a-long-name-\#(number)","#
                    + #""_count":"\#(bucket * number)"}"#
            }
        }
        let terminal = Terminal(isTerminal: true, width: width, height: 24)
        let series = try #require(Self.series(["_bucket", "service", "_count"], rows))
        let chart = String(decoding: TimeChart(series, terminal: terminal).draw(), as: UTF8.self)
        for line in chart.split(separator: "\n") { #expect(DisplayWidth.of(String(line)) <= width, "\(chart)") }
        #expect(chart.contains("12:00:00Z"))
    }
}
