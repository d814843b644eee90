internal import ArgumentParser
internal import Glibc
internal import LeatCore
internal import LeatShell

/// The process: its signals, and what it ends with.
enum Process {
    /// Before anything else: a closed pipe is an error of writing, not a signal.
    static func prepare() { ProcessSignals.prepare() }

    /// Says what is wrong with the arguments, and ends the process.
    static func end(complaining message: String) -> Never {
        Notes.write(UsageComplaint.text(message, program: "leat"))
        Glibc.exit(ExitStatus.usage.rawValue)
    }

    /// Runs a command and turns its end into the exit code of the process.
    static func run(asJSON: Bool = false, _ body: () async throws -> ExitStatus) async throws {
        let status = await CommandRunner.status(asJSON: asJSON, body)
        if status != .success { throw ArgumentParser.ExitCode(status.rawValue) }
    }
}
