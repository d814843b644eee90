internal import CLeatPlatform
internal import Glibc
internal import LeatCore
internal import LeatParsing

/// One run of the agent with one configuration.
struct AgentRun {
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
        let folder = self.stateFolder(configuration, log)
        let outputs = configuration.outputs.map(\.displayName)
        let command = StateCommand(names: folder.names, outputNames: outputs, disk: self.disk, time: self.time)
        do {
            if verb == "list" {
                AgentProgram.print(try command.list().trimmed)
                return 0
            }
            let lock = try folder.lock()
            defer { _ = close(lock) }
            switch (verb, source, output) {
            case ("reset", let path?, nil):
                AgentProgram.print(
                    "forgotten: \(StateCommand.count(try command.reset(source: path), "position")) of \(path)"
                )
            case ("reset", nil, let name?):
                AgentProgram.print(
                    "given up: \(StateCommand.count(try command.reset(output: name), "chunk")) of \(name)"
                )
            case ("replay", nil, let name?):
                AgentProgram.print(
                    "to be sent again: \(StateCommand.count(try command.replay(output: name), "event")) of \(name)"
                )
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

    private func stateFolder(_ configuration: AgentConfiguration, _ log: AgentLog) -> StateFolder {
        StateFolder(
            configuration,
            configurationPath: self.commandLine.configurationPath,
            environment: self.environment,
            disk: self.disk,
            time: self.time,
            log: log
        )
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
        var check = ConfigurationCheck(configuration, disk: self.disk, isDryRun: self.commandLine.mode == .dryRun)
        let checked = check.run()
        for diagnostic in configuration.warnings + check.diagnostics { AgentProgram.printError("\(diagnostic)") }
        guard let checked else { return 78 }
        for note in configuration.notes { log.write(.debug, note) }
        if self.commandLine.mode == .dryRun {
            AgentProgram.print("configuration test is successful")
            return 0
        }
        Self.raiseFileLimit()
        let reloadState = ReloadState()
        let signals = leat_signalfd_create([SIGTERM, SIGINT, SIGHUP], 3)
        do throws(AgentError) {
            let folder = self.stateFolder(configuration, log)
            let lock = try folder.lock()
            defer { _ = close(lock) }
            let agent = try factory.make(checked, names: folder.names)
            let reload = { () -> Bool in
                guard !reloadState.isOver, self.isConfigurationValid(log) else { return false }
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
                    reloadState.end()
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
            log.write(.info, "leat-agent \(AgentProgram.version) started, state in \(folder.names.folder)")
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
        /// Whether the end was asked for, so that nothing begins again, not even what was asked for before.
        private(set) var isOver = false

        func end() {
            self.isOver = true
            self.isWanted = false
        }
    }

    /// Reads the configuration as it is now; what is wrong with it goes to the log.
    private func isConfigurationValid(_ log: AgentLog) -> Bool {
        do throws(AgentError) {
            var check = ConfigurationCheck(try self.readConfiguration(), disk: self.disk)
            if check.run() != nil { return true }
            throw AgentError(code: 78, text: Diagnostics(check.diagnostics).description)
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
