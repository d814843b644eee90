import Foundation

/// The same load and questions for VictoriaLogs, when `victoria-logs` is on the PATH.
struct PeerServerBench {
    let folder: String
    let options: BenchOptions
    let data: DataSet

    /// The peer on the PATH.
    static var program: String? { Shell.find("victoria-logs") ?? Shell.find("victoria-logs-prod") }

    /// The fields that make a stream, under vlgen's and loggen's names.
    private static let streams = ["namespace", "pod", "container"]
        .flatMap { ["kubernetes.\($0)", "kubernetes.\($0)_name"] }
        .joined(separator: ",")

    private var dataFolder: String { "\(self.folder)/victoria-data-\(self.data.key)" }

    func run(truth: Truth, into report: inout BenchReport) throws {
        guard let program = Self.program else {
            report.add("ingest", "peer", "VictoriaLogs", 0, "", "victoria-logs is not on the PATH: not measured")
            return
        }
        let isKept = LoadedMark.isSet(self.dataFolder, self.data) && !self.options.parts.contains("ingest")
        if !isKept { try self.fill(program, into: &report) }
        guard self.options.parts.contains("query") else { return }
        let server = try QueryServer.victoriaLogs(
            program: program,
            folder: self.folder,
            dataFolder: self.dataFolder,
            interval: self.data.interval
        )
        defer { server.stop() }
        try QueryBench(folder: self.folder, options: self.options, data: self.data, truth: truth)
            .measure(server, into: &report)
    }

    private func fill(_ program: String, into report: inout BenchReport) throws {
        try? FileManager.default.removeItem(atPath: self.dataFolder)
        LoadedMark.remove(self.dataFolder)
        let (server, port) = try Self.launch(program: program, folder: self.folder, dataFolder: self.dataFolder)
        defer { server.stop() }
        try self.ingest(server, port: port, dataFolder: self.dataFolder, into: &report)
        try LoadedMark.set(self.dataFolder, self.data)
    }

    /// Starts the peer over a data folder and waits until it serves.
    static func launch(program: String, folder: String, dataFolder: String) throws -> (MeteredProcess, port: Int) {
        let port = try Self.freePort()
        let server = try MeteredProcess(
            program,
            [
                "-httpListenAddr=127.0.0.1:\(port)", "-storageDataPath=\(dataFolder)", "-retentionPeriod=100y",
                "-futureRetention=10y",
                // All questions go over one connection, which the default closes after two minutes.
                "-http.connTimeout=1h",
            ],
            outputPath: "\(folder)/victoria.out"
        )
        try Shell.wait("VictoriaLogs") {
            ((try? HTTPConnection(port: port).send("GET", "/health").status) ?? 0) == 200
        }
        return (server, port)
    }

    /// Where bulk requests go.
    static let bulkPath =
        "/insert/elasticsearch/_bulk?_time_field=@timestamp&_msg_field=message,log&_stream_fields=\(Self.streams)"

    /// Waits until the peer has written and merged what it took.
    static func settle(_ server: MeteredProcess, port: Int) throws {
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
        let result = try IngestLoad(data: self.data, connections: self.options.connections)
            .run(port: port, path: Self.bulkPath)
        try Self.settle(server, port: port)
        let gibibytes = Double(self.data.byteCount) / 1_073_741_824
        let cpu = (server.cpuSeconds - cpuBefore) / gibibytes
        report.add("ingest", "CPU, sealing and merging included", "VictoriaLogs", cpu, "s/GiB")
        report.add("ingest", "rate", "VictoriaLogs", Double(self.data.byteCount) / 1e6 / result.seconds, "MB/s")
        report.add("ingest", "ack p50", "VictoriaLogs", result.percentile(0.5) * 1e3, "ms")
        report.add("ingest", "ack p99", "VictoriaLogs", result.percentile(0.99) * 1e3, "ms")
        report.add("ingest", "peak memory", "VictoriaLogs", stopSampling(), "MiB")
        report.add("ingest", "on disk", "VictoriaLogs", try Shell.byteCount(of: dataFolder) / 1e6, "MB")
    }
}
