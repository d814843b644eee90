import Foundation

/// Ingest and query figures of `leat-server`.
struct ServerBench {
    let programs: String
    let folder: String
    let options: BenchOptions
    let data: DataSet

    private var dataFolder: String { "\(self.folder)/leat-data-\(self.data.key)" }

    /// Fills a fresh server and measures that, unless only questions are wanted and a kept folder holds the events.
    func run(truth: Truth, into report: inout BenchReport) throws {
        let isKept = LoadedMark.isSet(self.dataFolder, self.data) && !self.options.parts.contains("ingest")
        if !isKept { try self.fill(into: &report) }
        guard self.options.parts.contains("query") else { return }
        let server = try QueryServer.leat(
            programs: self.programs,
            folder: self.folder,
            dataFolder: self.dataFolder,
            interval: self.data.interval
        )
        defer { server.stop() }
        try QueryBench(folder: self.folder, options: self.options, data: self.data, truth: truth)
            .measure(server, into: &report)
    }

    private func fill(into report: inout BenchReport) throws {
        try? FileManager.default.removeItem(atPath: self.dataFolder)
        LoadedMark.remove(self.dataFolder)
        let (server, port) = try Self.launch(
            programs: self.programs,
            folder: self.folder,
            dataFolder: self.dataFolder
        )
        defer { server.stop() }
        try self.ingest(server, port: port, dataFolder: self.dataFolder, into: &report)
        try LoadedMark.set(self.dataFolder, self.data)
    }

    /// Starts a server over a data folder and waits until it serves.
    static func launch(programs: String, folder: String, dataFolder: String) throws -> (MeteredProcess, port: Int) {
        let server = try MeteredProcess(
            "\(programs)/leat-server",
            ["--listen", "127.0.0.1:0", "--data", dataFolder],
            outputPath: "\(folder)/leat-server.out"
        )
        return (server, try Self.port(of: server))
    }

    /// Seals and merges all that the server has.
    static func compact(port: Int) throws {
        let answer = try HTTPConnection(port: port).send("POST", "/api/v1/admin/compact")
        guard answer.status < 300 else { throw BenchFailure("compact answered \(answer.status)") }
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
        try Self.compact(port: port)
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
}

/// A file beside a data folder that says which events it holds.
enum LoadedMark {
    private static func path(_ dataFolder: String) -> String { dataFolder + ".loaded" }

    static func isSet(_ dataFolder: String, _ data: DataSet) -> Bool {
        (try? String(contentsOfFile: self.path(dataFolder), encoding: .utf8)) == data.description
    }

    static func set(_ dataFolder: String, _ data: DataSet) throws {
        try data.description.write(toFile: self.path(dataFolder), atomically: true, encoding: .utf8)
    }

    static func remove(_ dataFolder: String) { try? FileManager.default.removeItem(atPath: self.path(dataFolder)) }
}
