internal import ArgumentParser
internal import Glibc
internal import LeatCore
internal import LeatServer

/// `leat-server`: arguments in, exit code out.
@main
struct ServerCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "leat-server",
        abstract: "Stores log events and answers queries about them.",
        discussion: """
            leat-server
            leat-server --data /var/lib/leat --listen 127.0.0.1:9200
            leat-server --config config/server.yaml --check-config

            Shippers send to /_bulk, as to Elasticsearch; people ask with 'leat'. Every setting of the file can also be given \
            as an environment variable, such as LEAT_LISTEN; flags win over the environment, and that over the file.
            """,
        version: LeatVersion.text,
        subcommands: [
            TokenCommand.self, VerifyCommand.self, RebuildCatalogCommand.self, BackupCommand.self, ExportCommand.self,
        ]
    )

    @Option(help: "Settings, see config/server.yaml.")
    var config: String?

    @OptionGroup var folder: DataFolder

    @Option(help: "HOST:PORT; port 0 lets the system choose. (default: 127.0.0.1:9200)")
    var listen: String?

    @Option(help: "trace, debug, info, warning or error. (default: info)")
    var logLevel: String?

    @Option(help: "text or json. (default: text)")
    var logFormat: String?

    @Flag(help: "Check the configuration and exit.")
    var checkConfig = false

    @Flag(help: "Serve everyone who reaches the address, although no token exists.")
    var unsafeOpen = false

    static func main() async {
        do {
            var command = try Self.parseAsRoot()
            if var asynchronous = command as? any AsyncParsableCommand {
                try await asynchronous.run()
            } else {
                try command.run()
            }
        } catch {
            let isComplaint = !(error is ExitCode) && Self.exitCode(for: error) == .validationFailure
            guard isComplaint else { Self.exit(withError: error) }
            Self.note(UsageComplaint.text(Self.fullMessage(for: error), program: "leat-server"))
            Glibc.exit(ExitCode.validationFailure.rawValue)
        }
    }

    func run() async throws {
        let configuration = self.configuration()
        if let problem = configuration.problem { Self.fail(problem, 78) }
        if self.checkConfig {
            Self.say("configuration is valid")
            return
        }
        let program = ServerProgram(configuration) { all in
            let scheme = configuration.hasCertificate ? "https" : "http"
            for listening in all {
                let scheme = listening.name == "http" ? scheme : listening.name
                Self.say("leat-server listening on \(scheme)://\(listening.address)")
            }
        }
        do {
            try await program.run()
        } catch let failure as ServerProgram.Failure {
            Self.fail("\(failure)", failure.exitCode)
        }
    }

    /// All settings; ends the process when something is wrong with them.
    private func configuration() -> ServerConfiguration {
        var configuration = ServerConfiguration()
        do throws(Diagnostics) {
            if let path = self.config { try configuration.read(yaml: Self.text(of: path), source: path) }
            try configuration.read(environment: Self.environment)
        } catch {
            Self.fail("\(error)", 78, prefix: "")
        }
        if let listen = self.listen, !configuration.setListen(listen) {
            Self.fail("'\(listen)' is no address; write HOST:PORT, such as 127.0.0.1:9200", 64)
        }
        if let data = self.folder.data { configuration.dataPath = data }
        if let text = self.logLevel {
            guard let level = ServerConfiguration.LogLevel(rawValue: text) else {
                Self.fail("'\(text)' is no log level; write trace, debug, info, warning or error", 64)
            }
            configuration.logLevel = level
        }
        if let text = self.logFormat {
            guard let format = ServerConfiguration.LogFormat(rawValue: text) else {
                Self.fail("'\(text)' is no log format; write text or json", 64)
            }
            configuration.logFormat = format
        }
        if self.unsafeOpen { configuration.isUnsafelyOpen = true }
        return configuration
    }

    private static func text(of path: String) -> String {
        do throws(FileSystemError) {
            return try PosixFileSystem().contents(path).text
        } catch {
            Self.fail("\(error)", 66)
        }
    }

    private static var environment: [String: String] {
        var result: [String: String] = [:]
        for key in ServerConfiguration.environmentNames {
            if let value = getenv(key) { result[key] = String(cString: value) }
        }
        return result
    }

    /// Writes a line to standard output at once, also when that is a pipe.
    static func say(_ text: String) {
        let line = Array((text + "\n").utf8)
        _ = line.withUnsafeBytes { write(STDOUT_FILENO, $0.baseAddress, $0.count) }
    }

    /// Writes a line to standard error.
    static func note(_ text: String) {
        let line = Array((text + "\n").utf8)
        _ = line.withUnsafeBytes { write(STDERR_FILENO, $0.baseAddress, $0.count) }
    }

    /// Ends the process with one line on standard error.
    static func fail(_ message: String, _ code: Int32, prefix: String = "leat-server: ") -> Never {
        Self.note(prefix + message)
        Glibc.exit(code)
    }
}
