import Foundation

/// Ingest and query figures of `leat-server`.
struct ServerBench {
    let programs: String
    let folder: String
    let options: BenchOptions
    let data: DataSet

    func run(into report: inout BenchReport) throws {
        let dataFolder = "\(self.folder)/leat-data"
        try? FileManager.default.removeItem(atPath: dataFolder)
        let server = try MeteredProcess(
            "\(self.programs)/leat-server",
            ["--listen", "127.0.0.1:0", "--data", dataFolder],
            outputPath: "\(self.folder)/leat-server.out",
            dataFolder: dataFolder
        )
        defer { server.stop() }
        let port = try Self.port(of: server)
        if self.options.parts.contains("ingest") || self.options.parts.contains("query") {
            try self.ingest(server, port: port, dataFolder: dataFolder, into: &report)
        }
        if self.options.parts.contains("query") { try self.query(server, port: port, into: &report) }
    }

    /// The port that the server chose, from what it prints.
    static func port(of server: MeteredProcess) throws -> Int {
        var port: Int?
        try Shell.wait("the server's address", seconds: 20) {
            guard server.process.isRunning else { throw BenchFailure("the server ended: \(server.output)") }
            port = server.output.firstMatch(of: /127\.0\.0\.1:([1-9][0-9]*)/).flatMap { Int($0.output.1) }
            return port != nil
        }
        guard let port else { throw BenchFailure("the server printed no address") }
        return port
    }

    private func ingest(_ server: MeteredProcess, port: Int, dataFolder: String, into report: inout BenchReport) throws
    {
        let load = IngestLoad(data: self.data, connections: self.options.connections)
        let stopSampling = server.samplePeak()
        let cpuBefore = server.cpuSeconds
        let result = try load.run(port: port, path: "/_bulk")
        let cpuAcked = server.cpuSeconds
        let connection = try HTTPConnection(port: port)
        let compacted = try connection.send("POST", "/api/v1/admin/compact")
        guard compacted.status < 300 else { throw BenchFailure("compact answered \(compacted.status)") }
        let cpuAll = server.cpuSeconds
        let gibibytes = Double(self.data.byteCount) / 1_073_741_824
        report.add("ingest", "CPU until the last ack", "leat", (cpuAcked - cpuBefore) / gibibytes, "s/GiB")
        report.add("ingest", "CPU, sealing and merging included", "leat", (cpuAll - cpuBefore) / gibibytes, "s/GiB")
        report.add("ingest", "rate", "leat", Double(self.data.byteCount) / 1e6 / result.seconds, "MB/s")
        report.add("ingest", "ack p50", "leat", result.percentile(0.5) * 1e3, "ms")
        report.add("ingest", "ack p99", "leat", result.percentile(0.99) * 1e3, "ms")
        report.add("ingest", "peak memory", "leat", stopSampling(), "MiB")
        let stored = try Shell.byteCount(of: dataFolder)
        report.add(
            "ingest",
            "on disk",
            "leat",
            stored / 1e6,
            "MB",
            String(format: "%.2f x", Double(self.data.byteCount) / stored)
        )
    }

    private func query(_ server: MeteredProcess, port: Int, into report: inout BenchReport) throws {
        let stopSampling = server.samplePeak()
        for question in Question.all {
            var times: [Double] = []
            var answer = 0
            let cpuBefore = server.cpuSeconds
            let runs = self.options.isSmoke ? 1 : 6
            let connection = try HTTPConnection(port: port)
            for _ in 0..<runs {
                let start = ContinuousClock.now
                answer = try self.ask(question, connection)
                times.append(start.duration(to: .now) / .seconds(1))
            }
            let cpu = (server.cpuSeconds - cpuBefore) / Double(runs)
            let warm = times.dropFirst(runs > 1 ? 1 : 0).sorted()
            let note = String(format: "CPU %.1f ms, answer %d", cpu * 1e3, answer)
            report.add("query", question.id, "leat", warm[warm.count / 2] * 1e3, "ms", note)
            if self.data.hasKnownAnswers, answer != question.answer {
                report.fail("\(question.id): \(answer), not \(question.answer)")
            }
        }
        report.add("query", "peak memory", "leat", stopSampling(), "MiB")
    }

    private func ask(_ question: Question, _ connection: HTTPConnection) throws -> Int {
        let interval = question.interval ?? self.data.interval
        let request: [String: Any] = [
            "queryString": question.ours, "start": interval.lowerBound, "end": interval.upperBound, "isLive": false,
        ]
        let body = try JSONSerialization.data(withJSONObject: request)
        let answer = try body.withUnsafeBytes {
            try connection.send(
                "POST",
                "/api/v1/repositories/default/query",
                headers: ["Content-Type": "application/json", "Accept": "application/x-ndjson"],
                body: $0
            )
        }
        let text = String(decoding: answer.body, as: UTF8.self)
        guard answer.status == 200 else { throw BenchFailure("\(question.id): \(answer.status) \(text)") }
        if question.isCount { return text.firstMatch(of: /:\s*"?(\d+)"?/).flatMap { Int($0.output.1) } ?? -1 }
        return answer.body.reduce(0) { $0 + ($1 == 10 ? 1 : 0) }
    }
}

/// Bulk requests over several connections, and how long each took.
struct IngestLoad {
    let data: DataSet
    let connections: Int

    struct Result {
        let seconds: Double
        let latencies: [Double]
        func percentile(_ share: Double) -> Double {
            self.latencies.isEmpty
                ? 0 : self.latencies[min(self.latencies.count - 1, Int(Double(self.latencies.count) * share))]
        }
    }

    func run(port: Int, path: String) throws -> Result {
        let lock = NSLock()
        nonisolated(unsafe) var latencies: [Double] = []
        nonisolated(unsafe) let open = try (0..<self.connections).map { _ in try HTTPConnection(port: port) }
        let start = ContinuousClock.now
        try self.data.forEachBody(connections: self.connections) { worker, body in
            let sent = ContinuousClock.now
            let answer = try open[worker].send(
                "POST",
                path,
                headers: ["Content-Type": "application/x-ndjson"],
                body: body
            )
            let took = sent.duration(to: .now) / .seconds(1)
            guard answer.status == 200, answer.body.range(of: Data("\"errors\":true".utf8)) == nil else {
                throw BenchFailure(
                    "bulk answered \(answer.status): \(String(decoding: answer.body.prefix(300), as: UTF8.self))"
                )
            }
            lock.withLock { latencies.append(took) }
        }
        return Result(seconds: start.duration(to: .now) / .seconds(1), latencies: latencies.sorted())
    }
}
