internal import Glibc
internal import LeatCore
internal import LeatParsing

/// Makes inputs of their configuration.
struct InputFactory {
    /// The inputs of this build.
    static let names: Set<String> = ["tail", "stdin", "dummy", "tcp", "http", "syslog", "forward", "systemd"]

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
            return StdinInput(
                tag: tag,
                counters: counters,
                sink: sink,
                loop: self.loop,
                receiver: self.receiver(tail: [])
            )
        case "dummy":
            return DummyInput(tag: tag, options: self.dummyOptions(), counters: counters, sink: sink, loop: self.loop)
        case "tcp":
            return TCPInput(
                tag: tag,
                options: self.serverOptions(port: 5_170),
                tls: try self.tlsServer(),
                addressKey: self.plugin.settings.text("source_address_key"),
                counters: counters,
                sink: sink,
                loop: self.loop,
                makeReceiver: { self.receiver(tail: $0) }
            )
        case "http": return try self.http(tag, counters, sink)
        case "syslog": return try self.syslog(tag, counters, sink)
        case "forward": return try self.forward(counters, sink)
        case "systemd": return self.systemd(counters, sink, known)
        default:
            return try self.tail(
                counters,
                sink: sink,
                known: known.filter { !$0.path.hasPrefix(SystemdInput.pathPrefix) },
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
        case "forward" where !settings.entries("security.users").isEmpty && Self.sharedKey(settings) == nil:
            throw Diagnostics(
                plugin.mark.diagnostic("security.users needs a shared_key", hint: "or empty_shared_key on")
            )
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

    private func parser() -> LineParser? {
        guard let name = self.plugin.settings.text("parser"), let section = self.configuration.parsers[name] else {
            return nil
        }
        do throws(Diagnostics) {
            return LineParser(try ParserDefinition(section))
        } catch {
            preconditionFailure("the configuration of \(self.plugin.displayName) was checked: \(error)")
        }
    }

    // MARK: - Inputs that listen

    /// Where to listen.
    private func serverOptions(port: Int) -> StreamServer.Options {
        let settings = self.plugin.settings
        var options = StreamServer.Options()
        options.host = settings.section.value("listen") ?? settings.text("host") ?? settings.text("listen") ?? "0.0.0.0"
        options.port = settings.integer("port") ?? port
        options.backlog = settings.integer("net.backlog") ?? options.backlog
        if let time = settings.nanoseconds("net.io_timeout"), time > 0 { options.idleTimeout = .nanoseconds(time) }
        return options
    }

    private func tlsServer() throws(FileSystemError) -> TLSServer? {
        let settings = self.plugin.settings
        guard settings.flag("tls") else { return nil }
        do throws(TLSFailure) {
            return try TLSServer(TLSSettings.options(settings, isServer: true))
        } catch {
            self.log.write(.error, error.reason)
            throw FileSystemError(operation: "prepare", path: "TLS of \(self.plugin.displayName)", code: EINVAL)
        }
    }

    private func permissions() -> mode_t { mode_t(self.plugin.settings.text("unix_perm") ?? "", radix: 8) ?? 0o644 }

    private func http(
        _ tag: RouteTag,
        _ counters: InputCounters,
        _ sink: any InputSink
    ) throws(FileSystemError) -> any Input {
        let settings = self.plugin.settings
        var options = HTTPInput.Options()
        options.tag = tag.text
        options.tagPath = settings.text("tag_key").flatMap { FieldPath($0) }
        options.status = settings.integer("successful_response_code") ?? 201
        if ![200, 201, 204].contains(options.status) { options.status = 201 }
        for entry in settings.entries("success_header") {
            let words = SettingValue.words(entry.value, limit: 2)
            if words.count == 2 { options.headers.append((words[0], words[1])) }
        }
        if settings.flag("add_remote_addr") { options.addressKey = settings.text("remote_addr_key") }
        options.answersHealth = settings.flag("enable_health_endpoint")
        options.bodyByteCountMax = min(settings.byteCount("buffer_max_size") ?? options.bodyByteCountMax, 64 << 20)
        var server = self.serverOptions(port: 9_880)
        if let count = settings.integer("http_server.max_connections"), count > 0 { server.connectionCountMax = count }
        if let time = settings.nanoseconds("http_server.idle_timeout"), time > 0 {
            server.idleTimeout = .nanoseconds(time)
        }
        return HTTPInput(
            options,
            server: server,
            tls: try self.tlsServer(),
            counters: counters,
            sink: sink,
            loop: self.loop
        )
    }

    private func syslog(
        _ tag: RouteTag,
        _ counters: InputCounters,
        _ sink: any InputSink
    ) throws(FileSystemError) -> any Input {
        let settings = self.plugin.settings
        var records = SyslogRecords()
        records.parser = self.parser()
        records.rawKey = settings.text("raw_message_key")
        let form: SyslogFraming.Form =
            switch settings.text("format")?.lowercased() {
            case "newline": .lines
            case "octet_counting": .counted
            default: .either
            }
        let longest = min(settings.byteCount("buffer_max_size") ?? 4 << 20, 32 << 20)
        return SyslogInput(
            tag: tag,
            transport: try self.syslogTransport(),
            records: records,
            // A message that fits a datagram is never cut.
            framing: SyslogFraming(form, byteCountMax: max(65_536, longest)),
            addressKey: settings.text("source_address_key"),
            counters: counters,
            sink: sink,
            loop: self.loop
        )
    }

    private func syslogTransport() throws(FileSystemError) -> SyslogInput.Transport {
        let settings = self.plugin.settings
        var options = self.serverOptions(port: 5_140)
        let received = settings.byteCount("receive_buffer_size")
        let path = settings.text("path") ?? ""
        switch settings.text("mode")?.lowercased() {
        case "tcp": return .stream(options, try self.tlsServer())
        case "udp": return .datagram(host: options.host, port: options.port, receiveByteCount: received)
        case "unix_tcp":
            options.path = path
            options.permissions = self.permissions()
            return .stream(options, nil)
        default: return .datagramPath(path, permissions: self.permissions(), receiveByteCount: received)
        }
    }

    private static func sharedKey(_ settings: Settings) -> String? {
        settings.text("shared_key") ?? (settings.flag("empty_shared_key") ? "" : nil)
    }

    private func forward(_ counters: InputCounters, _ sink: any InputSink) throws(FileSystemError) -> any Input {
        let settings = self.plugin.settings
        var options = ForwardInput.Options()
        options.tag = settings.text("tag")
        options.tagPrefix = settings.text("tag_prefix")
        options.security.sharedKey = Self.sharedKey(settings)
        options.security.hostname = settings.text("self_hostname") ?? "localhost"
        for entry in settings.entries("security.users") {
            let words = SettingValue.words(entry.value, limit: 2)
            if words.count == 2 { options.security.users[words[0]] = words[1] }
        }
        options.messageByteCountMax = max(1 << 20, min(settings.byteCount("buffer_max_size") ?? 6 << 20, 64 << 20))
        var server = self.serverOptions(port: 24_224)
        server.path = settings.text("unix_path")
        server.permissions = self.permissions()
        return ForwardInput(
            options,
            server: server,
            tls: try self.tlsServer(),
            counters: counters,
            sink: sink,
            loop: self.loop,
            log: self.log
        )
    }

    // MARK: - Others

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

    /// What turns the bytes of a connection or of standard input into events.
    private func receiver(tail: [UInt8]) -> LineReceiver {
        let settings = self.plugin.settings
        var form = LineForm()
        form.parser = self.parser()
        let isTCP = self.plugin.name == "tcp"
        let readsJSON = isTCP ? settings.text("format")?.lowercased() != "none" : form.parser == nil
        let separator = isTCP ? settings.text("separator") ?? "\\n" : "\\n"
        if let longest = settings.byteCount("buffer_size") {
            form.lineByteCountMax = max(form.lineByteCountMax, min(longest, 32 << 20))
        }
        return LineReceiver(
            form: form,
            readsJSON: readsJSON,
            separator: SettingValue.unescaped(separator),
            recordTail: tail
        )
    }

    private func dummyOptions() -> DummyInput.Options {
        let settings = self.plugin.settings
        var options = DummyInput.Options()
        var events = EventList()
        Array((settings.text("dummy") ?? "{}").utf8).withUnsafeBytes { text in
            if !JSONRecords.append(text, time: 0, to: &events) {
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
        options.makesFirstAtOnce = settings.flag("flush_on_startup")
        options.isTimeFixed = settings.flag("fixed_timestamp")
        let (seconds, rest) = (settings.integer("start_time_sec"), settings.integer("start_time_nsec"))
        if seconds != nil || rest != nil {
            options.startNanoseconds = Int64(seconds ?? 0) &* 1_000_000_000 &+ Int64(rest ?? 0)
        }
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
