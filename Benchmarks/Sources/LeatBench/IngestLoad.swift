import Foundation

/// Bulk requests over several connections, and how long each took.
struct IngestLoad {
    let data: DataSet
    let connections: Int
    /// Bodies that were compressed before; `nil`: plain ones.
    var gzipBodies: GzipBodies?

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
        var headers = ["Content-Type": "application/x-ndjson"]
        if self.gzipBodies != nil { headers["Content-Encoding"] = "gzip" }
        let fixedHeaders = headers
        let send: @Sendable (Int, UnsafeRawBufferPointer) throws -> Void = { worker, body in
            let sent = ContinuousClock.now
            // All servers say at the start whether there were errors; the rest must not cost the load's time.
            let answer = try open[worker].send("POST", path, headers: fixedHeaders, body: body, keptByteCount: 1)
            let took = sent.duration(to: .now) / .seconds(1)
            guard answer.status == 200, answer.body.range(of: Data("\"errors\":true".utf8)) == nil else {
                throw BenchFailure(
                    "bulk answered \(answer.status): \(String(decoding: answer.body.prefix(300), as: UTF8.self))"
                )
            }
            lock.withLock { latencies.append(took) }
        }
        let start = ContinuousClock.now
        if let gzipBodies {
            try gzipBodies.forEachBody(connections: self.connections, send)
        } else {
            try self.data.forEachBody(connections: self.connections, send)
        }
        return Result(seconds: start.duration(to: .now) / .seconds(1), latencies: latencies.sorted())
    }
}

/// The bodies of a data set, each compressed as shippers do it (gzip, level 1).
struct GzipBodies {
    private let path: String

    /// Compresses the bodies, unless that was done before.
    init(_ data: DataSet) throws {
        self.path = data.path + ".gzip-bodies"
        if FileManager.default.fileExists(atPath: self.path) { return }
        let script = """
            import gzip, struct, sys
            source, target = open(sys.argv[1], "rb"), open(sys.argv[2] + ".part", "wb")
            while lines := source.readlines(2 << 20):
                if len(lines) % 2:
                    lines.append(source.readline())
                body = gzip.compress(b"".join(lines), 1)
                target.write(struct.pack("<Q", len(body)) + body)
            """
        _ = try Shell.output("python3", "-c", script, data.path, self.path)
        try FileManager.default.moveItem(atPath: self.path + ".part", toPath: self.path)
    }

    /// Calls `body` with each, from several threads at once.
    func forEachBody(connections: Int, _ body: @Sendable (Int, UnsafeRawBufferPointer) throws -> Void) throws {
        let data = try NSData(contentsOfFile: self.path, options: .mappedIfSafe)
        nonisolated(unsafe) let all = UnsafeRawBufferPointer(start: data.bytes, count: data.length)
        let lock = NSLock()
        nonisolated(unsafe) var at = 0
        nonisolated(unsafe) var failure: (any Error)?
        DispatchQueue.concurrentPerform(iterations: connections) { worker in
            while let range = lock.withLock({ () -> Range<Int>? in
                guard at < all.count, failure == nil else { return nil }
                let count = Int(UInt64(littleEndian: all.loadUnaligned(fromByteOffset: at, as: UInt64.self)))
                at += 8 + count
                return at - count..<at
            }) {
                do {
                    try body(worker, UnsafeRawBufferPointer(rebasing: all[range]))
                } catch {
                    lock.withLock { failure = error }
                }
            }
        }
        withExtendedLifetime(data) {}
        if let failure { throw failure }
    }
}
