import Glibc
import LeatCore
import LeatTesting
import Testing

@testable import LeatQuery

/// Runs the scripts in `Scripts`; `UPDATE_GOLDEN=1` writes what the engine answers into them.
struct QueryScriptTests {
    private static let folder = #filePath.split(separator: "/").dropLast(2).joined(separator: "/")

    static let paths: [String] = {
        let folder = "/\(Self.folder)/Scripts"
        do {
            return try PosixFileSystem().list(folder).filter { $0.hasSuffix(".query") }.sorted().map {
                "\(folder)/\($0)"
            }
        } catch {
            Issue.record("the scripts cannot be listed: \(error)")
            return []
        }
    }()

    @Test(arguments: paths)
    func answersAsWritten(_ path: String) throws {
        let text = try PosixFileSystem().contents(path).text
        let script = QueryScript(text)
        var lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        for step in script.cases.reversed() {
            let batches = step.events.isEmpty ? [] : [try EventLoading.batch(step.events)]
            let answer = QueryScript.answer(step.query, step.options, over: batches)
            if environment("UPDATE_GOLDEN") != nil {
                lines.replaceSubrange(step.expectedLines, with: answer.split(separator: "\n").map(String.init))
            } else {
                #expect(answer == step.expected, "\(step.name): \(step.query)")
            }
        }
        if environment("UPDATE_GOLDEN") != nil { try Self.write(lines.joined(separator: "\n"), to: path) }
    }

    private static func write(_ text: String, to path: String) throws {
        guard let file = fopen(path, "w") else { return }
        defer { fclose(file) }
        fputs(text, file)
    }

    /// Split at random, shared among workers, encoded anew: the answer is always the same.
    @Test(arguments: paths)
    func answersTheSameHoweverRowsCome(_ path: String) throws {
        let script = QueryScript(try PosixFileSystem().contents(path).text)
        for (number, step) in script.cases.enumerated() where !step.events.isEmpty {
            let whole = QueryScript.answer(step.query, step.options, over: [try EventLoading.batch(step.events)])
            for seed in 0..<4 {
                var random = SeededRandom(seed: UInt64(number * 100 + seed))
                var batches = try EventLoading.split(step.events, &random)
                if seed > 0 { batches = try batches.map { try EventLoading.encodedAnew($0, &random) } }
                let answer = QueryScript.answer(step.query, step.options, over: batches, threads: seed)
                #expect(answer == whole, "seed \(seed): \(step.query)")
            }
        }
    }

    /// Fed batch by batch, a live aggregate ends with the same answer.
    @Test(arguments: paths)
    func answersTheSameLive(_ path: String) throws {
        let script = QueryScript(try PosixFileSystem().contents(path).text)
        for (number, step) in script.cases.enumerated() where !step.events.isEmpty {
            var random = SeededRandom(seed: UInt64(number))
            let plan: QueryPlan
            do {
                plan = try QueryPlan(try QueryParser.parse(step.query), options: step.options)
            } catch {
                continue
            }
            guard plan.isAggregate, plan.program.source == nil,
                step.options.start != nil || !step.query.contains("hart"),
                !["join", "defineTable", "remoteTable", "selfJoinFilter", "bucket"].contains(where: {
                    step.query.contains($0)
                })
            else { continue }
            let live = LiveExecution(plan)
            for batch in try EventLoading.split(step.events, &random).reversed() {
                let rows = try live.consume(batch)
                #expect(rows.count == 0)
            }
            let whole = QueryScript.answer(step.query, step.options, over: [try EventLoading.batch(step.events)])
            do {
                let answer = QueryScript.text(try live.currentResult(now: step.options.now))
                #expect(answer == whole, "live: \(step.query)")
            } catch {
                #expect("\(error)" == whole, "live: \(step.query)")
            }
        }
    }
}
