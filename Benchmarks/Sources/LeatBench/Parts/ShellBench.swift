import Foundation

/// Figures of `leat`: how soon it is there, how soon it shows, how fast it writes.
struct ShellBench {
    let programs: String
    let folder: String
    let options: BenchOptions
    let data: DataSet

    private static let formats = ["json", "csv", "raw", "table"]
    private static let part = "shell"

    private var program: String { "\(self.programs)/leat" }
    private var repetitions: Int { self.options.isSmoke ? 5 : 100 }
    /// More, as the worst of a hundred lines is not what one in a hundred is like.
    private var wayRepetitions: Int { self.options.isSmoke ? 5 : 300 }

    func run(into report: inout BenchReport) throws {
        let dataFolder = "\(self.folder)/leat-shell-data"
        try? FileManager.default.removeItem(atPath: dataFolder)
        let (server, port) = try ServerBench.launch(
            programs: self.programs,
            folder: self.folder,
            dataFolder: dataFolder
        )
        defer { server.stop() }
        _ = try IngestLoad(data: self.data, connections: self.options.connections).run(port: port, path: "/_bulk")
        _ = try HTTPConnection(port: port).send("POST", "/api/v1/admin/compact")
        try self.measurePrompt(port: port, into: &report)
        try self.measureRates(port: port, into: &report)
        // What the parts before have written must not be on its way to the disk while live figures wait for it: a commit of the
        // file system takes as long as all that it has to write, which made the worst of the lines below 0.5 to 1.3 s late.
        sync()
        try self.measureFirstRow(port: port, into: &report)
        try self.measureTail(port: port, into: &report)
        try self.measureWay(port: port, into: &report)
    }

    /// What every `leat` of these figures is told.
    private func environment(_ port: Int) -> [String: String] {
        [
            "LEAT_SERVER": "http://127.0.0.1:\(port)", "LEAT_PAGER": "cat", "TERM": "xterm-256color",
            "HOME": self.folder, "XDG_STATE_HOME": self.folder, "LC_ALL": "C.UTF-8",
        ]
    }

    private func add(
        _ what: String,
        _ values: [Double],
        target: (share: Double, milliseconds: Double)...,
        into report: inout BenchReport
    ) {
        let sorted = values.sorted()
        for (share, milliseconds) in target {
            // The nearest rank.
            let value = sorted[max(0, Int((Double(sorted.count) * share).rounded(.up)) - 1)] * 1e3
            let name = "\(what), p\(Int(share * 100))"
            let worst = String(format: "worst of %d: %.1f ms", sorted.count, (sorted.last ?? 0) * 1e3)
            report.add(Self.part, name, "leat", value, "ms", "target <= \(Int(milliseconds)) ms; \(worst)")
        }
    }

    // MARK: the prompt

    private func measurePrompt(port: Int, into report: inout BenchReport) throws {
        let times = try (0..<self.repetitions).map { _ in
            let terminal = try PseudoTerminal(self.program, [], environment: self.environment(port))
            defer { terminal.stop() }
            return try terminal.startedAt.duration(to: terminal.time(of: "default> ")) / .seconds(1)
        }
        self.add("start to first prompt", times, target: (0.5, 50), (0.99, 50), into: &report)
    }

    // MARK: rows to a file

    private func measureRates(port: Int, into report: inout BenchReport) throws {
        for format in Self.formats {
            let query = ["query", "--start", "1", "--format", format, "*"]
            try self.measureRate("server to file, \(format)", query, port: port, into: &report)
        }
        let lines = "\(self.folder)/shell.jsonl"
        try self.writeLines(to: lines, port: port)
        for format in Self.formats {
            let query = ["query", "--file", lines, "--format", format, "*"]
            try self.measureRate("--file to file, \(format)", query, port: port, into: &report)
        }
        try FileManager.default.removeItem(atPath: lines)
    }

    /// What the server holds, as the lines that `--json` writes.
    private func writeLines(to path: String, port: Int) throws {
        _ = try self.seconds(["query", "--start", "1", "--json", "*"], output: path, port: port)
    }

    private func measureRate(_ what: String, _ arguments: [String], port: Int, into report: inout BenchReport) throws {
        let output = "\(self.folder)/shell.out"
        defer { try? FileManager.default.removeItem(atPath: output) }
        let seconds = try self.seconds(arguments, output: output, port: port)
        let lines = Int(try Shell.output("sh", "-c", "wc -l < \(output)")) ?? 0
        let rate = Double(self.data.eventCount) / seconds
        report.add(Self.part, what, "leat", rate, "rows/s", "target >= 100000; \(lines) lines")
        if lines < self.data.eventCount { report.fail("\(what): \(lines) lines for \(self.data.eventCount) events") }
    }

    /// How long a command takes whose answer goes to a file.
    private func seconds(_ arguments: [String], output: String, port: Int) throws -> Double {
        let process = Process()
        process.executableURL = URL(filePath: self.program)
        process.arguments = arguments
        process.environment = ProcessInfo.processInfo.environment.merging(self.environment(port)) { $1 }
        process.standardOutput = try Shell.create(output)
        let start = ContinuousClock.now
        try process.run()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else {
            throw BenchFailure("leat \(arguments) ended with \(process.terminationStatus)")
        }
        return start.duration(to: .now) / .seconds(1)
    }

    // MARK: the first row

    /// From Enter to the row on the screen, beside what the server alone takes.
    private func measureFirstRow(port: Int, into report: inout BenchReport) throws {
        let connection = try HTTPConnection(port: port)
        let terminal = try PseudoTerminal(self.program, [], environment: self.environment(port))
        defer { terminal.stop() }
        _ = try terminal.time(of: "default> ")
        var shown: [Double] = []
        for number in 0..<self.repetitions {
            try Self.send("row \(number) is shown as found\(number)", over: connection)
            let alone = try self.ask("\"row \(number) is\"", over: connection)
            terminal.type("\"row \(number) is\"")
            let typed = ContinuousClock.now
            terminal.type("\r")
            let all = try typed.duration(to: terminal.time(of: "found\(number)")) / .seconds(1)
            _ = try terminal.time(of: "1 row ")
            terminal.forget()
            shown.append(max(0, all - alone))
        }
        self.add("first row after the server has it", shown, target: (0.5, 20), (0.99, 20), into: &report)
    }

    private static func send(_ text: String, over connection: HTTPConnection) throws {
        let body = Data("{\"create\":{}}\n{\"message\":\"\(text)\"}\n".utf8)
        let answer = try body.withUnsafeBytes {
            try connection.send("POST", "/_bulk", headers: ["Content-Type": "application/x-ndjson"], body: $0)
        }
        guard answer.status == 200 else { throw BenchFailure("bulk answered \(answer.status)") }
    }

    /// How long the server takes for the whole answer.
    private func ask(_ query: String, over connection: HTTPConnection) throws -> Double {
        let request = ["queryString": query, "start": "24h"]
        let start = ContinuousClock.now
        _ = try connection.ask(request)
        return start.duration(to: .now) / .seconds(1)
    }

    // MARK: live

    private func measureTail(port: Int, into report: inout BenchReport) throws {
        let connection = try HTTPConnection(port: port)
        let terminal = try self.tail(port)
        defer { terminal.stop() }
        try self.waitUntilLive(terminal) { try Self.send($0, over: connection) }
        let times = try (0..<self.repetitions).map { number in
            terminal.forget()
            try Self.send("live event \(number).", over: connection)
            let acknowledged = ContinuousClock.now
            return max(0, try acknowledged.duration(to: terminal.time(of: "live event \(number).")) / .seconds(1))
        }
        self.add("ack to live tail", times, target: (0.5, 100), (0.99, 100), into: &report)
    }

    private func tail(_ port: Int) throws -> PseudoTerminal {
        try PseudoTerminal(self.program, ["tail"], environment: self.environment(port))
    }

    /// Sends events until one is shown: from then on each has to be.
    private func waitUntilLive(_ terminal: PseudoTerminal, _ send: (String) throws -> Void) throws {
        for number in 0..<100 {
            try send("first event \(number).")
            if (try? terminal.time(of: "first event \(number).", within: 0.5)) != nil { return }
        }
        throw BenchFailure("the live tail shows nothing")
    }

    /// From a line that is appended to a file to the screen: agent, server and shell with their defaults.
    private func measureWay(port: Int, into report: inout BenchReport) throws {
        let log = "\(self.folder)/shell-way.log"
        let file = try Shell.create(log)
        let configuration = "\(self.folder)/shell-way.conf"
        let text = """
            [SERVICE]
                storage.path \(self.folder)/shell-way-state
            [INPUT]
                Name tail
                Path \(log)
                Read_from_Head On
            [OUTPUT]
                Name es
                Match *
                Host 127.0.0.1
                Port \(port)

            """
        try text.write(toFile: configuration, atomically: true, encoding: .utf8)
        let agent = try MeteredProcess(
            "\(self.programs)/leat-agent",
            ["-c", configuration],
            outputPath: "\(self.folder)/shell-way.out"
        )
        defer { agent.stop() }
        let terminal = try self.tail(port)
        defer { terminal.stop() }
        try self.waitUntilLive(terminal) { try file.write(contentsOf: Data("\($0)\n".utf8)) }
        var random = SmallGenerator.SystemSeed(state: 11)
        let times = try (0..<self.wayRepetitions).map { number in
            // Lines come at any moment between two flushes.
            Thread.sleep(forTimeInterval: Double(random.next(300)) / 1e3)
            terminal.forget()
            let appended = ContinuousClock.now
            try file.write(contentsOf: Data("appended line \(number).\n".utf8))
            return try appended.duration(to: terminal.time(of: "appended line \(number).")) / .seconds(1)
        }
        self.add("append to live tail", times, target: (0.5, 250), (0.99, 1_000), into: &report)
    }
}
