internal import ArgumentParser
internal import Glibc
internal import LeatServer

/// The data folder that a command works on.
///
/// The server itself and its subcommands share this group: an option of the same name in both would be taken by the
/// server and be missing in the subcommand.
struct DataFolder: ParsableArguments {
    @Option(help: "Data folder. (default: ./leat-data)")
    var data: String?

    /// The folder that was named, or the usual one.
    var path: String { self.data ?? "./leat-data" }

    /// Runs a command and ends the process with its exit code.
    func run(_ body: (MaintenanceProgram) throws(ServerProgram.Failure) -> MaintenanceProgram.Report) -> Never {
        do throws(ServerProgram.Failure) {
            let report = try body(MaintenanceProgram(dataPath: self.path))
            for problem in report.problems { ServerCommand.note(problem) }
            for line in report.lines { ServerCommand.say(line) }
            Glibc.exit(report.exitCode)
        } catch {
            ServerCommand.fail("\(error)", error.exitCode)
        }
    }
}

/// `leat-server verify`: every checksum.
struct VerifyCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify",
        abstract: "Checks every file of a data folder; a server may be using it.",
        discussion: "leat-server verify --data /var/lib/leat\nEnds with 65 when something is damaged."
    )

    @OptionGroup var folder: DataFolder

    func run() { self.folder.run { (program) throws(ServerProgram.Failure) in try program.verify() } }
}

/// `leat-server rebuild-catalog`: from the segments alone.
struct RebuildCatalogCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rebuild-catalog",
        abstract: "Makes a new catalog from the segments, when the old one is lost or damaged.",
        discussion: "leat-server rebuild-catalog --data /var/lib/leat"
    )

    @OptionGroup var folder: DataFolder

    func run() { self.folder.run { (program) throws(ServerProgram.Failure) in try program.rebuildCatalog() } }
}

/// `leat-server backup`: hot, with hard links.
struct BackupCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "backup",
        abstract: "Makes a copy of a data folder that can be served as it is; a server may be using it.",
        discussion: "leat-server backup --data /var/lib/leat /backup/leat-2026-11-20"
    )

    @OptionGroup var folder: DataFolder

    @Argument(help: "Folder to be made; on the same file system it costs next to nothing.")
    var target: String

    func run() { self.folder.run { (program) throws(ServerProgram.Failure) in try program.backup(to: self.target) } }
}

/// `leat-server export`: all events, one object a line.
struct ExportCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "export",
        abstract: "Writes the events of a data folder that no server uses to standard output, one JSON object a line.",
        discussion: """
            leat-server export --data /var/lib/leat --repo web --start 2026-11-20T00:00:00Z > web.ndjson
            leat ingest --repo web web.ndjson
            """
    )

    @OptionGroup var folder: DataFolder

    @Option(help: "Only the events of this repository.")
    var repo: String?

    @Option(help: "First moment: 24h, ISO 8601, or epoch milliseconds. (default: from the first event)")
    var start: String?

    @Option(help: "First moment that is not wanted any more. (default: to the last event)")
    var end: String?

    func run() {
        // A reader that has seen enough ends the export quietly.
        signal(SIGPIPE, SIG_IGN)
        self.folder.run { (program) throws(ServerProgram.Failure) in
            try program.export(repository: self.repo, start: self.start, end: self.end) {
                (piece) throws(ServerProgram.Failure) in try Self.write(piece)
            }
        }
    }

    private static func write(_ bytes: [UInt8]) throws(ServerProgram.Failure) -> Bool {
        var start = 0
        while start < bytes.count {
            let count = bytes[start...].withUnsafeBytes { Glibc.write(STDOUT_FILENO, $0.baseAddress, $0.count) }
            if count < 0 && errno == EINTR { continue }
            if count < 0 && errno == EPIPE { return false }
            guard count >= 0 else {
                throw ServerProgram.Failure(
                    description: "cannot write to standard output: \(String(cString: strerror(errno)))",
                    exitCode: 74
                )
            }
            start += count
        }
        return true
    }
}
