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

/// One run of the agent with one configuration.
struct AgentRun {
    private static let lockPatience = Duration.seconds(5)

    private let commandLine: AgentCommandLine
    private let environment: [String: String]
    private let disk = PosixFileSystem()
    private let time = SystemTime()

    init(_ commandLine: AgentCommandLine, _ environment: [String: String]) {
        self.commandLine = commandLine
        self.environment = environment
    }

    func run() throws(AgentError) -> Int32 {
        let configuration = try self.readConfiguration()
        let log = try self.makeLog(configuration.service)
        do throws(FileSystemError) {
            return try self.run(configuration, log)
        } catch {
            throw AgentError(code: 74, text: "\(error)")
        }
    }

    /// Shows or mends the state folder.
    func runState(_ verb: String, source: String?, output: String?) throws(AgentError) -> Int32 {
        let configuration = try self.readConfiguration()
        let log = AgentLog(level: .warning, descriptor: STDERR_FILENO, time: self.time)
        let names = self.names(configuration, log)
        let outputs = configuration.outputs.map(\.displayName)
        let command = StateCommand(names: names, outputNames: outputs, disk: self.disk, time: self.time)
        do {
            if verb == "list" {
                AgentProgram.print(try command.list())
                return 0
            }
            let lock = try self.lock(names)
            defer { _ = close(lock) }
            switch (verb, source, output) {
            case ("reset", let path?, nil):
                AgentProgram.print("\(try command.reset(source: path)) positions of \(path) are forgotten")
            case ("reset", nil, let name?):
                AgentProgram.print("\(try command.reset(output: name)) chunks of \(name) are given up")
            case ("replay", nil, let name?):
                AgentProgram.print("\(try command.replay(output: name)) events of \(name) will be sent again")
            default: throw AgentError(code: 64, text: StateCommand.usage)
            }
            return 0
        } catch let error as FileSystemError {
            throw AgentError(code: 74, text: "\(error)")
        } catch let error as AgentError {
            throw error
        } catch {
            throw AgentError(code: 70, text: "\(error)")
        }
    }

    private func readConfiguration() throws(AgentError) -> AgentConfiguration {
        let reader = ConfigurationReader(files: self.disk, environment: self.environment)
        do throws(Diagnostics) {
            return try reader.read(self.commandLine)
        } catch {
            throw AgentError(code: 78, text: "\(error)")
        }
    }

    private func makeLog(_ service: Settings) throws(AgentError) -> AgentLog {
        var descriptor = STDERR_FILENO
        if let path = service.text("log_file") {
            descriptor = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o644)
            if descriptor < 0 { throw AgentError(code: 74, text: "cannot open \(path): \(PlainStream.reason(errno))") }
        }
        return AgentLog(level: AgentLog.level(service.text("log_level")), descriptor: descriptor, time: self.time)
    }

    private func run(_ configuration: AgentConfiguration, _ log: AgentLog) throws(FileSystemError) -> Int32 {
        let loop = try EventLoop(time: self.time)
        var factory = AgentFactory(configuration: configuration, loop: loop, disk: self.disk, log: log)
        factory.environment = self.environment
        factory.isDryRun = self.commandLine.mode == .dryRun
        let parts = factory.check()
        for diagnostic in configuration.warnings + factory.diagnostics { AgentProgram.printError("\(diagnostic)") }
        guard let parts else { return 78 }
        for note in configuration.notes { log.write(.debug, note) }
        if self.commandLine.mode == .dryRun {
            AgentProgram.print("configuration test is successful")
            return 0
        }
        Self.raiseFileLimit()
        let reloadState = ReloadState()
        let signals = leat_signalfd_create([SIGTERM, SIGINT, SIGHUP], 3)
        do throws(AgentError) {
            let names = self.names(configuration, log)
            let lock = try self.lock(names)
            defer { _ = close(lock) }
            let agent = try factory.make(filters: parts.filters, router: parts.router, names: names)
            let reload = { () -> Bool in
                guard self.isConfigurationValid(log) else { return false }
                reloadState.isWanted = true
                log.write(.info, "the new configuration is valid: starting again with it")
                agent.stop()
                return true
            }
            try loop.watchSignals(signals) { signal in
                if signal == SIGHUP {
                    _ = reload()
                } else {
                    log.write(.info, "signal \(signal): stopping")
                    agent.stop()
                }
            }
            let watch = self.startWatch(configuration, loop) { _ = reload() }
            defer { watch?.stop() }
            let monitoring = try self.startMonitoring(configuration.service, agent)
            defer { monitoring?.close() }
            // The answer goes out before the agent does.
            monitoring?.reload = {
                let isValid = self.isConfigurationValid(log)
                if isValid { loop.schedule(after: .milliseconds(100)) { _ = reload() } }
                return isValid
            }
            do throws(InputError) { try agent.start() } catch { throw AgentError(code: 74, text: "\(error)") }
            log.write(.info, "leat-agent \(AgentProgram.version) started, state in \(names.folder)")
            loop.run()
            if agent.exitCode != 0 { return agent.exitCode }
        } catch {
            AgentProgram.printError(error.text)
            return error.code
        }
        if reloadState.isWanted { return self.startAgain(log) }
        return 0
    }

    /// Looks at the files of the configuration with `hot_reload.watch`, at those of variables always.
    private func startWatch(
        _ configuration: AgentConfiguration,
        _ loop: EventLoop,
        changed: @escaping () -> Void
    ) -> ConfigurationWatch? {
        let service = configuration.service
        let files = service.flag("hot_reload.watch") ? configuration.sourceFiles : []
        let paths = files + configuration.variableFiles
        guard !paths.isEmpty else { return nil }
        let interval = max(service.nanoseconds("hot_reload.watch_interval") ?? 0, 1_000_000_000)
        return ConfigurationWatch(
            paths,
            interval: .nanoseconds(interval),
            disk: self.disk,
            loop: loop,
            changed: changed
        )
    }

    /// Whether an agent that is stopping is to begin again.
    private final class ReloadState {
        var isWanted = false
    }

    /// Reads the configuration as it is now; what is wrong with it goes to the log.
    private func isConfigurationValid(_ log: AgentLog) -> Bool {
        do throws(AgentError) {
            let configuration = try self.readConfiguration()
            let loop: EventLoop
            do throws(FileSystemError) {
                loop = try EventLoop(time: self.time)
            } catch {
                throw AgentError(code: 71, text: "\(error)")
            }
            var factory = AgentFactory(configuration: configuration, loop: loop, disk: self.disk, log: log)
            if factory.check() != nil { return true }
            throw AgentError(code: 78, text: Diagnostics(factory.diagnostics).description)
        } catch {
            log.write(.error, "the new configuration has errors, the old one stays:\n\(error.text)")
            return false
        }
    }

    /// Becomes a new process image with the same arguments: everything that counts is in the state folder.
    private func startAgain(_ log: AgentLog) -> Int32 {
        let count = (Int(self.environment[Self.reloadCountName] ?? "") ?? 0) + 1
        setenv(Self.reloadCountName, String(count), 1)
        var arguments = CommandLine.arguments.map { strdup($0) } + [nil]
        execv("/proc/self/exe", &arguments)
        log.write(.error, "cannot start again: \(PlainStream.reason(errno))")
        return 71
    }

    private static let reloadCountName = "LEAT_RELOAD_COUNT"

    /// Where everything lies in the state folder.
    private func names(_ configuration: AgentConfiguration, _ log: AgentLog) -> BufferFileNames {
        var names = BufferFileNames(folder: self.stateFolder(configuration, log))
        if let folder = configuration.service.text("storage.rejected.path"), !folder.isEmpty {
            names.deadLetterFolder = folder
        }
        return names
    }

    /// The folder of `storage.path`, else of the first `DB`, else `$LEAT_STATE`, else one of our own.
    private func stateFolder(_ configuration: AgentConfiguration, _ log: AgentLog) -> String {
        if let path = configuration.service.text("storage.path") { return path }
        let databases = configuration.inputs.filter { $0.name == "tail" || $0.name == "systemd" }
            .compactMap { $0.settings.text("db") }
        if let path = databases.first { return path.parentFolder }
        if let path = self.environment["LEAT_STATE"], !path.isEmpty { return path }
        let configurationPath = PathFinder.absolute(self.commandLine.configurationPath ?? "command-line")
        let digest = Array(configurationPath.utf8).withUnsafeBytes { Digest.xxh3($0) }
        let path = "/var/lib/leat-agent/" + hexadecimal(digest)
        do throws(FileSystemError) {
            try self.disk.createDirectory(path)
            if access(path, W_OK) == 0 { return path }
        } catch {
            log.write(.debug, "\(error)")
        }
        let temporary = "/tmp/leat-agent-" + String(getpid())
        log.write(.warning, "state is kept in \(temporary) only: set storage.path to a folder that lasts")
        return temporary
    }

    /// Takes the lock of the state folder, waiting for a predecessor that is going.
    private func lock(_ names: BufferFileNames) throws(AgentError) -> Int32 {
        do throws(FileSystemError) {
            try self.disk.createDirectory(names.folder)
        } catch {
            throw AgentError(code: 73, text: "\(error); set storage.path to a folder that can be written")
        }
        let descriptor = open(names.lock, O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
        if descriptor < 0 {
            throw AgentError(code: 73, text: "cannot open \(names.lock): \(PlainStream.reason(errno))")
        }
        let deadline = self.time.deadline(in: Self.lockPatience)
        while leat_lock_file(descriptor) != 0 {
            if self.time.hasPassed(deadline) {
                throw AgentError(code: 73, text: "another agent uses \(names.folder): stop it, or set storage.path")
            }
            usleep(50_000)
        }
        return descriptor
    }

    /// The monitoring endpoints, when `HTTP_Server` is on.
    private func startMonitoring(_ service: Settings, _ agent: Agent) throws(AgentError) -> MonitoringServer? {
        guard service.flag("http_server") else { return nil }
        var health = MonitoringServer.HealthOptions(isJudged: service.flag("health_check"))
        if let period = service.nanoseconds("hc_period"), period > 0 { health.period = .nanoseconds(period) }
        if let count = service.integer("hc_errors_count") { health.errorCountMax = UInt64(max(0, count)) }
        if let count = service.integer("hc_retry_failure_count") { health.failedRetryCountMax = UInt64(max(0, count)) }
        do throws(InputError) {
            return try MonitoringServer(
                agent: agent,
                host: service.text("http_listen") ?? "0.0.0.0",
                port: service.integer("http_port") ?? 2020,
                health: health,
                allowsRemoteReload: service.flag("hot_reload"),
                reloadCount: Int(self.environment[Self.reloadCountName] ?? "") ?? 0
            )
        } catch {
            throw AgentError(code: 73, text: "\(error); set HTTP_Port to a free one")
        }
    }

    /// Thousands of files are followed at a time.
    private static func raiseFileLimit() {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return }
        limit.rlim_cur = min(limit.rlim_max, 1 << 20)
        setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
    }
}

extension EventLoop {
    /// Calls `handler` for each signal that arrives.
    func watchSignals(_ descriptor: Int32, _ handler: @escaping (Int32) -> Void) throws(AgentError) {
        do throws(FileSystemError) {
            try self.watch(descriptor, for: .read) { _ in
                while true {
                    let number = leat_signalfd_read(descriptor)
                    if number <= 0 { return }
                    handler(number)
                }
            }
        } catch {
            throw AgentError(code: 71, text: "\(error)")
        }
    }
}

/// The text of `--help`.
enum AgentHelp {
    static let text = """
        leat-agent follows log files and ships their lines; a drop-in for fluent-bit.

        Usage: leat-agent -c FILE [options]
               leat-agent -i INPUT [-p key=value]… [-F FILTER …] -o OUTPUT [-p key=value]…
               leat-agent state list|reset|replay -c FILE …

        Examples:
          leat-agent -c /etc/leat/agent.conf
          leat-agent -c agent.conf --dry-run
          leat-agent -i tail -p path=/var/log/app.log -o stdout -m '*'

        Options:
          -c, --config FILE     configuration, classic or YAML
          -R, --parser FILE     file of parsers
          -i, --input NAME      begins an input;  -t, --tag TAG
          -F, --filter NAME     begins a filter;  -m, --match PATTERN
          -o, --output NAME     begins an output; -m, --match PATTERN
          -p, --prop KEY=VALUE  a key of the plugin that was begun last
          -f, --flush SECONDS   longest time before events are sent
          -l, --log_file FILE   log lines to a file
          -q, --quiet           no log lines;  -v, --verbose  more of them
          -D, --dry-run         checks the configuration and ends
          -V, --version
        """
}
