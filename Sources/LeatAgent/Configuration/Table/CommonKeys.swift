// Keys that all plugins of a kind have, and those of [SERVICE]; a table, exempt from the limits of size.

/// Keys shared by many sections.
enum CommonKeys {
    /// The keys that every plugin of a kind has.
    static func of(_ kind: PluginKind) -> [PluginKey] {
        switch kind {
        case .input: Self.input
        case .filter: Self.filter
        case .output: Self.output
        }
    }

    private static let everywhere: [PluginKey] = [
        .acts("alias", .text, nil, "the plugin's name in logs and metrics"),
        .acts(
            "log_level",
            .choice(["off", "error", "warn", "warning", "info", "debug", "trace"]),
            nil,
            "level of this plugin's log lines"
        ),
        .accepted("log_suppress_interval", .time, "repeated log lines are always counted, not repeated"),
    ]

    private static let input: [PluginKey] =
        Self.everywhere + [
            .acts("tag", .text, nil, "route tag of the events"),
            .acts("mem_buf_limit", .size, nil, "most bytes of this input that are not yet in a chunk"),
            .acts(
                "storage.type",
                .choice(["filesystem", "memory", "memrb"]),
                nil,
                "the disk is always used; memrb: the oldest events go when more than mem_buf_limit waits"
            ),
            .accepted("storage.pause_on_chunks_overlimit", .flag, "a full buffer always stops reading"),
            .acts("routable", .flag, "true", "whether events reach outputs"),
            .accepted("telemetry", .text, "no metrics are made by route tag"),
            .accepted("threaded", .flag, "the loop is one thread"),
            .accepted("thread.ring_buffer.capacity", .integer, "the loop is one thread"),
            .accepted("thread.ring_buffer.window", .integer, "the loop is one thread"),
            .accepted("rate_window", .time, "a full buffer stops reading"),
            .accepted("rate_gate", .flag, "a full buffer stops reading"),
            .accepted("rate_gate.max_bytes", .size, "a full buffer stops reading"),
            .accepted("rate_gate.max_records", .integer, "a full buffer stops reading"),
            .accepted("rate_gate.backpressure", .flag, "a full buffer stops reading"),
            .accepted("rate_gate.resume_ratio", .number, "a full buffer stops reading"),
        ]

    private static let filter: [PluginKey] =
        Self.everywhere + [
            .acts("match", .text, nil, "route tags that go through the filter; * stands for any text"),
            .acts("match_regex", .text, nil, "the same as a regular expression"),
        ]

    private static let output: [PluginKey] =
        Self.everywhere + [
            .acts("match", .text, nil, "route tags that go to the output; * stands for any text"),
            .acts("match_regex", .text, nil, "the same as a regular expression"),
            .acts(
                "retry_limit",
                .retryLimit,
                nil,
                "tries after the first; no_limits, false or no_retries; default no limit"
            ),
            .acts(
                "storage.total_limit_size",
                .size,
                nil,
                "most bytes that wait for this output; beyond it the oldest are dropped"
            ),
            .acts("workers", .integer, nil, "connections that send at a time"),
        ]

    /// Keys of outputs that have a connection.
    static let client: [PluginKey] =
        [
            .acts("host", .text, "127.0.0.1", "host name or address of the server"),
            .acts("port", .integer, nil, "port of the server"),
            .accepted("ipv6", .flag, "both families are tried"),
            .acts("net.connect_timeout", .time, "10s", "longest wait for a connection"),
            .accepted("net.connect_timeout_log_error", .flag, "it is always logged"),
            .acts("net.io_timeout", .time, "60s", "longest wait for the server while a request runs"),
            .acts("net.keepalive", .flag, "true", "whether a connection serves several requests"),
            .acts("net.keepalive_idle_timeout", .time, "30s", "an idle connection is closed after this"),
            .acts("net.keepalive_max_recycle", .integer, "2000", "requests per connection"),
            .acts("net.source_address", .text, nil, "local address of connections"),
            .accepted("net.max_worker_connections", .integer, "each worker has one connection"),
            .accepted("net.tcp_keepalive", .flag, "the system's default holds"),
            .accepted("net.tcp_keepalive_time", .integer, "the system's default holds"),
            .accepted("net.tcp_keepalive_interval", .integer, "the system's default holds"),
            .accepted("net.tcp_keepalive_probes", .integer, "the system's default holds"),
            .accepted("net.dns.mode", .text, "the system's resolver is used"),
            .accepted("net.dns.resolver", .text, "the system's resolver is used"),
            .accepted("net.dns.prefer_ipv4", .flag, "both families are tried"),
            .accepted("net.dns.prefer_ipv6", .flag, "both families are tried"),
            .accepted("net.proxy_env_ignore", .flag, "no proxy is read from the environment"),
        ] + Self.tls

    /// Keys of TLS.
    static let tls: [PluginKey] = [
        .acts("tls", .flag, "off", "whether the connection is encrypted"),
        .acts("tls.verify", .flag, "on", "whether the other side's certificate is checked"),
        .acts("tls.verify_hostname", .flag, nil, "whether its name is checked; default as tls.verify"),
        .acts("tls.ca_file", .text, nil, "certificates of authorities, PEM"),
        .acts("tls.ca_path", .text, nil, "folder of certificates of authorities"),
        .acts("tls.crt_file", .text, nil, "our certificate, PEM"),
        .acts("tls.key_file", .text, nil, "our key, PEM"),
        .acts("tls.key_passwd", .text, nil, "password of the key"),
        .acts("tls.vhost", .text, nil, "the name to ask for and to check"),
        .acts("tls.min_version", .text, nil, "TLSv1.2 or TLSv1.3"),
        .acts("tls.max_version", .text, nil, "TLSv1.2 or TLSv1.3"),
        .acts("tls.ciphers", .text, nil, "ciphers, as OpenSSL names them"),
        .accepted("tls.debug", .integer, "errors of TLS are always logged"),
        .accepted("tls.proxy.verify", .flag, "proxies are spoken to without TLS"),
        .accepted("tls.proxy.verify_hostname", .flag, "proxies are spoken to without TLS"),
        .accepted("tls.proxy.ca_file", .text, "proxies are spoken to without TLS"),
        .accepted("tls.proxy.ca_path", .text, "proxies are spoken to without TLS"),
    ]

    /// Keys of inputs that listen.
    static let server: [PluginKey] =
        [
            .acts("listen", .text, "0.0.0.0", "address to listen on"),
            .acts("host", .text, nil, "the same as listen"),
            .acts("port", .integer, nil, "port to listen on"),
            .accepted("ipv6", .flag, "the address decides"),
            .accepted("net.share_port", .flag, "one thread listens"),
            .acts("net.backlog", .integer, "128", "connections that may wait"),
            .acts("net.io_timeout", .time, "0s", "an idle connection is closed after this; 0 never"),
            .acts("net.accept_timeout", .time, "10s", "longest TLS handshake"),
            .accepted("net.accept_timeout_log_error", .flag, "a handshake that does not end is closed without a word"),
            .accepted("net.keepalive", .flag, "connections stay open"),
            .acts("tls.verify_client_cert", .flag, "off", "whether clients need a certificate"),
        ] + Self.tls

    /// Keys of `[NODE]` in upstream files.
    static let node: [PluginKey] =
        [.acts("name", .text, nil, "name of the server in logs")] + Self.client + [
            .acts("shared_key", .text, nil, "forward: shared key"),
            .acts("username", .text, nil, "forward: user"),
            .acts("password", .text, nil, "forward: password"),
            .acts("self_hostname", .text, nil, "forward: our name"),
            .acts("empty_shared_key", .flag, nil, "forward: no shared key"),
            .accepted("time_as_integer", .flag, "times keep their nanoseconds"),
            .acts("require_ack_response", .flag, nil, "forward: wait for acknowledgements"),
            .acts("send_options", .flag, nil, "forward: send options"),
            .acts("compress", .text, nil, "compression"),
        ]

    /// Keys of `[SERVICE]`.
    static let service: [PluginKey] = [
        .acts("flush", .time, "200ms", "longest time before events are sent; 1 MiB sends at once"),
        .acts("grace", .time, "5", "time to finish on stop; everything else stays on disk"),
        .acts("daemon", .flag, "off", "go to the background"),
        .acts("log_file", .text, nil, "file for log lines instead of standard error"),
        .acts(
            "log_level",
            .choice(["off", "error", "warn", "warning", "info", "debug", "trace"]),
            "info",
            "level of log lines"
        ),
        .acts("parsers_file", .text, nil, "file of parsers; may be repeated").repeatable,
        .accepted("plugins_file", .text, "plugins cannot be loaded; a file without paths is fine"),
        .accepted("streams_file", .text, "there is no stream processor"),
        .acts("http_server", .flag, "off", "monitoring endpoints"),
        .acts("http_listen", .text, "0.0.0.0", "address of the monitoring endpoints"),
        .acts("http_port", .integer, "2020", "port of the monitoring endpoints"),
        .acts("health_check", .flag, "off", "whether /api/v1/health judges"),
        .acts("hc_errors_count", .integer, "5", "errors within the period that make it unhealthy"),
        .acts("hc_retry_failure_count", .integer, "5", "failed retries within the period that make it unhealthy"),
        .acts("hc_period", .time, "60", "the period in seconds"),
        .acts("hot_reload", .flag, "off", "whether reload over HTTP is allowed from other machines"),
        .acts("hot_reload.watch", .flag, "off", "reload when a configuration file changes"),
        .acts("hot_reload.watch_interval", .time, "1", "how often the files are looked at"),
        .accepted("hot_reload.ensure_thread_safety", .flag, "reload is always safe"),
        .accepted("hot_reload.timeout", .time, "a reload starts the program anew"),
        .acts("storage.path", .text, nil, "state folder: buffer and positions"),
        .acts("storage.sync", .choice(["normal", "full"]), "normal", "full: every frame is synced"),
        .acts("storage.checksum", .flag, "off", "checks chunks of Fluent Bit that are taken over; ours always are"),
        .accepted("storage.metrics", .flag, "always on"),
        .accepted("storage.max_chunks_up", .integer, "memory is bounded by bytes"),
        .accepted("storage.backlog.mem_limit", .size, "the backlog is sent from disk"),
        .accepted("storage.backlog.flush_on_shutdown", .flag, "the backlog stays on disk"),
        .acts(
            "storage.delete_irrecoverable_chunks",
            .flag,
            "off",
            "removes damaged chunks of Fluent Bit; ours are moved aside and reported"
        ),
        .accepted("storage.trim_files", .flag, "chunks are never longer than their frames"),
        .acts(
            "storage.type",
            .choice(["filesystem", "memory", "memrb"]),
            nil,
            "for inputs without their own: the disk is always used; memrb drops the oldest events"
        ),
        .accepted("storage.inherit", .flag, "the disk is always used"),
        .accepted("storage.keep.rejected", .flag, "rejected events are always kept"),
        .acts("storage.rejected.path", .text, nil, "folder of the dead-letter files, below storage.path"),
        .acts(
            "storage.rejected.limit",
            .size,
            nil,
            "most bytes of an output's two dead-letter files, of which the older one goes; default 256 MiB"
        ),
        .acts("multiline_buffer_limit", .size, "2M", "longest joined event"),
        .acts("scheduler.base", .time, nil, "first wait before a retry"),
        .acts("scheduler.cap", .time, nil, "longest wait before a retry"),
        .ours("memory_limit", .size, "64M", "memory budget for events on their way"),
        .accepted("telemetry", .text, "no metrics are made by route tag"),
        .accepted("json.escape_unicode", .flag, "text is sent as UTF-8"),
        .accepted("json.convert_nan_to_null", .flag, "JSON has no NaN"),
        .accepted("security.fips_mode", .flag, "the system's OpenSSL decides"),
        .accepted("coro_stack_size", .size, "there are no coroutines"),
        .accepted("sp.convert_from_str_to_num", .flag, "there is no stream processor"),
        .accepted("http_monitor", .flag, "the older name of http_server; set that one"),
        .accepted("enable_chunk_trace", .flag, "/api/v1/trace/INPUT always works from this machine"),
        .accepted("windows.maxstdio", .integer, "not on this system"),
        .accepted("dns.mode", .text, "the system's resolver is used"),
        .accepted("dns.resolver", .text, "the system's resolver is used"),
        .accepted("dns.prefer_ipv4", .flag, "both families are tried"),
        .accepted("dns.prefer_ipv6", .flag, "both families are tried"),
        .accepted("flush.adaptive", .flag, "size flushes at once"),
        .accepted("flush.adaptive.min_interval", .number, "size flushes at once"),
        .accepted("flush.adaptive.max_interval", .number, "size flushes at once"),
        .accepted("flush.adaptive.low_pressure", .number, "size flushes at once"),
        .accepted("flush.adaptive.medium_pressure", .number, "size flushes at once"),
        .accepted("flush.adaptive.high_pressure", .number, "size flushes at once"),
        .accepted("flush.adaptive.up_steps", .integer, "size flushes at once"),
        .accepted("flush.adaptive.down_steps", .integer, "size flushes at once"),
    ]
}
