import LeatCore
import LeatTesting
import Synchronization

@testable import LeatServer

/// A server in this process, on a port of the system's choice, with a data folder of its own.
final class TestServer: Sendable {
    let port: Int
    /// The ports of all listeners, by name.
    let ports: [String: Int]
    private let program: ServerProgram
    private let task: Task<Void, any Error>

    private init(ports: [String: Int], program: ServerProgram, task: Task<Void, any Error>) {
        self.port = ports["http"] ?? 0
        self.ports = ports
        self.program = program
        self.task = task
    }

    /// Runs `body` beside a server, and stops it.
    static func with<Result: Sendable>(
        _ change: (inout ServerConfiguration) -> Void = { _ in },
        _ body: (TestServer) async throws -> Result
    ) async throws -> Result {
        let folder = try TemporaryFolder()
        return try await Self.with(folder: folder, change, body)
    }

    /// Runs `body` beside a server over the data in a folder, and stops it.
    static func with<Result: Sendable>(
        folder: TemporaryFolder,
        _ change: (inout ServerConfiguration) -> Void = { _ in },
        _ body: (TestServer) async throws -> Result
    ) async throws -> Result {
        var configuration = ServerConfiguration()
        configuration.port = 0
        configuration.dataPath = folder.path("data")
        configuration.logLevel = .error
        change(&configuration)
        let (ports, continuation) = AsyncStream<[String: Int]>.makeStream()
        let program = ServerProgram(configuration) { all in
            continuation.yield(Dictionary(uniqueKeysWithValues: all.map { ($0.name, $0.address.port) }))
        }
        let task = Task {
            defer { continuation.finish() }
            try await program.run(stopsOnSignals: false)
        }
        var iterator = ports.makeAsyncIterator()
        guard let ports = await iterator.next() else {
            try await task.value
            throw TestFailure("the server gave no port")
        }
        let server = TestServer(ports: ports, program: program, task: task)
        do {
            let result = try await body(server)
            try await server.stop()
            return result
        } catch {
            try await server.stop()
            throw error
        }
    }

    private func stop() async throws {
        await self.program.stop()
        try await self.task.value
    }

    /// Sends one request on a connection of its own.
    func send(
        _ method: String,
        _ path: String,
        _ body: [UInt8]? = nil,
        headers: [String: String] = [:]
    ) async throws -> TestAnswer {
        let port = self.port
        return try await onThread {
            let connection = try TestConnection(port: port)
            return try connection.send(method, path, body: body, headers: headers)
        }
    }

    /// Sends one request with a body of text.
    func send(
        _ method: String,
        _ path: String,
        _ body: String,
        headers: [String: String] = [:]
    ) async throws -> TestAnswer {
        try await self.send(method, path, Array(body.utf8), headers: headers)
    }

    /// The rows of a query, as JSON.
    func query(_ query: String, repository: String = "default") async throws -> [JSONValue] {
        let body = JSONValue.object([.init("queryString", .string(query)), .init("start", "all")])
        let answer = try await self.send("POST", "/api/v1/repositories/\(repository)/query", body.bytes)
        guard answer.status == 200 else { throw TestFailure("\(answer.status): \(answer.text)") }
        return try answer.lines.map { try JSONValue(parsing: $0) }
    }
}

/// Runs blocking code on a thread of its own, so that the server's tasks find theirs.
func onThread<Success: Sendable>(_ body: @escaping @Sendable () throws -> Success) async throws -> Success {
    try await withCheckedThrowingContinuation { continuation in
        _ = WorkerThread(name: "client") { continuation.resume(with: Result(catching: body)) }
    }
}
