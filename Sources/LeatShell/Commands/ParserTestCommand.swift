internal import LeatCore
internal import LeatQuery

/// `leat parser test`: the test cases of parser scripts.
///
/// Each input is a case: its assertions hold, or, without any, the script runs without an error.
public struct ParserTestCommand: Sendable {
    public var paths: [String]
    /// A file with one parser as JSON a line.
    public var jsonlPath: String?

    public init(paths: [String], jsonlPath: String? = nil) {
        self.paths = paths
        self.jsonlPath = jsonlPath
    }

    public func run() throws -> ExitStatus {
        var output = OutputStream()
        var (passed, failed) = (0, 0)
        for (place, parser) in try self.parsers() {
            let failures = ParserTester.failures(of: parser)
            failed += failures.count
            passed += parser.cases.count - failures.count
            for failure in failures { try output.write("\(place): \(failure)\n") }
        }
        try output.write("\(passed) passed, \(failed) failed\n")
        try output.finish()
        return failed > 0 ? .badData : .success
    }

    private func parsers() throws -> [(place: String, parser: ParserDefinition)] {
        var result: [(String, ParserDefinition)] = []
        for path in self.paths {
            result.append((path, try ParserDefinition(yaml: try LocalInput.open(path).text, path: path)))
        }
        guard let jsonlPath else { return result }
        let input = try LocalInput.open(jsonlPath)
        var splitter = LineSplitter(input.unsafeBytes)
        var number = 0
        while let range = splitter.nextOrRest() {
            number += 1
            let line = input.unsafeBytes.slice(range).trimmed
            if line.isEmpty { continue }
            let json: JSONValue
            do {
                json = try JSONValue(line)
            } catch {
                throw CommandError(.badData, "\(jsonlPath):\(number): not JSON: \(error)")
            }
            result.append(("\(jsonlPath):\(number)", try ParserDefinition(json: json)))
        }
        return result
    }
}

/// Runs the cases of one parser.
enum ParserTester {
    /// What is wrong, one line for each case that fails; a script that does not compile fails them all.
    static func failures(of parser: ParserDefinition) -> [String] {
        var options = QueryOptions(now: SystemTime().now())
        options.isCheckOnly = true
        let script: ParserScript
        do throws(QueryErrors) {
            script = try ParserScript(
                parser.script,
                tagFields: parser.tagFields,
                removedFields: parser.removedFields,
                options: options
            )
        } catch {
            let first = error.diagnostics[0]
            let reason = "script:\(first.line):\(first.column): \(first.message)"
            return parser.cases.indices.map { "case \($0 + 1): \(reason)" }
        }
        return parser.cases.enumerated().compactMap { index, testCase in
            Self.failure(of: testCase, script).map { "case \(index + 1): \($0)" }
        }
    }

    /// Why a case fails; `nil` when it passes.
    private static func failure(of testCase: ParserDefinition.Case, _ script: ParserScript) -> String? {
        var builder = BatchBuilder()
        builder.append(Array(testCase.input.utf8), to: builder.columnIndex(of: "@rawstring"))
        builder.endRow(timestamp: SystemTime().now().nanoseconds)
        let events = script.events(of: builder.finish()).flatMap { Self.events(of: $0) }
        if testCase.assertions.isEmpty {
            guard let failed = events.first(where: { $0["@error"] == "true" }) else { return nil }
            return failed["@error_msg"] ?? "the script failed"
        }
        for assertion in testCase.assertions {
            guard events.indices.contains(assertion.eventIndex) else {
                return "event \(assertion.eventIndex) is missing; the input became \(events.count)"
            }
            let event = events[assertion.eventIndex]
            for (name, value) in assertion.values where event[name] != value {
                return "'\(name)' is \(event[name].map { "'\($0)'" } ?? "absent"), not '\(value)'"
            }
            for name in assertion.absentFields where event[name] != nil { return "'\(name)' must be absent" }
        }
        return nil
    }

    /// The events of a batch, field by field.
    private static func events(of batch: Batch) -> [[String: String]] {
        let renderer: RowRenderer
        do throws(DamagedBlock) {
            renderer = try RowRenderer(batch, columns: batch.fieldNames)
        } catch {
            preconditionFailure("a batch in memory is damaged: \(error)")
        }
        return (0..<batch.rowCount).filter { batch.selection?[$0] ?? true }.map { row in
            var event = Dictionary(renderer.fields(row: row).map { ($0.name, $0.value) }) { first, _ in first }
            let time = Timestamp(nanoseconds: batch.timestamps[row]).milliseconds
            event["@timestamp"] = String(time)
            return event
        }
    }
}
