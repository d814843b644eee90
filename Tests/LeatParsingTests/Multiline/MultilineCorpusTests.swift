import LeatCore
import LeatParsing
import LeatTesting
import Testing

/// The corpora's truth: every trace one event, every other line one, per stream.
struct MultilineCorpusTests {
    struct Event: Hashable, CustomStringConvertible {
        var offset: UInt64
        var text: String
        var description: String { "\(self.offset): \(self.text.prefix(200))" }
    }

    static let languages = BuiltInMultiline.names.flatMap { [$0, "\($0)-interleaved"] }

    static let timestamps: [(folder: String, first: String)] = [
        ("ts-cassandra", #"(?:INFO|WARN|ERROR|DEBUG|TRACE)\s"#), ("ts-hadoop", #"\d{4}-\d\d-\d\d "#),
        ("ts-kafka-broker", #"\[\d{4}"#), ("ts-postgres-sql", #"\d{4}-\d\d-\d\d "#), ("ts-solr", #"\d{4}-\d\d-\d\d "#),
    ]

    @Test(arguments: languages)
    func tracesOfALanguageAreJoined(folder: String) throws {
        let name = String(folder.prefix { $0 != "-" })
        try self.compare(folder, try #require(BuiltInMultiline.rules(name)))
    }

    @Test(arguments: languages)
    func tracesAreJoinedAmongAllLanguages(folder: String) throws {
        try self.compare(folder, MultilineRules.combined(BuiltInMultiline.names.compactMap(BuiltInMultiline.rules)))
    }

    @Test(arguments: timestamps)
    func linesUpToTheNextFirstLineAreJoined(folder: String, first: String) throws {
        let text = """
            [MULTILINE_PARSER]
                name own
                type regex
                rule "start_state" "/^\(first)/" "more"
                rule "more" "/^(?!\(first))/" "more"
            """
        guard case .section(let section)? = ClassicFormat(text: text, source: "test").items.first else { return }
        try self.compare(folder, try MultilineDefinition(section).rules)
    }

    private func compare(_ folder: String, _ rules: MultilineRules) throws {
        let path = "data/corpus/multiline/\(folder)"
        guard let expected = try SharedData.contents("\(path)/expected-events.jsonl"),
            let log = try SharedData.contents("\(path)/cri.log")
        else { return }
        var truth: [Event] = []
        for line in expected.text.split(separator: "\n") {
            let value = try JSONValue(parsing: String(line))
            truth.append(Event(offset: UInt64(value["first_offset"]?.int ?? -1), text: value["log"]?.string ?? ""))
        }
        truth.sort { $0.offset < $1.offset }
        let found = Self.join(log, rules)
        if let index = zip(found, truth).enumerated().first(where: { $1.0 != $1.1 })?.offset {
            Issue.record("\(folder): event \(index) is \(found[index]) instead of \(truth[index])")
        }
        #expect(found.count == truth.count)
    }

    /// The events of a CRI log, in the order of their first lines.
    static func join(_ log: ByteSlice, _ rules: MultilineRules) -> [Event] {
        let machine = MultilineMachine(rules)
        var joiners = LogStream.allCases.map { _ in
            MultilineJoiner(machine, byteCountMax: 1 << 20, timeoutNanoseconds: 1_000_000)
        }
        var events: [Event] = []
        let emit = { (line: JoinedLine, bytes: UnsafeRawBufferPointer) in
            events.append(Event(offset: line.offset, text: String(decoding: bytes, as: UTF8.self)))
        }
        var splitter = LineSplitter(log.unsafeBytes)
        while let range = splitter.next() {
            let line = log.unsafeBytes.slice(range)
            guard let parsed = CRILine(line) else { continue }
            joiners[Int(parsed.stream.rawValue)].add(
                parsed.message(in: line),
                nanoseconds: parsed.nanoseconds,
                offset: UInt64(range.lowerBound),
                now: 0,
                emit: emit
            )
        }
        for index in joiners.indices { joiners[index].finish(now: 0, emit: emit) }
        return events.sorted { $0.offset < $1.offset }
    }
}
