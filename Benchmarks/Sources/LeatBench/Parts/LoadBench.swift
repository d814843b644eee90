import Foundation

/// Ingest under several shapes of load, each on a fresh server: 1, 2 and 4 connections, and gzip bodies.
struct LoadBench {
    let programs: String
    let folder: String
    let options: BenchOptions
    let data: DataSet

    private struct Shape {
        let connections: Int
        var isGzip = false
        var name: String {
            "\(self.connections) connection\(self.connections > 1 ? "s" : "")\(self.isGzip ? ", gzip" : "")"
        }
    }

    private static let shapes = [
        Shape(connections: 1), Shape(connections: 2), Shape(connections: 4), Shape(connections: 2, isGzip: true),
    ]

    func run(into report: inout BenchReport) throws {
        let gzipBodies = try GzipBodies(self.data)
        let peer = self.options.asksPeers ? PeerServerBench.program : nil
        if peer == nil { report.add("load", "peer", "VictoriaLogs", 0, "", "not measured") }
        for shape in Self.shapes {
            var load = IngestLoad(data: self.data, connections: shape.connections)
            if shape.isGzip { load.gzipBodies = gzipBodies }
            try self.measureLeat(load, shape.name, into: &report)
            if let peer { try self.measurePeer(peer, load, shape.name, into: &report) }
        }
    }

    private func measureLeat(_ load: IngestLoad, _ name: String, into report: inout BenchReport) throws {
        let dataFolder = try self.freshFolder("leat-load")
        let (server, port) = try ServerBench.launch(
            programs: self.programs,
            folder: self.folder,
            dataFolder: dataFolder
        )
        defer { server.stop() }
        try self.measure(server, "leat", name, into: &report) {
            let result = try load.run(port: port, path: "/_bulk")
            try ServerBench.compact(port: port)
            return result
        }
    }

    private func measurePeer(
        _ program: String,
        _ load: IngestLoad,
        _ name: String,
        into report: inout BenchReport
    ) throws {
        let dataFolder = try self.freshFolder("victoria-load")
        let (server, port) = try PeerServerBench.launch(
            program: program,
            folder: self.folder,
            dataFolder: dataFolder
        )
        defer { server.stop() }
        try self.measure(server, "VictoriaLogs", name, into: &report) {
            let result = try load.run(port: port, path: PeerServerBench.bulkPath)
            try PeerServerBench.settle(server, port: port)
            return result
        }
    }

    private func measure(
        _ server: MeteredProcess,
        _ system: String,
        _ name: String,
        into report: inout BenchReport,
        _ run: () throws -> IngestLoad.Result
    ) throws {
        let stopSampling = server.samplePeak()
        let cpuBefore = server.cpuSeconds
        let result = try run()
        let gibibytes = Double(self.data.byteCount) / 1_073_741_824
        let cpu = (server.cpuSeconds - cpuBefore) / gibibytes
        report.add("load", "\(name): CPU, all work included", system, cpu, "s/GiB")
        report.add("load", "\(name): rate", system, Double(self.data.byteCount) / 1e6 / result.seconds, "MB/s")
        report.add("load", "\(name): ack p50", system, result.percentile(0.5) * 1e3, "ms")
        report.add("load", "\(name): ack p99", system, result.percentile(0.99) * 1e3, "ms")
        report.add("load", "\(name): peak memory", system, stopSampling(), "MiB")
    }

    private func freshFolder(_ name: String) throws -> String {
        let path = "\(self.folder)/\(name)"
        try? FileManager.default.removeItem(atPath: path)
        return path
    }
}
