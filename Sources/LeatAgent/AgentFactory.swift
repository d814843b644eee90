internal import Glibc
internal import LeatCore
internal import LeatParsing

/// Makes the running agent of a checked configuration.
struct AgentFactory {
    let configuration: AgentConfiguration
    let loop: EventLoop
    let disk: any FileSystem
    /// The process's environment variables, for filters.
    var environment: [String: String] = [:]
    /// Whether files that only the real machine has may be missing.
    var isDryRun = false
    let log: AgentLog

    /// Filters of single outputs, by the output's number.
    private var processors: [Int: [Agent.NamedFilter]] = [:]

    /// Everything that is wrong and can only be seen when plugins are made.
    private(set) var diagnostics: [Diagnostic] = []

    init(configuration: AgentConfiguration, loop: EventLoop, disk: any FileSystem, log: AgentLog) {
        self.configuration = configuration
        self.loop = loop
        self.disk = disk
        self.log = log
    }

    /// Makes what needs neither state folder nor network; finds the remaining errors of the configuration.
    mutating func check() -> (filters: [Agent.NamedFilter], router: Router)? {
        var filters: [Agent.NamedFilter] = []
        let parsers = ParserRegistry(self.configuration)
        self.diagnostics += parsers.check()
        for plugin in self.configuration.filters {
            if let filter = self.makeFilter(plugin, parsers) {
                filters.append(Agent.NamedFilter(name: plugin.displayName, filter: filter))
            }
        }
        for plugin in self.configuration.inputs {
            let configuration = self.configuration
            self.collect { () throws(Diagnostics) in try InputFactory.check(plugin, configuration) }
            self.checkMachine(plugin)
        }
        for plugin in self.configuration.inputs where !InputFactory.names.contains(plugin.name) {
            self.diagnostics.append(plugin.mark.diagnostic("the input '\(plugin.name)' is not part of this build"))
        }
        for plugin in self.configuration.outputs {
            let (configuration, disk) = (self.configuration, self.disk)
            self.collect { () throws(Diagnostics) in try OutputFactory.check(plugin, configuration, files: disk) }
            self.checkMachine(plugin)
        }
        if self.configuration.outputs.count > OutputSet.outputCountMax {
            self.diagnostics += [
                self.configuration.outputs[OutputSet.outputCountMax].mark.diagnostic(
                    "more than \(OutputSet.outputCountMax) outputs"
                )
            ]
        }
        self.makeProcessors(parsers)
        let router = Router(
            filters: self.configuration.filters.map { self.matcher($0) },
            outputs: self.configuration.outputs.map { self.outputMatcher($0) }
        )
        return self.diagnostics.contains { $0.severity == .error } ? nil : (filters, router)
    }

    /// A filter; `nil` when something is wrong with it, or when a dry run happens where it cannot be made.
    private mutating func makeFilter(_ plugin: PluginConfiguration, _ parsers: ParserRegistry) -> (any EventFilter)? {
        if self.isDryRun, plugin.name == "lua", LuaLibrary.open() == nil {
            self.diagnostics.append(LuaFilter.missingLibrary(plugin).with(severity: .warning))
            return nil
        }
        let environment = FilterEnvironment(files: self.disk, parsers: parsers)
        return FilterFactory.make(plugin, environment, diagnostics: &self.diagnostics)
    }

    /// Makes the filters that belong to one output each.
    private mutating func makeProcessors(_ parsers: ParserRegistry) {
        for (index, output) in self.configuration.outputs.enumerated() where !output.processors.isEmpty {
            for plugin in output.processors {
                guard let filter = self.makeFilter(plugin, parsers) else { continue }
                if filter.keepsEvents {
                    self.diagnostics.append(
                        plugin.mark.diagnostic(
                            "the filter '\(plugin.name)' keeps events and cannot be a processor of an output",
                            hint: "use it as a filter of the pipeline"
                        )
                    )
                }
                let name = "\(output.displayName).\(plugin.displayName)"
                self.processors[index, default: []].append(Agent.NamedFilter(name: name, filter: filter))
            }
        }
    }

    /// Looks for the files and libraries that a plugin needs; in a dry run, which may happen elsewhere, with warnings.
    private mutating func checkMachine(_ plugin: PluginConfiguration) {
        do throws(Diagnostics) {
            try TLSSettings.checkFiles(plugin, isServer: plugin.kind == .input)
            if plugin.name == "systemd", let failure = SystemJournal.loadFailure() {
                throw Diagnostics(plugin.mark.diagnostic("\(failure)"))
            }
        } catch {
            self.diagnostics += error.all.map { $0.with(severity: self.isDryRun ? .warning : .error) }
        }
    }

    private mutating func collect(_ body: () throws(Diagnostics) -> Void) {
        do throws(Diagnostics) { try body() } catch { self.diagnostics += error.all }
    }

    /// As `matcher`, but a single output without a rule takes what a single input reads, as in Fluent Bit.
    private mutating func outputMatcher(_ plugin: PluginConfiguration) -> Router.Matcher {
        let hasRule = plugin.settings.text("match") != nil || !plugin.settings.entries("match_regex").isEmpty
        if hasRule { return self.matcher(plugin) }
        if self.configuration.inputs.count == 1, self.configuration.outputs.count == 1 {
            return .pattern(TagPattern("*"))
        }
        self.diagnostics.append(
            plugin.mark.diagnostic(
                "the output '\(plugin.name)' has no Match and sees no event",
                hint: "add a line such as: Match *",
                severity: .warning
            )
        )
        return .pattern(.nothing)
    }

    /// `Match`, `Match_Regex`; without either nothing matches, as in Fluent Bit.
    private mutating func matcher(_ plugin: PluginConfiguration) -> Router.Matcher {
        if let entry = plugin.settings.entries("match_regex").last {
            do throws(PatternError) {
                return .regex(try Pattern(entry.value, options: PatternOptions(flavour: .ruby)))
            } catch {
                self.diagnostics.append(entry.valueMark.diagnostic("\(error)"))
            }
        }
        return .pattern(plugin.settings.text("match").map { TagPattern($0) } ?? .nothing)
    }

    /// Opens the state folder, recovers what is in it, and makes all parts.
    func make(
        filters: [Agent.NamedFilter],
        router: Router,
        names: BufferFileNames
    ) throws(AgentError) -> Agent {
        let outputNames = self.configuration.outputs.map(\.displayName)
        var limits = BufferLimits(memoryByteCount: self.configuration.service.byteCount("memory_limit") ?? 64 << 20)
        if self.configuration.service.text("storage.sync")?.lowercased() == "full" { limits.flushByteCount = 1 }
        if self.configuration.service.isSet("storage.rejected.limit"),
            let limit = self.configuration.service.byteCount("storage.rejected.limit")
        {
            limits.deadLetterByteCountMax = UInt64(max(1, limit))
        }
        do throws(FileSystemError) {
            let cursors = try self.cursors(names: names, limits: limits)
            let recovery = BufferRecovery(
                disk: self.disk,
                names: names,
                outputNames: outputNames,
                chunksBegun: Set(cursors.values.flatMap { $0.chunks.keys })
            )
            let recovered = try recovery.run()
            for note in recovered.notes { self.log.write(.warning, note) }
            for cursor in cursors.values { cursor.keepOnly(chunks: Set(recovered.chunks.map(\.number))) }
            let store = ChunkStore(
                names: names,
                limits: limits,
                disk: self.disk,
                time: self.loop.time,
                outputNames: outputNames,
                recovered: recovered
            )
            store.chunkRemoved = { number in
                for cursor in cursors.values { cursor.forget(chunk: number) }
            }
            return try self.assemble(store, cursors, filters, router, names)
        } catch {
            throw AgentError(code: 74, text: "\(error)")
        }
    }

    private func cursors(names: BufferFileNames, limits: BufferLimits) throws(FileSystemError) -> [Int: OutputCursor] {
        var cursors: [Int: OutputCursor] = [:]
        for (index, plugin) in self.configuration.outputs.enumerated() where !OutputFactory.isDirect(plugin) {
            cursors[index] = try OutputCursor(
                output: plugin.displayName,
                names: names,
                limits: limits,
                disk: self.disk,
                series: Series(high: SystemRandom.uint64(), low: SystemRandom.uint64())
            )
        }
        return cursors
    }

    private func assemble(
        _ store: ChunkStore,
        _ cursors: [Int: OutputCursor],
        _ filters: [Agent.NamedFilter],
        _ router: Router,
        _ names: BufferFileNames
    ) throws(FileSystemError) -> Agent {
        let service = self.configuration.service
        var queues: [Int: OutputQueue] = [:]
        var direct: [Int: DirectOutput] = [:]
        for (index, plugin) in self.configuration.outputs.enumerated() {
            let name = plugin.displayName
            let log = self.log.named(name, level: AgentLog.level(plugin.settings.text("log_level")))
            guard let cursor = cursors[index] else {
                direct[index] = DirectOutput(name: name, prints: plugin.name == "counter", loop: self.loop)
                continue
            }
            let factory = OutputFactory(
                plugin: plugin,
                configuration: self.configuration,
                loop: self.loop,
                log: log,
                files: self.disk
            )
            queues[index] = OutputQueue(
                name: name,
                index: index,
                sender: try factory.sender(),
                store: store,
                cursor: cursor,
                deadLetters: DeadLetters(
                    output: name,
                    names: names,
                    disk: self.disk,
                    byteCountMax: store.limits.deadLetterByteCountMax
                ),
                loop: self.loop,
                log: log,
                options: factory.queueOptions(service: service)
            )
        }
        let agent = Agent(
            Agent.Parts(
                loop: self.loop,
                diskThread: try DiskThread(loop: self.loop),
                store: store,
                log: self.log,
                router: router,
                filters: filters,
                processors: self.processors,
                queues: queues,
                directOutputs: direct,
                files: self.disk,
                environment: self.environment,
                flushDelay: .nanoseconds(service.nanoseconds("flush") ?? 200_000_000),
                grace: .nanoseconds(service.nanoseconds("grace") ?? 5_000_000_000)
            )
        )
        try self.addInputs(to: agent)
        return agent
    }

    /// How many files the process may open.
    private static var descriptorCountMax: Int {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return 1_024 }
        return Int(min(limit.rlim_cur, 1 << 30))
    }

    /// The positions of an input's database of Fluent Bit, the first time that it is seen.
    private func imported(
        _ plugin: PluginConfiguration,
        _ imported: ImportedDatabases,
        into agent: Agent,
        known: [SourcePosition]
    ) throws(FileSystemError) -> [SourcePosition] {
        guard let path = plugin.settings.text("db"), try self.disk.status(path) != nil, try !imported.contains(path)
        else {
            return []
        }
        let log = self.log.named(plugin.displayName)
        do throws(FluentBitDatabase.Failure) {
            let takeover = try FluentBitDatabase(path: path, disk: self.disk).positions(
                known: known,
                newSource: { agent.store.nextSequence() }
            )
            let positions = takeover.positions
            for position in positions { agent.store.append([], position: position, startOffset: position.offset) }
            log.write(.info, "\(positions.count) positions were taken from Fluent Bit's \(path)")
            for failure in takeover.failures { log.write(.error, failure) }
            guard takeover.failures.isEmpty else {
                log.write(.error, "\(path) is read again at the next start, for the files that could not be opened")
                return positions
            }
            agent.whenDurable {
                do throws(FileSystemError) { try imported.note(path) } catch { log.write(.warning, "\(error)") }
            }
            return positions
        } catch {
            log.write(.error, "no positions were taken from Fluent Bit: \(error)")
            return []
        }
    }

    /// `Mem_Buf_Limit`: an input waits at it, or drops its oldest events if it is a ring.
    private func limit(_ counters: InputCounters, _ settings: Settings, number: Int) {
        guard settings.isSet("mem_buf_limit"), let limit = settings.byteCount("mem_buf_limit") else { return }
        let type = settings.text("storage.type") ?? self.configuration.service.text("storage.type")
        if type?.lowercased() == "memrb" {
            counters.ring = limit == .max ? nil : ChunkRing(input: number, byteCountMax: limit)
        } else {
            counters.unwrittenByteCountMax = limit
        }
    }

    private func addInputs(to agent: Agent) throws(FileSystemError) {
        let claims = SourceClaims.of(descriptorCountMax: Self.descriptorCountMax)
        var known = Array(agent.store.positions.sources.values)
        let imported = ImportedDatabases(names: agent.store.names, disk: self.disk)
        for plugin in self.configuration.inputs where plugin.name == "tail" && plugin.settings.isSet("db") {
            known += try self.imported(plugin, imported, into: agent, known: known)
        }
        for (number, plugin) in self.configuration.inputs.enumerated() {
            let counters = InputCounters(name: plugin.displayName)
            self.limit(counters, plugin.settings, number: number)
            let log = self.log.named(plugin.displayName, level: AgentLog.level(plugin.settings.text("log_level")))
            let factory = InputFactory(
                plugin: plugin,
                configuration: self.configuration,
                loop: self.loop,
                disk: self.disk,
                log: log
            )
            counters.isRoutable = plugin.settings.flag("routable")
            let input = try factory.input(counters, sink: agent, known: known, claims: claims)
            agent.add(input, counters: counters)
        }
    }
}

/// Why the agent cannot run, with the exit code that says so.
struct AgentError: Error {
    let code: Int32
    let text: String
}

extension TagPattern {
    /// A pattern that no tag matches.
    static let nothing = TagPattern("\u{0}")
}

extension AgentLog {
    /// The level of a configuration's word; `nil` for none.
    static func level(_ text: String?) -> Level? {
        switch text?.lowercased() {
        case "error": .error
        case "warn", "warning": .warning
        case "info": .info
        case "debug": .debug
        case "trace": .trace
        default: nil
        }
    }
}
