import Foundation

/// The same load and questions for VictoriaLogs, when `victoria-logs` is on the PATH.
struct PeerServerBench {
    let folder: String
    let options: BenchOptions
    let data: DataSet

    private static let streams = "kubernetes.namespace,kubernetes.pod,kubernetes.container"

    func run(into report: inout BenchReport) throws {
        guard let program = Shell.find("victoria-logs") ?? Shell.find("victoria-logs-prod") else {
            report.add("ingest", "peer", "VictoriaLogs", 0, "", "victoria-logs is not on the PATH: not measured")
            return
        }
        let dataFolder = "\(self.folder)/victoria-data"
        try? FileManager.default.removeItem(atPath: dataFolder)
        let port = try Self.freePort()
        let server = try MeteredProcess(
            program,
            [
                "-httpListenAddr=127.0.0.1:\(port)", "-storageDataPath=\(dataFolder)", "-retentionPeriod=100y",
                "-futureRetention=10y",
            ],
            outputPath: "\(self.folder)/victoria.out",
            dataFolder: dataFolder
        )
        defer { server.stop() }
        try Shell.wait("VictoriaLogs") {
            ((try? HTTPConnection(port: port).send("GET", "/health").status) ?? 0) == 200
        }
        try self.ingest(server, port: port, dataFolder: dataFolder, into: &report)
        if self.options.parts.contains("query") { try self.query(server, port: port, into: &report) }
    }

    static func freePort() throws -> Int {
        let text = try Shell.output(
            "python3",
            "-c",
            "import socket;s=socket.socket();s.bind(('127.0.0.1',0));print(s.getsockname()[1])"
        )
        guard let port = Int(text) else { throw BenchFailure("no free port") }
        return port
    }

    private func ingest(_ server: MeteredProcess, port: Int, dataFolder: String, into report: inout BenchReport) throws
    {
        let stopSampling = server.samplePeak()
        let cpuBefore = server.cpuSeconds
        let path =
            "/insert/elasticsearch/_bulk?_time_field=@timestamp&_msg_field=message,log&_stream_fields=\(Self.streams)"
        let result = try IngestLoad(data: self.data, connections: self.options.connections).run(port: port, path: path)
        let connection = try HTTPConnection(port: port)
        _ = try connection.send("GET", "/internal/force_flush")
        _ = try connection.send("GET", "/internal/force_merge")
        var last = 0.0
        try Shell.wait("the end of merging", seconds: 120) {
            let now = server.cpuSeconds
            defer { last = now }
            Thread.sleep(forTimeInterval: 2)
            return now - last < 0.1
        }
        let gibibytes = Double(self.data.byteCount) / 1_073_741_824
        let cpu = (server.cpuSeconds - cpuBefore) / gibibytes
        report.add("ingest", "CPU, sealing and merging included", "VictoriaLogs", cpu, "s/GiB")
        report.add("ingest", "rate", "VictoriaLogs", Double(self.data.byteCount) / 1e6 / result.seconds, "MB/s")
        report.add("ingest", "ack p50", "VictoriaLogs", result.percentile(0.5) * 1e3, "ms")
        report.add("ingest", "ack p99", "VictoriaLogs", result.percentile(0.99) * 1e3, "ms")
        report.add("ingest", "peak memory", "VictoriaLogs", stopSampling(), "MiB")
        report.add("ingest", "on disk", "VictoriaLogs", try Shell.byteCount(of: dataFolder) / 1e6, "MB")
    }

    private func query(_ server: MeteredProcess, port: Int, into report: inout BenchReport) throws {
        for question in Question.all {
            let connection = try HTTPConnection(port: port)
            var allowed = CharacterSet.alphanumerics
            allowed.insert(charactersIn: "-._~")
            let query = question.victoriaLogs.addingPercentEncoding(withAllowedCharacters: allowed) ?? ""
            var times: [Double] = []
            let cpuBefore = server.cpuSeconds
            let runs = self.options.isSmoke ? 1 : 6
            for _ in 0..<runs {
                let start = ContinuousClock.now
                let answer = try connection.send("GET", "/select/logsql/query?query=\(query)", keepsBody: false)
                // Older versions of the peer lack some questions' syntax; the others are still worth comparing.
                guard answer.status == 200 else { continue }
                times.append(start.duration(to: .now) / .seconds(1))
            }
            guard times.count == runs else {
                report.add("query", question.id, "VictoriaLogs", 0, "", "not understood by this version")
                continue
            }
            let warm = times.dropFirst(runs > 1 ? 1 : 0).sorted()
            let cpu = (server.cpuSeconds - cpuBefore) / Double(runs)
            let note = String(format: "CPU %.1f ms", cpu * 1e3)
            report.add("query", question.id, "VictoriaLogs", warm[warm.count / 2] * 1e3, "ms", note)
        }
    }
}
