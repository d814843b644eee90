import Foundation

/// How the server bears growth: time and memory for each further GiB, and what a needle costs at several sizes.
///
/// Events come straight from the generator, so that the disk holds only what the server stores.
struct GrowthBench {
    let programs: String
    let folder: String
    let options: BenchOptions

    private static let bytesPerGibibyte = 1 << 30

    func run(into report: inout BenchReport) throws {
        guard let source = try EventStream(options: self.options, folder: self.folder) else {
            report.add("growth", "events", "", 0, "", "the generator vlgen is not there: not measured")
            return
        }
        let dataFolder = "\(self.folder)/leat-growth"
        try? FileManager.default.removeItem(atPath: dataFolder)
        let (server, port) = try ServerBench.launch(
            programs: self.programs,
            folder: self.folder,
            dataFolder: dataFolder
        )
        defer {
            server.stop()
            source.stop()
            if self.options.keepFolder == nil { try? FileManager.default.removeItem(atPath: dataFolder) }
        }
        let last = self.options.gibibytes.max() ?? 1
        for size in 1...last {
            try self.addGibibyte(size, source, server, port, into: &report)
            guard self.options.gibibytes.contains(size) else { continue }
            try self.ask(size, source, server, port, dataFolder, into: &report)
        }
    }

    /// Sends one more GiB, and says what that took.
    private func addGibibyte(
        _ size: Int,
        _ source: EventStream,
        _ server: MeteredProcess,
        _ port: Int,
        into report: inout BenchReport
    ) throws {
        let stopSampling = server.samplePeak()
        let cpu = server.cpuSeconds
        let start = ContinuousClock.now
        let byteCount = try source.send(
            Self.bytesPerGibibyte,
            connections: self.options.connections,
            port: port
        )
        let seconds = start.duration(to: .now) / .seconds(1)
        let share = Double(byteCount) / Double(Self.bytesPerGibibyte)
        report.add("growth", "GiB \(size): CPU", "leat", (server.cpuSeconds - cpu) / share, "s/GiB")
        report.add("growth", "GiB \(size): rate", "leat", Double(byteCount) / 1e6 / seconds, "MB/s")
        report.add("growth", "GiB \(size): peak memory", "leat", stopSampling(), "MiB")
    }

    /// Asks for the number of events and for an identifier of the first one, after everything due is merged.
    private func ask(
        _ size: Int,
        _ source: EventStream,
        _ server: MeteredProcess,
        _ port: Int,
        _ dataFolder: String,
        into report: inout BenchReport
    ) throws {
        try ServerBench.compact(port: port)
        let connection = try HTTPConnection(port: port)
        let stored = try Shell.byteCount(of: dataFolder)
        report.add("growth", "\(size) GiB: on disk", "leat", stored / 1e6, "MB", "\(source.eventCount) events")
        let count = try Self.rows(connection, "count(as=n)")
        if count.first?["n"] as? String != "\(source.eventCount)" {
            report.fail("growth at \(size) GiB: \(count) instead of \(source.eventCount) events")
        }
        let stopSampling = server.samplePeak()
        for (name, query) in [
            ("identifier in a field", "trace_id = \"\(source.trace)\""),
            ("identifier in any field", "\"\(source.trace)\""),
        ] {
            var times: [Double] = []
            for _ in 0..<6 {
                let start = ContinuousClock.now
                let rows = try Self.rows(connection, query)
                times.append(start.duration(to: .now) / .milliseconds(1))
                if rows.isEmpty { report.fail("growth at \(size) GiB: \(query) found nothing") }
            }
            let warm = times.dropFirst().sorted()
            report.add(
                "growth",
                "\(size) GiB: \(name)",
                "leat",
                warm[warm.count / 2],
                "ms",
                String(format: "first %.1f ms", times[0])
            )
        }
        report.add("growth", "\(size) GiB: peak memory of the questions", "leat", stopSampling(), "MiB")
    }

    private static func rows(_ connection: HTTPConnection, _ query: String) throws -> [[String: Any]] {
        let body: [String: Any] = ["queryString": query, "start": 0, "end": 4_102_444_800_000, "isLive": false]
        return try connection.ask(body).split(separator: 10).compactMap {
            try JSONSerialization.jsonObject(with: $0) as? [String: Any]
        }
    }
}

/// Bulk bodies out of the running generator.
final class EventStream: @unchecked Sendable {
    // Sound as Sendable: `lock` guards the pipe and what is counted.

    private static let bodyByteCount = 2 << 20

    private let process = Process()
    private let pipe = Pipe()
    private let lock = NSLock()
    private var rest = Data()
    private(set) var eventCount = 0
    /// The `trace_id` of the first event that has one.
    private(set) var trace = ""

    /// Starts the generator; `nil` where it is not there.
    init?(options: BenchOptions, folder: String) throws {
        guard let tools = ProcessInfo.processInfo.environment["LEAT_SHARED"].map({ $0 + "/tools" }),
            FileManager.default.fileExists(atPath: "\(tools)/vlgen"), Shell.find("gcc") != nil
        else { return nil }
        let program = "\(folder)/vlgen-growth"
        _ = try Shell.output("gcc", "-O2", "-o", program, "\(tools)/vlgen/vlgen.c", "-lm")
        self.process.executableURL = URL(filePath: program)
        // More than is ever read: it ends with the pipe.
        self.process.arguments = ["1000000000", "\(options.seed)"]
        self.process.standardOutput = self.pipe
        self.process.standardError = FileHandle.nullDevice
        try self.process.run()
        try self.pipe.fileHandleForWriting.close()
    }

    func stop() {
        self.process.terminate()
        self.process.waitUntilExit()
    }

    /// Sends bodies until `byteCount` bytes are acknowledged, and returns how many were.
    func send(_ byteCount: Int, connections: Int, port: Int) throws -> Int {
        nonisolated(unsafe) let open = try (0..<connections).map { _ in try HTTPConnection(port: port) }
        nonisolated(unsafe) var sent = 0
        nonisolated(unsafe) var failure: (any Error)?
        DispatchQueue.concurrentPerform(iterations: connections) { worker in
            do {
                while let body = try self.lock.withLock({ () -> Data? in
                    guard sent < byteCount, failure == nil else { return nil }
                    let body = try self.nextBody()
                    sent += body.count
                    return body
                }) {
                    try body.withUnsafeBytes { bytes in
                        let headers = ["Content-Type": "application/x-ndjson"]
                        let answer = try open[worker].send("POST", "/_bulk", headers: headers, body: bytes)
                        guard answer.status == 200, answer.body.range(of: Data("\"errors\":true".utf8)) == nil else {
                            throw BenchFailure("bulk answered \(answer.status)")
                        }
                    }
                }
            } catch {
                self.lock.withLock { failure = error }
            }
        }
        if let failure { throw failure }
        return sent
    }

    /// The next whole events, at least `bodyByteCount` bytes of them.
    private func nextBody() throws -> Data {
        while true {
            if self.rest.count >= Self.bodyByteCount, let end = self.border() {
                let body = self.rest.prefix(end)
                self.rest = Data(self.rest.dropFirst(end))
                return body
            }
            guard let more = try self.pipe.fileHandleForReading.read(upToCount: 1 << 20), !more.isEmpty else {
                throw BenchFailure("the generator ended")
            }
            self.rest.append(more)
        }
    }

    /// Where the last whole event in `rest` ends: after an even number of lines, which are counted.
    private func border() -> Int? {
        var border: Int?
        var lineCount = 0
        self.rest.withUnsafeBytes { bytes in
            guard let start = bytes.baseAddress else { return }
            var position = 0
            while position < bytes.count, let found = memchr(start + position, 10, bytes.count - position) {
                position = UnsafeRawPointer(found) - start + 1
                lineCount += 1
                if lineCount % 2 == 0 { border = position }
            }
        }
        self.eventCount += lineCount / 2
        if self.trace.isEmpty {
            let head = String(decoding: self.rest.prefix(100_000), as: UTF8.self)
            self.trace = head.firstMatch(of: /"trace_id":"([0-9a-f]+)"/).map { String($0.output.1) } ?? ""
        }
        return border
    }
}
