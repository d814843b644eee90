import Foundation
import LeatCore
import LeatTesting
import Testing

/// The three programs of the release build, as the tests start them.
enum Programs {
    /// The folder of `Package.swift`.
    static let package: String = {
        if let package = environment("LEAT_PACKAGE") { return package }
        return URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().path
    }()

    static let folder = environment("LEAT_BIN") ?? Self.package + "/.build/release"
    static let agent = Self.folder + "/leat-agent"
    static let server = Self.folder + "/leat-server"
    static let shell = Self.folder + "/leat"

    /// Whether `make build` has been run.
    static var areBuilt: Bool {
        [Self.agent, Self.server, Self.shell].allSatisfy { FileManager.default.isExecutableFile(atPath: $0) }
    }

    static let missing: Comment = "the release build is missing: run 'make build' first"
}

/// A `leat-server` on a port of the system's choice.
final class TestServer {
    let folder: TemporaryFolder
    let dataFolder: String
    private(set) var program: RunningProgram
    private(set) var port: Int

    init(folder: TemporaryFolder, port: Int = 0) throws {
        self.folder = folder
        self.dataFolder = folder.path("server-data")
        (self.program, self.port) = try Self.start(folder, self.dataFolder, port: port)
    }

    var url: String { "http://127.0.0.1:\(self.port)" }

    /// Starts again, on the same port and data.
    func restart() throws {
        (self.program, self.port) = try Self.start(self.folder, self.dataFolder, port: self.port)
    }

    private static func start(
        _ folder: TemporaryFolder,
        _ dataFolder: String,
        port: Int
    ) throws -> (RunningProgram, Int) {
        let program = try RunningProgram(
            Programs.server,
            ["--listen", "127.0.0.1:\(port)", "--data", dataFolder],
            folder: folder
        )
        var chosen: Int?
        try eventually(within: .seconds(30), "the server's address") {
            guard program.isRunning else { throw ProgramEnded(program) }
            let text = program.output + program.errors
            chosen = text.firstMatch(of: /127\.0\.0\.1:([1-9][0-9]*)/).flatMap { Int($0.output.1) }
            return chosen != nil
        }
        return (program, chosen ?? 0)
    }

    /// Runs `leat` against this server and returns its output.
    func ask(_ arguments: String..., input: String? = nil) throws -> String {
        let shell = try Shell.run(arguments, environment: ["LEAT_SERVER": self.url], input: input, folder: self.folder)
        guard shell.ending == .exited(0) else {
            throw Unexpected("leat \(arguments) ended with \(shell.ending): \(shell.errors)")
        }
        return shell.output
    }

    /// The number in the only row of a count.
    func count(_ query: String) throws -> Int {
        let text = try self.ask("query", "--start", "100d", "--end", "now", "--format", "json", query)
        guard let number = text.firstMatch(of: /"_count":"?(\d+)/).flatMap({ Int($0.output.1) }) else {
            throw Unexpected("'\(query)' answered '\(text)'")
        }
        return number
    }
}

/// `leat`, run to its end.
enum Shell {
    static func run(
        _ arguments: [String],
        environment: [String: String] = [:],
        input: String? = nil,
        folder: TemporaryFolder
    ) throws -> (ending: RunningProgram.Ending, output: String, errors: String) {
        var environment = environment
        environment["HOME"] = folder.path
        let program = try RunningProgram(
            Programs.shell,
            arguments,
            environment: environment,
            input: input,
            folder: folder
        )
        let ending = try program.wait(within: .seconds(60))
        return (ending, program.output, program.errors)
    }
}

/// A program that should still run.
struct ProgramEnded: Error, CustomStringConvertible {
    let description: String
    init(_ program: RunningProgram) { self.description = "the program ended: \(program.output)\(program.errors)" }
}

/// An answer that a test cannot go on with.
struct Unexpected: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}
