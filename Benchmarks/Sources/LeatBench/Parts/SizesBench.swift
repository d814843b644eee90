import Foundation

/// Bytes on disk of each kind of data: ours with search filters, the peer's, and the documents compressed with zstd.
struct SizesBench {
    let programs: String
    let folder: String
    let options: BenchOptions

    func run(into report: inout BenchReport) throws {
        for kind in DataSet.kinds {
            var options = self.options
            options.data = kind
            let data = try DataSet.bulk(options: options, folder: self.folder)
            let name = "\(kind), \(data.eventCount) events"
            let ours = try self.leat(data)
            self.add(name, "leat", ours, of: data, into: &report)
            if self.options.asksPeers, let program = PeerServerBench.program {
                let theirs = try self.victoriaLogs(program, data)
                self.add(name, "VictoriaLogs", theirs, of: data, into: &report)
                report.add("sizes", "\(name): leat to VictoriaLogs", "", ours / theirs, "")
            }
            try self.compress(name, data, into: &report)
        }
    }

    private func add(_ name: String, _ who: String, _ bytes: Double, of data: DataSet, into report: inout BenchReport) {
        let perEvent = String(format: "%.2f bytes per event", bytes / Double(data.eventCount))
        report.add("sizes", name, who, bytes / 1e6, "MB", perEvent)
    }

    private func leat(_ data: DataSet) throws -> Double {
        let dataFolder = "\(self.folder)/leat-sizes-\(data.key)"
        defer { try? FileManager.default.removeItem(atPath: dataFolder) }
        let (server, port) = try ServerBench.launch(
            programs: self.programs,
            folder: self.folder,
            dataFolder: dataFolder
        )
        defer { server.stop() }
        _ = try IngestLoad(data: data, connections: 1).run(port: port, path: "/_bulk")
        try ServerBench.compact(port: port)
        return try Shell.byteCount(of: dataFolder)
    }

    private func victoriaLogs(_ program: String, _ data: DataSet) throws -> Double {
        let dataFolder = "\(self.folder)/victoria-sizes-\(data.key)"
        defer { try? FileManager.default.removeItem(atPath: dataFolder) }
        let (server, port) = try PeerServerBench.launch(
            program: program,
            folder: self.folder,
            dataFolder: dataFolder
        )
        defer { server.stop() }
        _ = try IngestLoad(data: data, connections: 1).run(port: port, path: PeerServerBench.bulkPath)
        try PeerServerBench.settle(server, port: port)
        return try Shell.byteCount(of: dataFolder)
    }

    /// The documents without action lines, as one file.
    private func compress(_ name: String, _ data: DataSet, into report: inout BenchReport) throws {
        for level in ["plain", "-3", "-19"] {
            guard level == "plain" || Shell.find("zstd") != nil else { return }
            let command = level == "plain" ? "cat" : "zstd -q -c -T0 \(level)"
            let output = try Shell.output("sh", "-c", "sed -n 'n;p' \(data.path) | \(command) | wc -c")
            guard let bytes = Double(output) else { throw BenchFailure("wc printed \(output)") }
            self.add(name, level == "plain" ? "NDJSON" : "zstd \(level)", bytes, of: data, into: &report)
        }
    }
}
