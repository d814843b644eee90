import Foundation

/// What ten thousand segments cost: the time to open them, and the memory before and after a question that reads all.
///
/// One segment is made of generated events and linked under other numbers, and the catalog rebuilt from the files.
struct SegmentsBench {
    let programs: String
    let folder: String
    let options: BenchOptions
    let data: DataSet

    private static let segmentCount = 10_000
    private static let question = "trace_id = \"0123456789abcdef0123456789abcdef\""

    private var dataFolder: String { "\(self.folder)/leat-segments" }

    func run(into report: inout BenchReport) throws {
        try? FileManager.default.removeItem(atPath: self.dataFolder)
        defer { try? FileManager.default.removeItem(atPath: self.dataFolder) }
        try self.makeOneSegment()
        try self.measure("1 segment", into: &report)
        try self.linkSegment()
        _ = try Shell.output("\(self.programs)/leat-server", "rebuild-catalog", "--data", self.dataFolder)
        try self.measure("\(Self.segmentCount) segments", into: &report)
    }

    private func makeOneSegment() throws {
        let (server, port) = try self.launch()
        defer { server.stop() }
        _ = try IngestLoad(data: self.data, connections: 1).run(port: port, path: "/_bulk")
        try ServerBench.compact(port: port)
    }

    /// Gives the largest segment, the others being of the server's own log, further names with numbers that nobody has.
    private func linkSegment() throws {
        let root = URL(filePath: "\(self.dataFolder)/segments")
        let found = FileManager.default.enumerator(at: root, includingPropertiesForKeys: nil)
        let files = (found?.allObjects ?? []).compactMap { $0 as? URL }.filter { $0.pathExtension == "segment" }
        let sizes = try files.map { try Shell.byteCount(of: $0.path) }
        guard let (file, _) = zip(files, sizes).max(by: { $0.1 < $1.1 }) else { throw BenchFailure("no segment") }
        let digits = files.map { $0.deletingPathExtension().lastPathComponent }
        let last = digits.compactMap { Int($0) }.max() ?? 0
        for number in last + 1..<last + Self.segmentCount {
            let name = String(repeating: "0", count: digits[0].count - String(number).count) + String(number)
            let link = file.deletingLastPathComponent().appending(path: name + ".segment")
            try FileManager.default.linkItem(at: file, to: link)
        }
    }

    private func measure(_ what: String, into report: inout BenchReport) throws {
        let start = ContinuousClock.now
        let (server, port) = try self.launch()
        defer { server.stop() }
        report.add("segments", "\(what): start", "leat", start.duration(to: .now) / .milliseconds(1), "ms")
        report.add("segments", "\(what): memory after the start", "leat", server.memoryMiB, "MiB")
        let connection = try HTTPConnection(port: port)
        let stopSampling = server.samplePeak()
        var times: [Double] = []
        for _ in 0..<3 {
            let asked = ContinuousClock.now
            let rows = try connection.ask(["queryString": Self.question, "start": 0, "end": 4_102_444_800_000])
            guard rows.isEmpty else { throw BenchFailure("\(Self.question) found something") }
            times.append(asked.duration(to: .now) / .milliseconds(1))
        }
        report.add("segments", "\(what): first question", "leat", times[0], "ms")
        report.add("segments", "\(what): third question", "leat", times[2], "ms")
        report.add("segments", "\(what): peak memory of the questions", "leat", stopSampling(), "MiB")
    }

    private func launch() throws -> (MeteredProcess, port: Int) {
        try ServerBench.launch(programs: self.programs, folder: self.folder, dataFolder: self.dataFolder)
    }
}
