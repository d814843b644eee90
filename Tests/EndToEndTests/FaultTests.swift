import Foundation
import LeatCore
import LeatTesting
import Testing

/// The server's own system calls fail, or it dies inside one of them: every acknowledged event is found once.
@Suite(.serialized) struct FaultTests {
    /// One fault, as `Fixtures/faults.c` reads it.
    struct Fault: Sendable, CustomTestStringConvertible {
        let text: String
        var kills: Bool { self.text.hasSuffix("kill") }
        var testDescription: String { self.text }
    }

    /// The calls at which the server dies; in the long mode every one of the first many.
    static let killPoints: [Int] =
        isLongRun ? Array(1...60) + Array(stride(from: 65, to: 400, by: 7)) : [1, 2, 4, 9, 21, 40]

    static let kills: [Fault] = ["fdatasync", "write", "rename"].flatMap { name in
        Self.killPoints.map { Fault(text: "\(name):\($0):kill") }
    }

    static let failures: [Fault] = ["fdatasync", "write", "rename"].flatMap { name in
        (isLongRun ? [1, 3, 5, 8, 13, 20, 30, 50] : [12, 30]).flatMap { number in
            [Fault(text: "\(name):\(number):5:1"), Fault(text: "\(name):\(number):28:6")]
        }
    }

    @Test(.enabled(if: Programs.areBuilt, Programs.missing), .timeLimit(.minutes(30)))
    func aServerThatDiesInACallHasAllItAcknowledged() throws {
        try withTemporaryFolder { folder in
            let library = try Self.library(folder)
            for (number, fault) in Self.kills.enumerated() { try Self.run(fault, number, library, folder) }
        }
    }

    @Test(.enabled(if: Programs.areBuilt, Programs.missing), .timeLimit(.minutes(30)))
    func aServerWhoseCallsFailRefusesOrStores() throws {
        try withTemporaryFolder { folder in
            let library = try Self.library(folder)
            for (number, fault) in Self.failures.enumerated() { try Self.run(fault, number, library, folder) }
        }
    }

    static func library(_ folder: TemporaryFolder) throws -> String {
        let path = folder.path("faults.so")
        let source = Programs.package + "/Tests/EndToEndTests/Fixtures/faults.c"
        let compiler = try RunningProgram(
            "/usr/bin/gcc",
            ["-shared", "-fPIC", "-O1", "-o", path, source, "-ldl"],
            folder: folder
        )
        guard try compiler.wait() == .exited(0) else { throw Unexpected("gcc: \(compiler.errors)") }
        return path
    }

    /// Sends events to a server with a fault until it is gone or all are sent; then a server without one must have them.
    static func run(_ fault: Fault, _ number: Int, _ library: String, _ folder: TemporaryFolder) throws {
        let data = folder.path("data-\(fault.text.filter(\.isLetter))-\(number)")
        let environment = ["LD_PRELOAD": library, "LEAT_FAULT": fault.text]
        let acknowledged = try Self.send(to: data, environment, folder, fault)
        let whole = try Self.start(data, [:], folder)
        let found = try Self.stored(try Self.port(of: whole) ?? 0)
        let missing = acknowledged.filter { found[$0] == nil }
        let repeated = found.filter { $0.value > 1 }.keys
        #expect(missing.isEmpty, "\(fault.text): \(missing.sorted()) of \(acknowledged.count) are lost")
        #expect(repeated.isEmpty, "\(fault.text): \(repeated.sorted()) are there twice")
        #expect(try whole.stop() == .exited(0), "\(fault.text): \(whole.errors)")
        try FileManager.default.removeItem(atPath: data)
    }

    private static func start(
        _ data: String,
        _ environment: [String: String],
        _ folder: TemporaryFolder
    ) throws -> RunningProgram {
        try RunningProgram(
            Programs.server,
            ["--listen", "127.0.0.1:0", "--data", data, "--log-level", "error"],
            environment: environment,
            folder: folder
        )
    }

    /// The port of a server; `nil` when it ended before it had one.
    private static func port(of program: RunningProgram) throws -> Int? {
        var port: Int?
        try eventually(within: .seconds(60), "the server's address") {
            port = program.output.firstMatch(of: /127\.0\.0\.1:([1-9][0-9]*)/).flatMap { Int($0.output.1) }
            return port != nil || !program.isRunning
        }
        return port
    }

    /// Sends 40 requests of three events each, every tenth followed by sealing; the numbers that were acknowledged.
    private static func send(
        to data: String,
        _ environment: [String: String],
        _ folder: TemporaryFolder,
        _ fault: Fault
    ) throws -> Set<Int> {
        let server = try Self.start(data, environment, folder)
        var acknowledged: Set<Int> = []
        guard let port = try Self.port(of: server) else { return acknowledged }
        for request in 0..<40 {
            let numbers = (0..<3).map { request * 3 + $0 }
            let body = numbers.map { "{\"create\":{}}\n{\"message\":\"event\",\"seq\":\($0)}\n" }.joined()
            do {
                let answer = try TestConnection(port: port).send("POST", "/_bulk", body: Array(body.utf8))
                if answer.status == 200, answer.text.contains("\"errors\":false") { acknowledged.formUnion(numbers) }
                if answer.status != 200 {
                    #expect(answer.status == 429 || answer.status == 503, "\(fault.text): \(answer.text)")
                    // What is stored can still be asked.
                    #expect(try Self.isAnswering(port), "\(fault.text): no answer while storage refuses")
                }
                if request % 10 == 9 { _ = try TestConnection(port: port).send("POST", "/api/v1/admin/compact") }
            } catch let error as TestFailure {
                guard fault.kills else { throw Unexpected("\(fault.text): \(error) \(server.errors)") }
                break
            }
        }
        if fault.kills {
            server.kill()
        } else {
            try server.stop(within: .seconds(60))
        }
        return acknowledged
    }

    private static func isAnswering(_ port: Int) throws -> Bool {
        let body = Array(#"{"queryString":"count()","start":"all"}"#.utf8)
        return try TestConnection(port: port).send("POST", "/api/v1/repositories/default/query", body: body).status
            == 200
    }

    /// How often each number is stored.
    private static func stored(_ port: Int) throws -> [Int: Int] {
        let body = Array(#"{"queryString":"seq=* | groupBy(seq, limit=max)","start":"all"}"#.utf8)
        let answer = try TestConnection(port: port).send(
            "POST",
            "/api/v1/repositories/default/query",
            body: body,
            headers: ["Accept": "application/x-ndjson"]
        )
        guard answer.status == 200 else { throw Unexpected("\(answer.status) \(answer.text)") }
        var found: [Int: Int] = [:]
        for line in answer.lines {
            guard let number = line.firstMatch(of: /"seq":"(\d+)"/).flatMap({ Int($0.output.1) }),
                let count = line.firstMatch(of: /"_count":"(\d+)"/).flatMap({ Int($0.output.1) })
            else { throw Unexpected(line) }
            found[number] = count
        }
        return found
    }

    /// The sync stands before the answer.
    @Test(.enabled(if: Programs.areBuilt, Programs.missing))
    func theJournalIsSyncedBeforeTheAnswer() throws {
        try withTemporaryFolder { folder in
            let server = try Self.start(folder.path("data"), [:], folder)
            let port = try Self.port(of: server) ?? 0
            let trace = folder.path("trace")
            let strace = try RunningProgram(
                "/usr/bin/strace",
                ["-f", "-o", trace, "-e", "trace=fdatasync,write,writev,sendto,sendmsg", "-p", "\(server.processID)"],
                folder: folder
            )
            try eventually("strace is attached") { strace.errors.contains("attached") || !strace.isRunning }
            let body = Array("{\"create\":{}}\n{\"message\":\"traced\"}\n".utf8)
            #expect(try TestConnection(port: port).send("POST", "/_bulk", body: body).status == 200)
            strace.signal(SIGTERM)
            try strace.wait()
            let lines = try PosixFileSystem().contents(trace).text.split(separator: "\n").map(String.init)
            let answer = try #require(lines.firstIndex { $0.contains("HTTP/1.1 200") }, "\(lines)")
            let sync = try #require(
                lines.firstIndex { $0.contains("fdatasync(") && $0.contains("= 0") }
                    ?? lines.firstIndex { $0.contains("fdatasync resumed") }
            )
            #expect(sync < answer)
            #expect(try server.stop() == .exited(0))
        }
    }
}
