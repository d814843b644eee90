internal import CLeatPlatform
internal import Glibc
internal import LeatCore
internal import LeatParsing

/// The program `leat-agent`: arguments in, exit code out.
public enum AgentProgram {
    static let version = "0.1.0"

    /// Runs the agent until it is stopped; the exit code.
    public static func run(arguments: [String], environment: [String: String]) -> Int32 {
        // A closed connection or pipe is told by its write.
        signal(SIGPIPE, SIG_IGN)
        leat_malloc_arenas_max(1)
        if arguments.first == "state" { return Self.runState(Array(arguments.dropFirst()), environment) }
        let commandLine: AgentCommandLine
        do throws(Diagnostics) {
            commandLine = try AgentCommandLine(arguments: arguments)
        } catch {
            Self.printError("\(error)")
            return 64
        }
        switch commandLine.mode {
        case .version:
            Self.print("leat-agent \(Self.version)")
            return 0
        case .help(let kind, let name):
            Self.print(kind.flatMap { PluginHelp.text($0, name) } ?? AgentHelp.text)
            return 0
        case .run, .dryRun: return Self.run(commandLine, environment)
        }
    }

    private static func run(_ commandLine: AgentCommandLine, _ environment: [String: String]) -> Int32 {
        if let folder = commandLine.workingFolder, chdir(folder) != 0 {
            Self.printError("cannot enter \(folder): \(PlainStream.reason(errno))")
            return 66
        }
        if let path = commandLine.configurationPath, access(path, R_OK) != 0 {
            Self.printError("cannot read \(path): \(PlainStream.reason(errno))")
            return 66
        }
        guard commandLine.configurationPath != nil || !commandLine.sections.isEmpty else {
            Self.printError("nothing to do: no -c FILE, and no -i or -o; see --help")
            return 64
        }
        do throws(AgentError) {
            return try AgentRun(commandLine, environment).run()
        } catch {
            Self.printError(error.text)
            return error.code
        }
    }

    /// `leat-agent state …`.
    private static func runState(_ arguments: [String], _ environment: [String: String]) -> Int32 {
        var options: [String: String] = [:]
        var rest = arguments.dropFirst()
        while let name = rest.popFirst() {
            guard ["-c", "--source", "--output"].contains(name), let value = rest.popFirst() else {
                Self.printError("unknown or unfinished option '\(name)'\n\(StateCommand.usage)")
                return 64
            }
            options[name] = value
        }
        guard let verb = arguments.first, ["list", "reset", "replay"].contains(verb), let path = options["-c"] else {
            Self.printError(StateCommand.usage)
            return 64
        }
        guard access(path, R_OK) == 0 else {
            Self.printError("cannot read \(path): \(PlainStream.reason(errno))")
            return 66
        }
        do throws(AgentError) {
            let run = AgentRun(AgentCommandLine(configurationPath: path), environment)
            return try run.runState(verb, source: options["--source"], output: options["--output"])
        } catch {
            Self.printError(error.text)
            return error.code
        }
    }

    static func print(_ text: String) { Self.write(text, STDOUT_FILENO) }

    static func printError(_ text: String) { Self.write(text, STDERR_FILENO) }

    private static func write(_ text: String, _ descriptor: Int32) {
        let line = Array((text + "\n").utf8)
        _ = Glibc.write(descriptor, line, line.count)
    }
}
