import Glibc
import LeatCore
import LeatParsing
import LeatTesting
import Testing

@testable import LeatAgent

/// `[INPUT] exec` with real commands.
struct ExecInputTests {
    /// A configuration; `keys` are those of the input, a line each.
    private static func configuration(_ keys: String, _ world: AgentWorld, service: String = "") -> String {
        """
        [SERVICE]
            Flush 0.01
            \(service)
        [PARSER]
            Name json
            Format json
        [INPUT]
            Name exec
            Interval_Sec 0
            Interval_NSec 2000000
        \(keys.split(separator: "\n").map { "    \($0)" }.joined(separator: "\n"))
        [OUTPUT]
            Name file
            Match *
            Format plain
            Path \(world.folder.path)
            File out.jsonl
        """
    }

    private func withWorld(_ body: (AgentWorld, TemporaryFolder) throws -> Void) throws {
        try withTemporaryFolder { folder in
            let world = try AgentWorld(folder)
            defer { for agent in world.agents { agent.stop() } }
            try body(world, folder)
        }
    }

    /// Whether a process runs; one that has ended and that nobody has asked for does not.
    private static func isRunning(_ processID: Int32) -> Bool {
        guard let status = try? PosixFileSystem().contents("/proc/\(processID)/stat").text else { return false }
        return status.split(separator: ")").last?.contains("Z") == false
    }

    static let outputs: [(keys: String, records: [String])] = [
        (#"Command printf 'one\n\n tw"o\r\nlast'"#, ["one", "", #" tw\"o\r"#, "last"].map { #"{"exec":"\#($0)"}"# }),
        (
            "Command echo '{\"a\":1}'; echo no JSON\nParser json",
            [#"{"a":1}"#, #"{"exec":"no JSON"}"#]
        ),
        // Without a parser a line stays a line.
        ("Command echo '{}'", [#"{"exec":"{}"}"#]),
        ("Command printf 'a\\377\\n'", [#"{"exec":"a\#u{FFFD}","_invalid_utf8":true}"#]),
        // Nothing can be read, and a closed pipe ends what writes to it.
        ("Command cat; sh -c 'kill -PIPE $$'; echo $?", [#"{"exec":"141"}"#]),
        ("Command (echo late; echo later) & exit 0", ["late", "later"].map { #"{"exec":"\#($0)"}"# }),
    ]

    @Test(arguments: outputs)
    func eachLineIsAnEvent(keys: String, records: [String]) throws {
        try self.withWorld { world, _ in
            try world.start(Self.configuration(keys + "\nOneshot On", world))
            #expect(try world.lines("out.jsonl", count: records.count) == records)
        }
    }

    @Test
    func longOutputComesInOrder() throws {
        try self.withWorld { world, _ in
            try world.start(Self.configuration("Command seq 1 20000\nOneshot On", world))
            #expect(try world.lines("out.jsonl", count: 20_000) == (1...20_000).map { #"{"exec":"\#($0)"}"# })
        }
    }

    @Test
    func theCommandRunsAgainAtEachInterval() throws {
        try self.withWorld { world, folder in
            let path = folder.path("runs")
            try world.start(Self.configuration("Command echo x >> \(path); wc -l < \(path)", world))
            let lines = try world.lines("out.jsonl", count: 3)
            #expect(Array(lines.prefix(3)) == ["1", "2", "3"].map { #"{"exec":"\#($0)"}"# })
        }
    }

    @Test
    func aCommandThatStillRunsIsNotStartedAgain() throws {
        try self.withWorld { world, folder in
            let command = "echo begin; while [ ! -e \(folder.path("go")) ]; do sleep 0.01; done; echo end"
            try world.start(Self.configuration("Command \(command)", world))
            try world.turn("the log says so") { world.lines("agent.log").contains { $0.contains("still runs") } }
            #expect(try world.lines("out.jsonl", count: 1) == [#"{"exec":"begin"}"#])
            try folder.write("go", "")
            let lines = try world.lines("out.jsonl", count: 4)
            #expect(Array(lines.prefix(4)) == ["begin", "end", "begin", "end"].map { #"{"exec":"\#($0)"}"# })
        }
    }

    /// A shell whose output has ended has not.
    @Test
    func aCommandThatHasClosedItsOutputRunsToItsEnd() throws {
        try self.withWorld { world, folder in
            let command = "echo x; exec >&-; while [ ! -e \(folder.path("go")) ]; do sleep 0.01; done; exit 3"
            let keys = "Command \(command)\nExit_After_Oneshot On\nPropagate_Exit_Code On"
            let agent = try world.start(Self.configuration(keys, world))
            #expect(try world.lines("out.jsonl", count: 1) == [#"{"exec":"x"}"#])
            #expect(agent.exitCode == 0)
            try folder.write("go", "")
            try world.turn("the exit code") { agent.exitCode == 3 }
        }
    }

    static let endings: [(keys: String, code: Int32)] = [
        ("Command echo x; exit 7\nPropagate_Exit_Code On", 7),
        ("Command echo x; kill -9 $$\nPropagate_Exit_Code On", 137),
        ("Command echo x\nPropagate_Exit_Code On", 0), ("Command echo x; exit 7", 0),
    ]

    @Test(arguments: endings)
    func theAgentEndsWithTheCommandAndItsCode(keys: String, code: Int32) throws {
        try self.withWorld { world, _ in
            let agent = try world.start(Self.configuration(keys + "\nExit_After_Oneshot On", world))
            try world.turn("the end") { !agent.hasRoom }
            #expect(agent.exitCode == code)
            #expect(try world.lines("out.jsonl", count: 1) == [#"{"exec":"x"}"#])
        }
    }

    /// The shell, what it has started, and one that does not want to end; with and without the time to ask.
    @Test(arguments: ["", "trap '' TERM; "], ["Grace 5", "Grace 0"])
    func theEndOfTheAgentEndsAllThatRuns(trap: String, grace: String) throws {
        try self.withWorld { world, _ in
            let command = "\(trap)sleep 1000 & printf '%s %s\\nunfinished' $$ $!; wait"
            let agent = try world.start(Self.configuration("Command \(command)\nOneshot On", world, service: grace))
            let line = try #require(try world.lines("out.jsonl", count: 1).first)
            let numbers = line.split { !$0.isASCII || !$0.isNumber }.compactMap { Int32($0) }
            #expect(numbers.count == 2 && numbers.allSatisfy(Self.isRunning))
            agent.stop()
            try world.turn("the end of both") { !numbers.contains(where: Self.isRunning) }
            // The shell is not even known any more.
            try world.turn("the shell's place") { kill(numbers[0], 0) != 0 }
            #expect(try world.lines("out.jsonl", count: 2).last == #"{"exec":"unfinished"}"#)
        }
    }

    @Test
    func aFullBufferMakesTheCommandWait() throws {
        try withTemporaryFolder { folder in
            let sink = try TailWorld(folder)
            var options = ExecInput.Options()
            options.command = "seq 1 3"
            options.runsOnce = true
            var form = LineForm()
            form.key = "log"
            let input = ExecInput(
                tag: sink.routeTag("exec"),
                options: options,
                counters: sink.counters,
                sink: sink,
                loop: sink.loop,
                receiver: LineReceiver(form: form, readsJSON: false, skipsEmptyLines: false),
                log: AgentLog(level: nil, descriptor: 2, time: sink.time)
            )
            sink.isFull = true
            input.start()
            sink.pass()
            #expect(sink.counters.isPaused)
            sink.isFull = false
            input.resume()
            sink.isFull = true
            try eventually("the output waits") {
                sink.pass()
                return sink.counters.isPaused
            }
            #expect(sink.texts.isEmpty)
            sink.isFull = false
            input.resume()
            try eventually("the output is read") {
                sink.pass()
                return sink.texts == ["1", "2", "3"]
            }
            input.stop()
            try eventually("the end of the shell") {
                sink.pass()
                return input.hasStopped
            }
        }
    }

    static let wrong: [(keys: String, message: String)] = [
        ("Oneshot On", "the input exec needs command"), ("Command true\nParser none", "there is no parser 'none'"),
        ("Command true\nPropagate_Exit_Code On", "propagate_exit_code says nothing while the agent goes on"),
        ("Command true\nOneshots On", "did you mean 'oneshot'?"),
    ]

    @Test(arguments: wrong)
    func whatIsWrongIsSaidBeforeItRuns(keys: String, message: String) throws {
        try self.withWorld { world, _ in
            let problems = try world.problems(of: Self.configuration(keys, world))
            #expect(problems.contains(message), "\(problems)")
        }
    }
}
