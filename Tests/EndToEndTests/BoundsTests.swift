import Foundation
import Glibc
import LeatCore
import LeatTesting
import Testing

/// Clients that mean harm, or are broken: others are served, and memory stays inside its limit.
@Suite(.serialized) struct BoundsTests {
    /// What the server may ever take, in MiB: the budget of requests (256), and what it needs anyway.
    static let peakMebibytes = 560

    @Test(.enabled(if: Programs.areBuilt, Programs.missing), .timeLimit(.minutes(3)))
    func tenGigabytesOfZerosInTenMegabytesAreRefused() throws {
        try withTemporaryFolder { folder in
            let server = try TestServer(folder: folder)
            let member = [UInt8](repeating: 0x30, count: 64 << 20).withUnsafeBytes { Deflate.gzip($0, level: 9) }
            let bomb = Array(repeatElement(member, count: 160).joined())
            let port = server.port
            let statuses = try Self.parallel(8) { _ in
                try TestConnection(port: port).send(
                    "POST",
                    "/_bulk",
                    body: bomb,
                    headers: ["Content-Encoding": "gzip"]
                ).status
            }
            #expect(statuses.allSatisfy { $0 == 413 || $0 == 429 }, "\(statuses)")
            try Self.expectService(server)
            let peak = try Self.peakMebibytes(of: server)
            #expect(peak < Self.peakMebibytes, "peak memory \(peak) MiB")
        }
    }

    @Test(.enabled(if: Programs.areBuilt, Programs.missing), .timeLimit(.minutes(3)))
    func slowSocketsAndManyConnectionsDoNotHinderOthers() throws {
        try withTemporaryFolder { folder in
            let server = try TestServer(folder: folder)
            var limit = rlimit()
            getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
            limit.rlim_cur = limit.rlim_max
            setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
            let idleCount = min(5_000, Int(limit.rlim_max) - 1_000)
            var open: [TestConnection] = []
            for number in 0..<500 {
                let connection = try TestConnection(port: server.port)
                // Half of them stop inside the head, half inside the body.
                let head = "POST /_bulk HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n"
                try connection.write(number % 2 == 0 ? head : head + "\r\n{")
                open.append(connection)
            }
            for _ in 0..<max(0, idleCount - 500) { open.append(try TestConnection(port: server.port)) }
            for connection in open.prefix(500) { try connection.write("x") }
            try Self.expectService(server)
            let times = try (0..<50).map { _ in try Self.expectService(server) }.sorted()
            #expect(times[48] < .seconds(2), "a request took \(times[48]) beside them")
            let peak = try Self.peakMebibytes(of: server)
            #expect(peak < Self.peakMebibytes, "peak memory \(peak) MiB")
            #expect(open.count >= min(5_000, idleCount))
        }
    }

    @Test(.enabled(if: Programs.areBuilt && getuid() == 0, "needs the release build, and root to mount a small disk"))
    func aFullDiskRefusesAndStaysQueryable() throws {
        try withTemporaryFolder { folder in
            let disk = folder.path("disk")
            try PosixFileSystem().createDirectory(disk)
            let mount = try RunningProgram(
                "/bin/mount",
                ["-t", "tmpfs", "-o", "size=96m", "tmpfs", disk],
                folder: folder
            )
            guard try mount.wait() == .exited(0) else { return print("skipped: no tmpfs can be mounted here") }
            defer { _ = try? RunningProgram("/bin/umount", ["-l", disk], folder: folder).wait() }
            let program = try RunningProgram(
                Programs.server,
                ["--listen", "127.0.0.1:0", "--data", "\(disk)/data", "--log-level", "error"],
                folder: folder
            )
            var port = 0
            try eventually("the server's address") {
                port = program.output.firstMatch(of: /127\.0\.0\.1:([1-9][0-9]*)/).flatMap { Int($0.output.1) } ?? 0
                guard program.isRunning else { throw ProgramEnded(program) }
                return port != 0
            }
            var random = SeededRandom(seed: 7)
            var stored = 0
            var refusals: [Int] = []
            for _ in 0..<400 where refusals.count < 3 {
                let noise = (0..<500).map { _ in String(UInt64.random(in: 0...UInt64.max, using: &random), radix: 36) }
                let body = noise.map { "{\"create\":{}}\n{\"message\":\"\($0)\($0)\($0)\"}\n" }.joined()
                let answer = try TestConnection(port: port).send("POST", "/_bulk", body: Array(body.utf8))
                if answer.status == 200 { stored += 500 } else { refusals.append(answer.status) }
            }
            let question = Array(#"{"queryString":"count()","start":"all"}"#.utf8)
            let path = "/api/v1/repositories/default/query"
            let answer = try TestConnection(port: port).send("POST", path, body: question)
            #expect(answer.status == 200)
            #expect(answer.text.contains("\"\(stored)\""), "\(answer.text), not \(stored)")
            #expect(refusals.allSatisfy { $0 == 429 || $0 == 503 }, "\(refusals)")
            #expect(!refusals.isEmpty, "the disk did not fill: \(stored) events")
            program.kill()
        }
    }

    /// Sends an event and asks for it; how long both took.
    @discardableResult
    private static func expectService(_ server: TestServer) throws -> Duration {
        let start = ContinuousClock.now
        let body = Array("{\"create\":{}}\n{\"message\":\"served\"}\n".utf8)
        #expect(try TestConnection(port: server.port).send("POST", "/_bulk", body: body).status == 200)
        #expect(try TestConnection(port: server.port).send("GET", "/api/v1/health").status == 200)
        return start.duration(to: .now)
    }

    /// The most memory that a server ever had, in MiB.
    private static func peakMebibytes(of server: TestServer) throws -> Int {
        let text = try String(contentsOfFile: "/proc/\(server.program.processID)/status", encoding: .utf8)
        guard let kibibytes = text.firstMatch(of: /VmHWM:\s+(\d+) kB/).flatMap({ Int($0.output.1) }) else {
            throw Unexpected(text)
        }
        return kibibytes / 1_024
    }

    /// The results of `body`, run on as many threads at once.
    private static func parallel<Result: Sendable>(
        _ count: Int,
        _ body: @escaping @Sendable (Int) throws -> Result
    ) throws -> [Result] {
        let lock = NSLock()
        nonisolated(unsafe) var results: [Swift.Result<Result, any Error>] = []
        let threads = (0..<count).map { number in
            WorkerThread(name: "client") {
                let result = Swift.Result { try body(number) }
                lock.withLock { results.append(result) }
            }
        }
        for thread in threads { thread.join() }
        return try results.map { try $0.get() }
    }
}
