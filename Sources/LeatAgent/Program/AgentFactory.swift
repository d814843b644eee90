internal import Glibc
internal import LeatCore
internal import LeatParsing

/// Makes the running agent of a configuration that was checked.
struct AgentFactory {
    let configuration: AgentConfiguration
    let loop: EventLoop
    let disk: any FileSystem
    /// The process's environment variables.
    var environment: [String: String] = [:]
    let log: AgentLog

    init(configuration: AgentConfiguration, loop: EventLoop, disk: any FileSystem, log: AgentLog) {
        self.configuration = configuration
        self.loop = loop
        self.disk = disk
        self.log = log
    }

    /// Opens the state folder, recovers what is in it, and makes all parts.
    func make(_ pipeline: CheckedPipeline, names: BufferFileNames) throws(AgentError) -> Agent {
        let outputNames = self.configuration.outputs.map(\.displayName)
        do throws(FileSystemError) {
            try self.disk.createDirectory(names.folder)
            let limits = self.limits(diskByteCount: try self.disk.space(names.folder).total)
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
            return try self.assemble(store, cursors, pipeline, names)
        } catch {
            throw AgentError(code: 74, text: "\(error)")
        }
    }

    /// What the configuration and the disk allow.
    private func limits(diskByteCount: UInt64) -> BufferLimits {
        let service = self.configuration.service
        var limits = BufferLimits(memoryByteCount: service.byteCount("memory_limit") ?? 64 << 20)
        limits.fit(diskByteCount: diskByteCount)
        if service.text("storage.sync")?.lowercased() == "full" { limits.flushByteCount = 1 }
        if service.isSet("storage.rejected.limit"), let limit = service.byteCount("storage.rejected.limit") {
            limits.deadLetterByteCountMax = UInt64(max(1, limit))
        }
        return limits
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
        _ checked: CheckedPipeline,
        _ names: BufferFileNames
    ) throws(FileSystemError) -> Agent {
        let service = self.configuration.service
        var queues: [Int: OutputQueue] = [:]
        var direct: [Int: DirectOutput] = [:]
        for (index, plugin) in self.configuration.outputs.enumerated() {
            if let cursor = cursors[index] {
                queues[index] = try self.queue(plugin, index, store, cursor, names)
            } else {
                let display = OutputFactory.display(of: plugin)
                direct[index] = DirectOutput(name: plugin.displayName, display: display, loop: self.loop)
            }
        }
        let pipeline = FilterPipeline(
            router: checked.router,
            filters: checked.filters,
            processors: checked.processors,
            queues: queues,
            directOutputs: direct,
            loop: self.loop,
            log: self.log
        )
        let agent = Agent(
            Agent.Parts(
                loop: self.loop,
                diskThread: try DiskThread(loop: self.loop),
                store: store,
                log: self.log,
                pipeline: pipeline,
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

    /// An output with its cursor over the chunks.
    private func queue(
        _ plugin: PluginConfiguration,
        _ index: Int,
        _ store: ChunkStore,
        _ cursor: OutputCursor,
        _ names: BufferFileNames
    ) throws(FileSystemError) -> OutputQueue {
        let log = self.log.named(plugin.displayName, level: AgentLog.level(plugin.settings.text("log_level")))
        let factory = OutputFactory(
            plugin: plugin,
            configuration: self.configuration,
            loop: self.loop,
            log: log,
            files: self.disk,
            environment: self.environment
        )
        let deadLetters = DeadLetters(
            output: plugin.displayName,
            names: names,
            disk: self.disk,
            byteCountMax: store.limits.deadLetterByteCountMax
        )
        return OutputQueue(
            name: plugin.displayName,
            index: index,
            sender: try factory.sender(),
            store: store,
            cursor: cursor,
            deadLetters: deadLetters,
            loop: self.loop,
            log: log,
            options: factory.queueOptions(service: self.configuration.service)
        )
    }

    /// How many files the process may open.
    private static var descriptorCountMax: Int {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return 1_024 }
        return Int(min(limit.rlim_cur, 1 << 30))
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

    /// The buffer of Fluent Bit, where it has left one.
    private func addBacklog(to agent: Agent, known: [SourcePosition]) throws(FileSystemError) {
        let service = self.configuration.service
        let isKnown = known.contains { $0.path.hasPrefix(BacklogInput.pathPrefix) }
        let files = try service.text("storage.path").map { path throws(FileSystemError) in
            try BacklogInput.files(in: path, disk: self.disk)
        }
        guard let files, !files.isEmpty || isKnown else { return }
        let counters = InputCounters(name: "storage_backlog.0")
        let input = BacklogInput(
            files: files,
            service: service,
            disk: self.disk,
            counters: counters,
            sink: agent,
            known: known,
            loop: self.loop,
            log: self.log.named(counters.name)
        )
        agent.add(input, counters: counters)
    }

    private func addInputs(to agent: Agent) throws(FileSystemError) {
        let claims = SourceClaims.of(descriptorCountMax: Self.descriptorCountMax)
        var known = KnownSources(Array(agent.store.positions.sources.values))
        let takeover = DatabaseTakeover(names: agent.store.names, disk: self.disk, log: self.log)
        for plugin in self.configuration.inputs where plugin.name == "tail" && plugin.settings.isSet("db") {
            try takeover.take(plugin, into: agent, known: &known)
        }
        try self.addBacklog(to: agent, known: known.positions)
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
