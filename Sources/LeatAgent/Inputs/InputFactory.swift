internal import LeatCore
internal import LeatParsing

/// Makes inputs of their configuration.
struct InputFactory {
    /// The inputs of this build.
    static let names: Set<String> = ["tail", "stdin", "dummy", "tcp"]

    let plugin: PluginConfiguration
    let configuration: AgentConfiguration
    let loop: EventLoop
    let disk: any FileSystem
    let log: AgentLog

    func input(
        _ counters: InputCounters,
        sink: any InputSink,
        known: [SourcePosition],
        claims: SourceClaims
    ) throws(FileSystemError) -> any Input {
        let tag = sink.routeTag(self.plugin.settings.text("tag") ?? self.plugin.displayName)
        switch self.plugin.name {
        case "stdin":
            return StdinInput(tag: tag, counters: counters, sink: sink, loop: self.loop, receiver: self.receiver())
        case "dummy":
            return DummyInput(tag: tag, options: self.dummyOptions(), counters: counters, sink: sink, loop: self.loop)
        case "tcp":
            return TCPInput(
                tag: tag,
                host: self.plugin.settings.text("listen") ?? "0.0.0.0",
                port: self.plugin.settings.integer("port") ?? 5_170,
                counters: counters,
                sink: sink,
                loop: self.loop,
                makeReceiver: { self.receiver() }
            )
        default: return try self.tail(counters, sink: sink, known: known, claims: claims)
        }
    }

    /// What turns the bytes of a connection or of standard input into events.
    private func receiver() -> LineReceiver {
        let settings = self.plugin.settings
        var form = LineForm()
        if let name = settings.text("parser"), let section = self.configuration.parsers[name] {
            do throws(Diagnostics) {
                form.parser = LineParser(try ParserDefinition(section))
            } catch {
                self.log.once("\(error)", .error)
            }
        }
        let isTCP = self.plugin.name == "tcp"
        let readsJSON = isTCP ? settings.text("format")?.lowercased() != "none" : form.parser == nil
        let separator = isTCP ? settings.text("separator") ?? "\\n" : "\\n"
        let byte = separator == "\\n" ? UInt8(ascii: "\n") : separator == "\\0" ? 0 : separator.utf8.first ?? 0x0A
        return LineReceiver(form: form, readsJSON: readsJSON, separator: byte)
    }

    private func dummyOptions() -> DummyInput.Options {
        let settings = self.plugin.settings
        var options = DummyInput.Options()
        var events = EventList()
        Array((settings.text("dummy") ?? "{}").utf8).withUnsafeBytes { text in
            if !LineReceiver.addObject(text.trimmed, Moment(self.loop.time), &events) {
                self.log.once("the value of dummy is no JSON object; an empty record is made", .error)
            }
        }
        options.record = events.bytes
        options.sampleCount = settings.integer("samples").flatMap { $0 > 0 ? $0 : nil }
        let nanoseconds =
            (settings.integer("interval_sec") ?? 0) * 1_000_000_000 + (settings.integer("interval_nsec") ?? 0)
        let rate = max(1, settings.integer("rate") ?? 1)
        // Several events at a time rather than many wakes of the loop.
        let turnsPerSecond = min(rate, 10)
        options.interval = nanoseconds > 0 ? .nanoseconds(nanoseconds) : .nanoseconds(1_000_000_000 / turnsPerSecond)
        let perTurn = nanoseconds > 0 ? 1 : (rate + turnsPerSecond - 1) / turnsPerSecond
        options.eventsPerTurn = perTurn * max(1, settings.integer("copies") ?? 1)
        return options
    }

    private func tail(
        _ counters: InputCounters,
        sink: any InputSink,
        known: [SourcePosition],
        claims: SourceClaims
    ) throws(FileSystemError) -> any Input {
        let options: TailOptions
        do throws(Diagnostics) {
            options = try TailOptions(self.plugin, self.configuration)
        } catch {
            preconditionFailure("the configuration of \(self.plugin.displayName) was checked: \(error)")
        }
        return try TailInput(
            options: options,
            counters: counters,
            sink: sink,
            disk: self.disk,
            loop: self.loop,
            known: known,
            claims: claims,
            log: self.log
        )
    }
}

extension TailOptions {
    /// The options of a `[INPUT] tail`.
    init(_ plugin: PluginConfiguration, _ configuration: AgentConfiguration) throws(Diagnostics) {
        self.init()
        let settings = plugin.settings
        self.paths = settings.list("path")
        if self.paths.isEmpty {
            throw Diagnostics(plugin.mark.diagnostic("the input tail needs a path", hint: "add Path /var/log/…"))
        }
        self.excluded = settings.list("exclude_path")
        self.tag = settings.text("tag") ?? plugin.displayName
        for key in ["unicode.encoding", "generic.encoding"] {
            guard let entry = settings.entries(key).last else { continue }
            throw Diagnostics(
                entry.keyMark.diagnostic(
                    "files in the encoding '\(entry.value)' cannot be read yet",
                    hint: "without the key, bytes that are no UTF-8 are replaced and counted"
                )
            )
        }
        if let entry = settings.entries("tag_regex").last {
            do throws(PatternError) {
                let pattern = try Pattern(entry.value, options: PatternOptions(flavour: .ruby))
                self.tagTemplate = TagTemplate(tag: self.tag, pattern: pattern)
            } catch {
                throw Diagnostics(entry.valueMark.diagnostic("\(error)"))
            }
        }
        self.pathKey = settings.text("path_key")
        self.readsFromHead = settings.flag("read_from_head")
        self.readsNewFilesFromHead = settings.flag("read_newly_discovered_files_from_head")
        self.skipsLongLines = settings.flag("skip_long_lines")
        self.skipsEmptyLines = settings.flag("skip_empty_lines")
        if let age = settings.nanoseconds("ignore_older"), age > 0 { self.ignoredAgeNanoseconds = age }
        self.leavesOldFiles = settings.flag("ignore_active_older_files")
        self.polls = !settings.flag("inotify_watcher")
        self.exitsAtEnd = settings.flag("exit_on_eof")
        let memory = configuration.service.byteCount("memory_limit") ?? 64 << 20
        self.heldByteCountMax = BufferLimits(memoryByteCount: memory).heldByteCountMax
        self.form = try LineFormFactory(plugin: plugin, configuration: configuration).form()
    }
}
