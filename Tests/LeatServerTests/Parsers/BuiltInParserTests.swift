import LeatCore
import LeatTesting
import Testing

@testable import LeatServer

/// `parsers/server/*.yaml` are the built-in parsers; `BuiltInParsers.swift` is made from them with `UPDATE_GOLDEN=1`.
@Suite struct BuiltInParserTests {
    static let package = "/" + #filePath.split(separator: "/").dropLast(4).joined(separator: "/")

    static func files() throws -> [ParserDefinition] {
        let disk = PosixFileSystem()
        return try disk.list("\(Self.package)/parsers/server").filter { $0.hasSuffix(".yaml") }.map { file in
            let name = String(file.dropLast(5))
            let text = try disk.contents("\(Self.package)/parsers/server/\(file)").text
            let yaml = try YAMLDocument(text, source: file)
            #expect(yaml.root?["name"]?.text == name)
            guard let parser = ParserDefinition(name: name, yaml: yaml) else { throw TestFailure("\(file): no script") }
            return parser
        }
    }

    @Test func theProgramHasWhatTheFilesSay() throws {
        let files = try Self.files()
        if environment("UPDATE_GOLDEN") == "1" {
            let path = "\(Self.package)/Sources/LeatServer/Parsers/BuiltInParsers.swift"
            let file = try PosixFileSystem().open(path, .readWrite)
            defer { file.close() }
            try file.truncate(to: 0)
            try file.write([ByteSlice(Self.source(files))], at: 0)
            return
        }
        #expect(ParserDefinition.builtIn == files, "run UPDATE_GOLDEN=1 swift test --filter BuiltInParserTests")
    }

    static func source(_ parsers: [ParserDefinition]) -> String {
        var text = """
            // Generated from parsers/server/*.yaml, and so exempt from the limits of length: UPDATE_GOLDEN=1 swift test --filter BuiltInParserTests

            extension ParserDefinition {
                /// The parsers that every server has.
                static let builtIn: [ParserDefinition] = [

            """
        for parser in parsers {
            text += "        ParserDefinition(\n            name: \"\(parser.name)\",\n            script: #\"\"\"\n"
            for line in parser.script.split(separator: "\n", omittingEmptySubsequences: false) {
                text += (line.isEmpty ? "" : "                \(line)") + "\n"
            }
            text += "                \"\"\"#\n        ),\n"
        }
        return text + "    ]\n}\n"
    }

    struct Corpus: Sendable {
        let parser: String
        let file: String
        /// Share of the lines that must be taken apart.
        let share: Double
    }

    static let corpora: [Corpus] = [
        Corpus(parser: "nginx", file: "apps-with-expected/nginx-access/input.log", share: 0.9),
        Corpus(parser: "apache", file: "apache-access/elastic_apache.a.log", share: 0.99),
        Corpus(parser: "accesslog", file: "apache-access/elastic_apache.a.log", share: 0.99),
        Corpus(parser: "klog", file: "klog-kubelet/ec2-kubelet.a.log", share: 0.9),
        Corpus(parser: "docker", file: "docker-json/crowdsec_docker-logs_docker-logs.log", share: 0.99),
        Corpus(parser: "apache", file: "apps-with-expected/apache-error/input.log", share: 0.9),
    ]

    @Test(arguments: corpora.indices)
    func realLogsAreTakenApartAndNoLineIsLost(index: Int) async throws {
        let corpus = Self.corpora[index]
        guard let log = try SharedData.contents("data/corpus/\(corpus.file)") else { return }
        let lines = log.text.split(separator: "\n").prefix(2_000).map(String.init)
        try await TestServer.with { server in
            let body = JSONValue.array([["messages": .array(lines.map { .string($0) })]])
            let path = "/api/v1/ingest/humio-unstructured?parser=\(corpus.parser)"
            #expect(try await server.send("POST", path, body.bytes).status == 200)
            let total = try await server.query("count()").first?["_count"]?.scalarText
            #expect(total == String(lines.count))
            let failed = try await server.query("@error=true | count()").first?["_count"]?.scalarText
            let share = 1 - Double(failed.flatMap { Int($0) } ?? 0) / Double(lines.count)
            #expect(share >= corpus.share, "\(corpus.parser) took \(share) of \(corpus.file) apart")
        }
    }

    /// Lines of December that arrive in January: a day that is to come is of the year before.
    @Test func klogKnowsTheYearThatItDoesNotWrite() async throws {
        let now = SystemTime().now()
        let future = Timestamp(nanoseconds: now.nanoseconds + 30 * 86_400_000_000_000)
        let day = TimestampWriter.text(future).prefix(10).suffix(5).replacing("-", with: "")
        try await TestServer.with { server in
            let line = "I\(day) 12:00:00.250000    1190 a.go:156] late"
            #expect(try await server.send("POST", "/api/v1/ingest/raw?parser=klog", line).status == 200)
            let row = try #require(try await server.query("message=late").first)
            let time = try #require(row["@timestamp"]?.integer)
            #expect(time < now.milliseconds && time > now.milliseconds - 366 * 86_400_000, "\(row.jsonText)")
            #expect(time % 60_000 == 250 && row["level"] == "I" && row["year"] == nil)
        }
    }
}
