internal import Glibc
internal import LeatCore
internal import LeatParsing

/// Makes the inputs that take connections, with what they have in common: an address, limits and TLS.
struct ListeningInputFactory {
    let plugin: PluginConfiguration
    /// `Parser`, for the inputs that have one.
    let parser: LineParser?
    let loop: EventLoop
    let log: AgentLog

    func tcp(
        _ tag: RouteTag,
        _ counters: InputCounters,
        _ sink: any InputSink,
        makeReceiver: @escaping (_ tail: [UInt8]) -> LineReceiver
    ) throws(FileSystemError) -> any Input {
        TCPInput(
            tag: tag,
            addressKey: self.plugin.settings.text("source_address_key"),
            reception: try self.reception(self.serverOptions(port: 5_170), counters, sink),
            makeReceiver: makeReceiver
        )
    }

    /// Where to listen.
    private func serverOptions(port: Int) -> StreamServer.Options {
        let settings = self.plugin.settings
        var options = StreamServer.Options()
        options.host = settings.section.value("listen") ?? settings.text("host") ?? settings.text("listen") ?? "0.0.0.0"
        options.port = settings.integer("port") ?? port
        options.backlog = settings.integer("net.backlog") ?? options.backlog
        if let time = settings.nanoseconds("net.io_timeout"), time > 0 { options.idleTimeout = .nanoseconds(time) }
        if let time = settings.nanoseconds("net.accept_timeout"), time > 0 {
            options.acceptTimeout = .nanoseconds(time)
        }
        return options
    }

    private func reception(
        _ options: StreamServer.Options,
        _ counters: InputCounters,
        _ sink: any InputSink
    ) throws(FileSystemError) -> Reception {
        // What comes over a socket of the file system crosses no network; Fluent Bit takes no TLS there either.
        let tls = options.path == nil ? try self.tlsServer() : nil
        return Reception(options, tls: tls, counters: counters, sink: sink, loop: self.loop)
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

    func http(_ tag: RouteTag, _ counters: InputCounters, _ sink: any InputSink) throws(FileSystemError) -> any Input {
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

    func syslog(_ tag: RouteTag, _ counters: InputCounters, _ sink: any InputSink) throws(FileSystemError) -> any Input
    {
        let settings = self.plugin.settings
        var options = self.serverOptions(port: 5_140)
        let path = settings.text("path") ?? ""
        switch settings.text("mode")?.lowercased() {
        case "udp": return self.syslogDatagrams(tag, .port(host: options.host, options.port), counters, sink)
        case "tcp": break
        case "unix_tcp":
            options.path = path
            options.permissions = self.permissions()
        default: return self.syslogDatagrams(tag, .path(path, permissions: self.permissions()), counters, sink)
        }
        let form: SyslogFraming.Form =
            switch settings.text("format")?.lowercased() {
            case "newline": .lines
            case "octet_counting": .counted
            default: .either
            }
        let longest = min(settings.byteCount("buffer_max_size") ?? 4 << 20, 32 << 20)
        return SyslogInput(
            tag: tag,
            records: self.syslogRecords(),
            // A message that fits a datagram is never cut.
            framing: SyslogFraming(form, byteCountMax: max(65_536, longest)),
            addressKey: settings.text("source_address_key"),
            reception: try self.reception(options, counters, sink)
        )
    }

    private func syslogRecords() -> SyslogRecords {
        var records = SyslogRecords()
        records.parser = self.parser
        records.rawKey = self.plugin.settings.text("raw_message_key")
        return records
    }

    private func syslogDatagrams(
        _ tag: RouteTag,
        _ address: SyslogDatagramInput.Address,
        _ counters: InputCounters,
        _ sink: any InputSink
    ) -> any Input {
        SyslogDatagramInput(
            tag: tag,
            address: address,
            heldByteCount: self.plugin.settings.byteCount("receive_buffer_size"),
            records: self.syslogRecords(),
            addressKey: self.plugin.settings.text("source_address_key"),
            counters: counters,
            sink: sink,
            loop: self.loop
        )
    }

    func mqtt(_ tag: RouteTag, _ counters: InputCounters, _ sink: any InputSink) throws(FileSystemError) -> any Input {
        let settings = self.plugin.settings
        var options = MQTTInput.Options()
        options.payloadKey = settings.text("payload_key")
        // The default is the least; more than 32 MiB would be held for each connection.
        let longest = settings.byteCount("buffer_size") ?? options.packetByteCountMax
        options.packetByteCountMax = max(options.packetByteCountMax, min(longest, 32 << 20))
        let reception = try self.reception(self.serverOptions(port: 1_883), counters, sink)
        return MQTTInput(options, tag: tag, reception: reception, log: self.log)
    }

    /// The key that both sides know; `nil` without a handshake.
    static func sharedKey(_ settings: Settings) -> String? {
        settings.text("shared_key") ?? (settings.flag("empty_shared_key") ? "" : nil)
    }

    func forward(_ counters: InputCounters, _ sink: any InputSink) throws(FileSystemError) -> any Input {
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
        return ForwardInput(options, reception: try self.reception(server, counters, sink), log: self.log)
    }
}
