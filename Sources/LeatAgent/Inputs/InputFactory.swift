internal import LeatCore
internal import LeatParsing

/// Makes inputs of their configuration.
struct InputFactory {
    /// The inputs of this build.
    static let names: Set<String> = SamplingInputFactory.names.union([
        "tail", "stdin", "exec", "dummy", "tcp", "http", "syslog", "forward", "systemd", "mqtt",
    ])

    let plugin: PluginConfiguration
    let configuration: AgentConfiguration
    let loop: EventLoop
    let disk: any FileSystem
    let log: AgentLog

    func input(
        _ counters: InputCounters,
        sink: any InputSink,
        known: KnownSources,
        claims: SourceClaims
    ) throws(FileSystemError) -> any Input {
        let tag = sink.routeTag(self.plugin.settings.text("tag") ?? self.plugin.displayName)
        switch self.plugin.name {
        case "stdin":
            return StdinInput(
                tag: tag,
                counters: counters,
                sink: sink,
                loop: self.loop,
                receiver: self.receiver(tail: [])
            )
        case "exec": return self.exec(tag, counters, sink)
        case "dummy":
            let options = DummyInput.Options(self.plugin.settings, log: self.log)
            return DummyInput(tag: tag, options: options, counters: counters, sink: sink, loop: self.loop)
        case "tcp": return try self.listening.tcp(tag, counters, sink) { self.receiver(tail: $0) }
        case "http": return try self.listening.http(tag, counters, sink)
        case "syslog": return try self.listening.syslog(tag, counters, sink)
        case "forward": return try self.listening.forward(counters, sink)
        case "mqtt": return try self.listening.mqtt(tag, counters, sink)
        case "systemd": return self.systemd(counters, sink, known.positions)
        case let name where SamplingInputFactory.names.contains(name): return self.sampling(tag, counters, sink)
        default:
            return try self.tail(
                counters,
                sink: sink,
                known: known.filter {
                    !$0.path.hasPrefix(SystemdInput.pathPrefix) && !$0.path.hasPrefix(BacklogInput.pathPrefix)
                },
                claims: claims
            )
        }
    }

    /// Finds what is wrong with an input without making it.
    static func check(_ plugin: PluginConfiguration, _ configuration: AgentConfiguration) throws(Diagnostics) {
        let settings = plugin.settings
        switch plugin.name {
        case "tail": _ = try TailOptions(plugin, configuration)
        case "syslog" where settings.text("mode")?.lowercased().hasPrefix("unix") == true && !settings.isSet("path"):
            throw Diagnostics(
                plugin.mark.diagnostic(
                    "this input syslog needs the path of its socket",
                    hint: "add Path /run/syslog.sock"
                )
            )
        case "forward"
        where !settings.entries("security.users").isEmpty && ListeningInputFactory.sharedKey(settings) == nil:
            throw Diagnostics(
                plugin.mark.diagnostic("security.users needs a shared_key", hint: "or empty_shared_key on")
            )
        case "exec": _ = try ExecInput.Options(plugin)
        case let name where SamplingInputFactory.names.contains(name):
            _ = try SamplingInputFactory(plugin: plugin, disk: PosixFileSystem()).source()
        default: break
        }
        if plugin.name != "tail", let entry = settings.section.entry("parser"), plugin.name != "systemd" {
            try Self.checkParser(entry, plugin, configuration)
        }
        try TLSSettings.check(plugin)
    }

    /// A parser must exist; only the standards of syslog are known without one.
    private static func checkParser(
        _ entry: Section.Entry,
        _ plugin: PluginConfiguration,
        _ configuration: AgentConfiguration
    ) throws(Diagnostics) {
        if plugin.name == "syslog", entry.value.lowercased().hasPrefix("syslog-rfc") { return }
        _ = try ParserRegistry(configuration).parser(entry)
    }

    private var listening: ListeningInputFactory {
        ListeningInputFactory(plugin: self.plugin, parser: self.parser(), loop: self.loop, log: self.log)
    }

    private func parser() -> LineParser? {
        guard self.plugin.settings.has("parser"), let name = self.plugin.settings.text("parser"),
            let section = self.configuration.parsers[name]
        else {
            return nil
        }
        do throws(Diagnostics) {
            return LineParser(try ParserDefinition(section))
        } catch {
            preconditionFailure("the configuration of \(self.plugin.displayName) was checked: \(error)")
        }
    }

    private func sampling(_ tag: RouteTag, _ counters: InputCounters, _ sink: any InputSink) -> any Input {
        do throws(Diagnostics) {
            let factory = SamplingInputFactory(plugin: self.plugin, disk: self.disk)
            return try factory.input(tag, counters, sink, loop: self.loop, log: self.log)
        } catch {
            preconditionFailure("the configuration of \(self.plugin.displayName) was checked: \(error)")
        }
    }

    private func exec(_ tag: RouteTag, _ counters: InputCounters, _ sink: any InputSink) -> any Input {
        do throws(Diagnostics) {
            return ExecInput(
                tag: tag,
                options: try ExecInput.Options(self.plugin),
                counters: counters,
                sink: sink,
                loop: self.loop,
                receiver: self.receiver(tail: []),
                log: self.log
            )
        } catch {
            preconditionFailure("the configuration of \(self.plugin.displayName) was checked: \(error)")
        }
    }

    private func systemd(_ counters: InputCounters, _ sink: any InputSink, _ known: [SourcePosition]) -> any Input {
        let settings = self.plugin.settings
        var options = SystemdInput.Options()
        options.tag = settings.text("tag") ?? self.plugin.displayName
        options.readsFromTail = settings.flag("read_from_tail")
        options.lowersNames = settings.flag("lowercase")
        options.stripsUnderscores = settings.flag("strip_underscores")
        options.fieldCountMax = max(1, settings.integer("max_fields") ?? options.fieldCountMax)
        options.entryCountMax = max(1, settings.integer("max_entries") ?? options.entryCountMax)
        var selection = SystemJournal.Selection()
        selection.matches = settings.texts("systemd_filter")
        selection.needsAll = settings.text("systemd_filter_type")?.lowercased() == "and"
        let folder = settings.text("path")
        if let path = settings.text("db") { options.importedCursor = self.importedCursor(path) }
        return SystemdInput(
            options,
            openJournal: { () throws(JournalFailure) in try SystemJournal(folder: folder, selection) },
            counters: counters,
            sink: sink,
            known: known,
            loop: self.loop,
            log: self.log
        )
    }

    /// Where Fluent Bit stood in the journal; counts only while there is no cursor of our own.
    private func importedCursor(_ path: String) -> String? {
        do {
            guard try self.disk.status(path) != nil else { return nil }
            return try FluentBitDatabase(path: path, disk: self.disk).journalCursor()
        } catch {
            self.log.write(.error, "no cursor was taken from Fluent Bit: \(error)")
            return nil
        }
    }

    /// What turns the bytes of a connection, of standard input or of a command into events.
    private func receiver(tail: [UInt8]) -> LineReceiver {
        let settings = self.plugin.settings
        var form = LineForm()
        form.parser = self.parser()
        let (isTCP, isExec) = (self.plugin.name == "tcp", self.plugin.name == "exec")
        if isExec { form.key = "exec" }
        let readsJSON = isTCP ? settings.text("format")?.lowercased() != "none" : form.parser == nil && !isExec
        let separator = isTCP ? settings.text("separator") ?? "\\n" : "\\n"
        if let longest = settings.byteCount(isExec ? "buf_size" : "buffer_size") {
            form.lineByteCountMax = max(form.lineByteCountMax, min(longest, 32 << 20))
        }
        return LineReceiver(
            form: form,
            readsJSON: readsJSON,
            skipsEmptyLines: !isExec,
            separator: SettingValue.unescaped(separator),
            recordTail: tail
        )
    }

    private func tail(
        _ counters: InputCounters,
        sink: any InputSink,
        known: KnownSources,
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
