import LeatCore
import LeatQuery
import LeatTesting
import Testing

@testable import LeatShell

/// Queries over local files, from the bytes of a file to rows of JSON.
@Suite struct FileQueryTests {
    /// The rows of a query over one file.
    static func rows(_ text: String, of file: [UInt8], start: String? = nil, end: String? = nil) throws -> [String] {
        try withTemporaryFolder { folder in
            let path = try folder.write("lines.log", file)
            return try Self.rows(text, paths: [path], start: start, end: end).rows
        }
    }

    static func rows(
        _ text: String,
        paths: [String],
        start: String? = nil,
        end: String? = nil
    ) throws -> (rows: [String], summary: AnswerSummary) {
        var rows: [String] = []
        var summary = AnswerSummary()
        let query = FileQuery(text: text, paths: paths, start: start, end: end, arguments: [:])
        try query.run { row in
            rows.append(String(decoding: row, as: UTF8.self))
            return true
        } onEvent: { _ in
        } onEnd: { end in
            summary = end
        }
        return (rows, summary)
    }

    @Test func aFileThatIsMissingIsNamed() throws {
        try withTemporaryFolder { folder in
            let path = folder.path("none.log")
            let error = try #require(throws: CommandError.self) { try Self.rows("*", paths: [path]) }
            #expect(error.reason == "cannot open \(path): no such file or directory")
            #expect(error.status == .missingInput)
        }
    }

    static let cases: [(name: String, lines: String, query: String, rows: [String])] = [
        (
            "times with slashes, as nginx and Go write them",
            "2026/11/20 12:00:00 [error] 31#32: *7 failed\n2026/11/20 12:00:01.5 started\n",
            "select([@timestamp])",
            [#"{"@timestamp":1795176001500}"#, #"{"@timestamp":1795176000000}"#]
        ),
        ("an empty file", "", "groupBy(a)", []),
        (
            "documents: time, text and its alias",
            #"{"time":"2026-11-20T12:00:00.25Z","msg":"boom","status":500}"# + "\n",
            "",
            [
                #"{"@timestamp":1795176000250,"time":"2026-11-20T12:00:00.25Z","msg":"boom","status":"500","@rawstring":"boom"}"#
            ]
        ),
        (
            "a year that no time has",
            "1.2.3.4 - - [31/Dec/9999:00:00:00 +0000] \"GET / HTTP/1.1\" 200 1\n",
            "select([clientip, @rawstring])",
            [##"{"@rawstring":"1.2.3.4 - - [31/Dec/9999:00:00:00 +0000] \"GET / HTTP/1.1\" 200 1"}"##]
        ),
        (
            "a document without a text is its own",
            "{ \"@timestamp\" : \"2026-11-20T12:00:00Z\", \"a\" : {\"b\":[1,2]} }\n",
            "select([a.b[0], a.b[1], @rawstring])",
            [
                #"{"a.b[0]":"1","a.b[1]":"2","@rawstring":"{\"@timestamp\":\"2026-11-20T12:00:00Z\",\"a\":{\"b\":[1,2]}}"}"#
            ]
        ),
        (
            "rows that --json has written: milliseconds whatever their size",
            ##"{"@timestamp":1000,"@id":"7","#repo":"r","a":"x","@rawstring":""}"## + "\n",
            "",
            [##"{"@timestamp":1000,"@id":"7","#repo":"r","a":"x","@rawstring":""}"##]
        ),
        (
            "a logger that writes milliseconds has its text in msg",
            ##"{"@timestamp":1796000000250,"msg":"level=error x=1"}"## + "\n",
            "kvParse() | select([level, @rawstring])",
            [##"{"level":"error","@rawstring":"level=error x=1"}"##]
        ),
        (
            "bulk: the index becomes a tag",
            "{\"create\":{\"_index\":\"logs-2026.11.20\"}}\n{\"@timestamp\":\"1970-01-01T00:00:01Z\",\"message\":\"m\"}\n",
            "",
            [##"{"@timestamp":1000,"#index":"logs","message":"m","@rawstring":"m"}"##]
        ),
        (
            "CRI: parts are joined, per stream",
            """
            2026-11-20T12:00:00.000000001Z stdout P one, 
            2026-11-20T12:00:00.000000002Z stderr F other
            2026-11-20T12:00:00.000000003Z stdout F two

            """,
            "select([stream, @rawstring])",
            [#"{"stream":"stderr","@rawstring":"other"}"#, #"{"stream":"stdout","@rawstring":"one, two"}"#]
        ),
        (
            "docker: escapes are taken out, fields of JSON messages come out",
            #"{"log":"{\"level\":\"warn\",\"n\":1}\n","stream":"stdout","time":"2026-11-20T12:00:00Z"}"# + "\n",
            "select([level, n, stream, log])",
            [#"{"level":"warn","n":"1","stream":"stdout","log":"{\"level\":\"warn\",\"n\":1}"}"#]
        ),
        (
            "docker: labels are fields",
            #"{"log":"a\n","stream":"stdout","attrs":{"tier":"x"},"time":"2026-11-20T12:00:00Z"}"# + "\n",
            "select([log, attrs.tier])",
            [#"{"log":"a","attrs.tier":"x"}"#]
        ),
        (
            "objects of a shipper that look like docker's lines stay apart and whole",
            """
            {"log":"one","stream":"stdout","time":"2026-11-20T12:00:00Z","kubernetes":{"pod":"a"}}
            {"log":"two","stream":"stdout","time":"2026-11-20T12:00:01Z","kubernetes":{"pod":"b"}}

            """,
            "select([log, kubernetes.pod])",
            [#"{"log":"two","kubernetes.pod":"b"}"#, #"{"log":"one","kubernetes.pod":"a"}"#]
        ),
        (
            "the journal: its time and its text",
            #"{"__REALTIME_TIMESTAMP":"1795176000250000","MESSAGE":"jm","PRIORITY":"6"}"# + "\n",
            "",
            [#"{"@timestamp":1795176000250,"PRIORITY":"6","message":"jm","@rawstring":"jm"}"#]
        ),
        (
            "logfmt",
            "time=2026-11-20T12:00:00Z level=info msg=\"all is well\"\n",
            "select([@timestamp, level, msg])",
            [#"{"@timestamp":1795176000000,"level":"info","msg":"all is well"}"#]
        ),
        (
            "access log",
            "10.0.0.1 - - [20/Nov/2026:12:00:00 +0100] \"GET /a?b HTTP/1.1\" 200 12 \"-\" \"curl/8\"\n",
            "select([@timestamp, clientip, method, url, statuscode, useragent])",
            [
                #"{"@timestamp":1795172400000,"clientip":"10.0.0.1","method":"GET","url":"/a?b","statuscode":"200","#
                    + #""useragent":"curl/8"}"#
            ]
        ),
        (
            "syslog",
            "<34>1 2026-11-20T12:00:00Z web1 sshd 42 ID1 - hello there\n",
            "select([host, ident, pid, message])",
            [#"{"host":"web1","ident":"sshd","pid":"42","message":"hello there"}"#]
        ),
        (
            "the last of lines without times is the newest", "one\ntwo\nthree", "select(@rawstring)",
            [#"{"@rawstring":"three"}"#, #"{"@rawstring":"two"}"#, #"{"@rawstring":"one"}"#]
        ),
        ("DOS line ends", "one\r\ntwo\r\n", "two | select(@rawstring)", [#"{"@rawstring":"two"}"#]),
        (
            "a needle across two parts of a line is found",
            "2026-11-20T12:00:00Z stdout P nee\n2026-11-20T12:00:00Z stdout F dle\n",
            "needle | select(@rawstring)",
            [#"{"@rawstring":"needle"}"#]
        ),
    ]

    @Test(arguments: cases)
    func givesTheseRows(name: String, lines: String, query: String, rows: [String]) throws {
        #expect(try Self.rows(query, of: Array(lines.utf8)) == rows)
    }

    @Test func intervalIsAppliedToFiles() throws {
        let lines = (0..<10).map { #"{"@timestamp":\#(1000 * $0),"n":"\#($0)"}"# }.joined(separator: "\n")
        let rows = try Self.rows(
            "select(n)",
            of: Array(lines.utf8),
            start: "1970-01-01T00:00:03Z",
            end: "1970-01-01T00:00:05Z"
        )
        #expect(rows == [#"{"n":"4"}"#, #"{"n":"3"}"#])
    }

    @Test func chartsOfFilesReachFromTheFirstToTheLastEvent() throws {
        let lines = (0..<600).map { #"{"@timestamp":\#(1_795_176_000_000 + 1000 * $0),"n":"\#($0)"}"# }
        let rows = try Self.rows("timeChart(span=1m)", of: Array(lines.joined(separator: "\n").utf8))
        #expect(rows.count == 10)
        #expect(rows.first == #"{"_bucket":"1795176000000","_count":"60"}"#)
    }

    @Test func manyBlocksGiveTheAnswerOfOne() throws {
        var lines: [UInt8] = []
        for number in 0..<150_000 {
            lines += Array("{\"@timestamp\":\(number),\"group\":\"g\(number % 3)\",\"n\":\(number)}\n".utf8)
        }
        let counts = try Self.rows("groupBy(group, function=sum(n)) | sort(group, type=string, order=asc)", of: lines)
        #expect(
            counts == [
                #"{"group":"g0","_sum":"3749925000"}"#, #"{"group":"g1","_sum":"3749975000"}"#,
                #"{"group":"g2","_sum":"3750025000"}"#,
            ]
        )
        let newest = try Self.rows("head(1) | select(n)", of: lines)
        #expect(newest == [#"{"n":"0"}"#])
    }

    @Test(arguments: ["gzip", "zstd"])
    func compressedFilesAreRead(form: String) throws {
        let plain = Array("one\ntwo\n".utf8)
        let packed = plain.withUnsafeBytes { form == "gzip" ? Deflate.gzip($0) : Zstandard.compress($0) }
        #expect(try Self.rows("two | select(@rawstring)", of: packed) == [#"{"@rawstring":"two"}"#])
    }

    @Test func cutGzipFileIsAnError() throws {
        let packed = Array("one\ntwo\n".utf8).withUnsafeBytes { Deflate.gzip($0) }
        let error = #expect(throws: CommandError.self) { try Self.rows("one", of: Array(packed.dropLast(6))) }
        #expect(error?.status == .badData)
    }

    @Test func missingFileNamesItself() throws {
        let error = #expect(throws: CommandError.self) { try Self.rows("one", paths: ["/nowhere/at-all.log"]) }
        #expect(error?.status == .missingInput)
        #expect(error?.message.contains("/nowhere/at-all.log") == true)
    }

    @Test func queryIsCheckedBeforeFilesAreOpened() throws {
        let error = #expect(throws: CommandError.self) { try Self.rows("cont()", paths: ["/nowhere/at-all.log"]) }
        #expect(error?.status == .badData)
        #expect(error?.message.contains("did you mean 'count'?") == true)
    }

    @Test func aFileThatIsNoTextIsNamed() throws {
        try withTemporaryFolder { folder in
            let text = try folder.write("text.log", Array("a\nb\n".utf8))
            let binary = try folder.write("image.dat", [0x89, 0x50, 0, 10, 1, 10])
            let answer = try Self.rows("count()", paths: [text, binary])
            #expect(answer.rows == [#"{"_count":"4"}"#])
            #expect(answer.summary.warnings == ["\(binary) is no text: it has bytes of value 0"])
        }
    }

    @Test func badTimesAreToldOnce() throws {
        try withTemporaryFolder { folder in
            let path = try folder.write("lines.log", #"{"@timestamp":"yesterday","message":"m"}"# + "\n")
            let answer = try Self.rows("", paths: [path])
            #expect(answer.rows.count == 1)
            #expect(answer.summary.warnings.count == 1)
        }
    }

    @Test func everyFormatSurvivesRandomBytes() throws {
        var random = SeededRandom(seed: 8)
        let seeds = Self.cases.map { Array($0.lines.utf8) }.filter { !$0.isEmpty }
        for round in 0..<400 {
            var bytes = seeds[round % seeds.count]
            for _ in 0..<Int.random(in: 1...6, using: &random) {
                let position = Int.random(in: 0..<bytes.count, using: &random)
                bytes[position] = UInt8.random(in: .min ... .max, using: &random)
            }
            for format in LineFormat.allCases {
                var reader = LineReader(format, arrival: 0)
                let (batch, _) = bytes.withUnsafeBytes { reader.read($0) }
                #expect(batch.rowCount <= 10, "seed 8, round \(round), \(format)")
            }
        }
    }

    @Test func runsOfRowsAreMergedNewestFirst() throws {
        var runs = RowRuns()
        for (times, mark) in [([9, 5, 5, 1], "a"), ([7, 5], "b"), ([20, 10], "c")] as [([Int64], String)] {
            var builder = BatchBuilder()
            for (index, time) in times.enumerated() {
                builder.append(Array("\(mark)\(index)".utf8), to: builder.columnIndex(of: "x"))
                builder.endRow(timestamp: time)
            }
            let order = times.indices.map { QueryRows.Reference(batch: 0, row: $0) }
            try runs.add(QueryRows(batches: [builder.finish()], order: order), columns: ["x"])
        }
        var seen: [String] = []
        try runs.forEach { row in
            seen.append(
                String(decoding: row, as: UTF8.self).filter { $0.isLetter || $0.isNumber }.replacing("x", with: "")
            )
            return seen.count < 7
        }
        #expect(seen == ["c0", "c1", "a0", "b0", "a1", "a2", "b1"])
    }

    @Test func blocksInAnyOrderOfTimeGiveRowsNewestFirst() throws {
        // Several blocks, whose lines go back and forth in time.
        let filler = String(repeating: "x", count: 220)
        let lines = (0..<50_000).map { number in
            let second = (number * 7_919) % 86_400
            let time = [second / 3_600, second / 60 % 60, second % 60].map { $0 < 10 ? "0\($0)" : "\($0)" }
            return
                "2026-11-20T\(time.joined(separator: ":"))Z line \(number) \(number % 100 == 0 ? "rare" : "often") \(filler)\n"
        }
        let file = Array(lines.joined().utf8)
        #expect(file.count > BlockCutter.byteCountTarget * 3)
        let rows = try Self.rows("rare", of: file)
        #expect(rows.count == 500)
        func key(_ row: String) -> (String, Int) {
            let words = row.split(separator: " ")
            return (String(row.prefix(27)), Int(words[2]) ?? -1)
        }
        let keys = rows.map(key)
        #expect(zip(keys, keys.dropFirst()).allSatisfy { $0 > $1 }, "newest first, of equal times the later arrival")
        try withTemporaryFolder { folder in
            var query = FileQuery(
                text: "rare",
                paths: [try folder.write("lines.log", file)],
                start: nil,
                end: nil,
                arguments: [:]
            )
            query.rowCountMax = 10
            var few: [String] = []
            try query.run { row in
                few.append(String(decoding: row, as: UTF8.self))
                return true
            } onEvent: { _ in
            } onEnd: { _ in
            }
            #expect(few == Array(rows.prefix(10)), "a limit gives the same newest rows")
        }
    }

    /// Lines without what is looked for are passed over before they are read; the others must not notice.
    @Test(arguments: ["plain", "syslog", "json", "escaped", "logfmt", "access"])
    func linesThatArePassedOverLeaveTheOthersAsTheyAre(format: String) throws {
        var random = SeededRandom(seed: 20)
        var file = ""
        for number in 0..<3_000 {
            let word = Int.random(in: 0..<50, using: &random) == 0 ? "rare" : "usual"
            file += Self.line(format, number, word) + "\r\n"
        }
        let bytes = Array(file.utf8)
        let all = try Self.rows("", of: bytes).filter { $0.contains("rare") }
        #expect(all.count > 20)
        #expect(try Self.rows("rare", of: bytes) == all)
        #expect(try Self.rows("RARE", of: bytes).isEmpty)
        #expect(try Self.rows("/RARE/i", of: bytes) == all)
    }

    /// A line of a format; of plain text one in ten has a time, which those below it share, of syslog nine in ten.
    private static func line(_ format: String, _ number: Int, _ word: String) -> String {
        let clock = "12:\(String(number / 60 % 60 + 100).dropFirst()):\(String(number % 60 + 100).dropFirst())"
        switch format {
        case "plain": return number % 10 == 0 ? "2026-11-20T\(clock)Z \(word) \(number)" : "  at \(word) \(number)"
        case "syslog": return number % 10 < 9 ? "Nov 20 \(clock) host app: \(word)" : "\t\(word) \(number)"
        case "json", "escaped":
            let text = format == "escaped" && number % 2 == 0 ? word.replacing("a", with: "\\u0061") : word
            return #"{"@timestamp":"2026-11-20T\#(clock)Z","message":"\#(text) \#(number)"}"#
        case "logfmt": return "time=2026-11-20T\(clock)Z level=info msg=\"\(word) \(number)\""
        default:
            return #"10.0.0.1 - - [20/Nov/2026:\#(clock) +0000] "GET /\#(word)/\#(number) HTTP/1.1" 200 12 "-" "-""#
        }
    }
}
