// The inputs and their keys; a table, exempt from the limits of size.

/// See `PluginTable`.
enum InputTable {
    static let all: [PluginDescription] = [
        Self.tail, Self.stdin, Self.exec, Self.tcp, Self.syslog, Self.forward, Self.systemd, Self.dummy, Self.http,
        Self.mqtt, Self.cpu, Self.mem, Self.disk, Self.netif, Self.proc, Self.head, Self.random, Self.thermal,
    ]

    private static let tail = PluginDescription(
        .input,
        "tail",
        "follows files",
        [
            .acts("path", .list, nil, "files to follow, with * ? [..]"),
            .acts("exclude_path", .list, nil, "files not to follow"),
            .acts("tag_regex", .text, nil, "named groups over the path, for <name> in the tag"),
            .acts("key", .text, "log", "field of a line that no parser took apart"),
            .acts("parser", .text, nil, "parser of every line"),
            .acts("multiline.parser", .list, nil, "multiline parsers, tried in order"),
            .acts("path_key", .text, nil, "field that gets the path"),
            .acts("offset_key", .text, nil, "field that gets the offset of the line's start"),
            .acts("read_from_head", .flag, "false", "begin at the start of files that exist at the first start"),
            .acts(
                "read_newly_discovered_files_from_head",
                .flag,
                "true",
                "begin at the start of files that came later, also while no agent ran"
            ),
            .accepted("refresh_interval", .text, "new files are noticed at once"),
            .accepted("rotate_wait", .time, "rotated files are read to their end"),
            .accepted("watcher_interval", .time, "links that lead elsewhere are noticed at once"),
            .accepted("progress_check_interval", .time, "files that grow are noticed at once"),
            .accepted("progress_check_interval_nsec", .integer, "files that grow are noticed at once"),
            .acts("inotify_watcher", .flag, "true", "off: look at the files by a timer (network file systems)"),
            .accepted("buffer_chunk_size", .size, "reads are sized by the backlog"),
            .acts("buffer_max_size", .size, "4194304", "longest line; smaller values are raised to 4 MiB"),
            .acts("skip_long_lines", .flag, "false", "drop longer lines instead of cutting them"),
            .accepted("truncate_long_lines", .flag, "longer lines are cut, marked and counted"),
            .acts("skip_empty_lines", .flag, "false", "leave empty lines out"),
            .accepted("static_batch_size", .size, "files take turns"),
            .accepted("event_batch_size", .size, "files take turns"),
            .acts("ignore_older", .time, "0", "leave out files that were not written for so long"),
            .acts("ignore_active_older_files", .flag, "false", "also stop following them"),
            .acts("db", .text, nil, "database of Fluent Bit to take positions from, once"),
            .accepted("db.sync", .text, "positions are kept with the buffer"),
            .accepted("db.locking", .flag, "positions are kept with the buffer"),
            .accepted("db.journal_mode", .text, "positions are kept with the buffer"),
            .accepted("db.compare_filename", .flag, "files are known by inode and first bytes"),
            .acts("exit_on_eof", .flag, "false", "stop when all files are read"),
            .accepted("file_cache_advise", .flag, "the page cache is left alone"),
            .accepted("windows.path_encoding", .text, "not on this system"),
            .acts("docker_mode", .flag, "false", "join the parts of docker lines, as multiline.parser docker"),
            .accepted("docker_mode_flush", .time, "parts are joined without a timer"),
            .accepted("docker_mode_parser", .text, "docker lines are taken apart without a parser"),
            .acts("multiline", .flag, "false", "join lines by parser_firstline"),
            .acts("multiline_flush", .time, "4", "longest wait for the next line"),
            .acts("parser_firstline", .text, nil, "parser that knows the first line"),
            .accepted("parser_", .numbered, "lines behind the first continue its last text"),
            .acts("unicode.encoding", .text, nil, "UTF-16LE, UTF-16BE or auto (as a file begins): lines become UTF-8"),
            .acts("generic.encoding", .text, nil, "such as ShiftJIS or Win1252: lines become UTF-8"),
            .ours(
                "multiline.flush_timeout",
                .time,
                "4s",
                "longest wait for the next line of a built-in multiline parser"
            ),
        ]
    )

    private static let stdin = PluginDescription(
        .input,
        "stdin",
        "reads standard input",
        [
            .acts("parser", .text, nil, "parser of every line"),
            .acts("buffer_size", .size, "4194304", "longest line"),
        ]
    )

    private static let exec = PluginDescription(
        .input,
        "exec",
        "runs a command, and makes an event of each line that it prints",
        [
            .acts("command", .text, nil, "the command, for sh -c"),
            .acts("parser", .text, nil, "parser of every line; without one, lines come under exec"),
            .acts("buf_size", .size, "4194304", "longest line; smaller values are raised to 4 MiB"),
            .acts("oneshot", .flag, "false", "run at the start, and never again"),
            .acts("exit_after_oneshot", .flag, "false", "end the agent after that"),
            .acts("propagate_exit_code", .flag, "false", "exit with the command's code then"),
        ] + Self.interval
    )

    private static let tcp = PluginDescription(
        .input,
        "tcp",
        "takes JSON or lines over TCP",
        [
            .acts("format", .choice(["json", "none"]), "json", "form of the data"),
            .acts("separator", .text, "\\n", "what ends a line"),
            .acts("parser", .text, nil, "parser of every line"),
            .accepted("chunk_size", .text, "reads are sized by the backlog"),
            .acts("buffer_size", .text, "4194304", "longest line"),
            .acts("source_address_key", .text, nil, "field that gets the sender's address"),
            .accepted("workers", .integer, "the loop is one thread"),
        ] + CommonKeys.server
    )

    private static let syslog = PluginDescription(
        .input,
        "syslog",
        "takes syslog messages",
        [
            .acts("mode", .choice(["unix_udp", "unix_tcp", "tcp", "udp"]), "unix_udp", "how messages come"),
            .acts("path", .text, nil, "path of the socket"),
            .acts("unix_perm", .text, "0644", "rights of the socket, octal"),
            .acts("parser", .text, nil, "parser of every message; default syslog-rfc5424 or syslog-rfc3164"),
            .accepted("buffer_chunk_size", .size, "reads are sized by the backlog"),
            .acts("buffer_max_size", .size, "4194304", "longest message"),
            .acts("receive_buffer_size", .size, nil, "socket buffer"),
            .acts("raw_message_key", .text, nil, "field that gets the whole message"),
            .acts("source_address_key", .text, nil, "field that gets the sender's address"),
            .acts("format", .text, nil, "newline or octet_counting"),
        ] + CommonKeys.server
    )

    private static let forward = PluginDescription(
        .input,
        "forward",
        "takes Fluentd's forward protocol",
        [
            .acts("tag_prefix", .text, nil, "text before every tag"),
            .acts("shared_key", .text, nil, "shared key of the handshake"),
            .acts("self_hostname", .text, nil, "our name in the handshake"),
            .accepted("buffer", .text, "reads are sized by the backlog"),
            .acts("security.users", .words(2), nil, "user and password; may be repeated"),
            .acts("empty_shared_key", .flag, "false", "users without a shared key"),
            .acts("unix_path", .text, nil, "path of the socket"),
            .acts("unix_perm", .text, "0644", "rights of the socket, octal"),
            .accepted("buffer_chunk_size", .size, "reads are sized by the backlog"),
            .acts("buffer_max_size", .size, "6291456", "longest message"),
            .accepted("workers", .integer, "the loop is one thread"),
        ] + CommonKeys.server
    )

    private static let systemd = PluginDescription(
        .input,
        "systemd",
        "reads the journal",
        [
            .acts("path", .text, nil, "folder of the journal"),
            .acts("max_fields", .integer, "8000", "most fields of an event"),
            .acts("max_entries", .integer, "5000", "most entries of one turn"),
            .acts("systemd_filter_type", .choice(["and", "or"]), "or", "how several filters combine"),
            .acts("systemd_filter", .text, nil, "KEY=value; may be repeated").repeatable,
            .acts("read_from_tail", .flag, "off", "begin with new entries"),
            .acts("lowercase", .flag, "off", "names of fields in lower case"),
            .acts("strip_underscores", .flag, "off", "names without leading underscores"),
            .acts("db", .text, nil, "database of Fluent Bit to take the cursor from, once"),
            .accepted("db.sync", .text, "the cursor is kept with the buffer"),
        ]
    )

    private static let dummy = PluginDescription(
        .input,
        "dummy",
        "makes events",
        [
            .acts("dummy", .text, #"{"message":"dummy"}"#, "the record, JSON"),
            .acts("metadata", .text, "{}", "checked only; events have no metadata"),
            .acts("samples", .integer, "0", "how many events; 0 without end"),
            .acts("rate", .integer, "1", "events per second"),
            .acts("interval_sec", .integer, "0", "seconds between events"),
            .acts("interval_nsec", .integer, "0", "nanoseconds between events"),
            .acts("copies", .integer, "1", "events per turn"),
            .acts("start_time_sec", .integer, nil, "time of the first event, seconds"),
            .acts("start_time_nsec", .integer, nil, "time of the first event, nanoseconds"),
            .acts("fixed_timestamp", .flag, "off", "all events have the first one's time"),
            .acts("flush_on_startup", .flag, "false", "the first event comes at once"),
            .accepted("test_hang_on_exit", .flag, "only for tests of Fluent Bit"),
        ]
    )

    private static let http = PluginDescription(
        .input,
        "http",
        "takes JSON over HTTP",
        [
            .acts("add_remote_addr", .flag, "false", "add the sender's address"),
            .acts("remote_addr_key", .text, "REMOTE_ADDR", "field that gets the sender's address"),
            .acts("success_header", .words(2), nil, "header of answers; may be repeated"),
            .acts("tag_key", .text, nil, "field whose text is the tag"),
            .acts("successful_response_code", .integer, "201", "200, 201 or 204"),
            .acts("enable_health_endpoint", .flag, "false", "answer GET /health"),
            .acts("buffer_max_size", .size, "4194304", "longest request"),
            .accepted("buffer_chunk_size", .size, "reads are sized by the backlog"),
            .accepted("http2", .flag, "HTTP/1.1 only"),
            .accepted("workers", .integer, "the loop is one thread"),
            .accepted("http_server.workers", .integer, "the loop is one thread"),
            .acts("http_server.max_connections", .integer, nil, "connections at a time; further ones wait"),
            .acts("http_server.idle_timeout", .time, nil, "an idle connection is closed after this"),
            .accepted("http_server.ingress_queue_event_limit", .integer, "a full buffer refuses requests"),
            .accepted("http_server.ingress_queue_byte_limit", .size, "a full buffer refuses requests"),
            .unsupported("oauth2.validate", "tokens are not checked; let a proxy do that"),
            .accepted("oauth2.issuer", .text, "for oauth2.validate, which is not supported"),
            .accepted("oauth2.jwks_url", .text, "for oauth2.validate, which is not supported"),
            .accepted("oauth2.allowed_audience", .text, "for oauth2.validate, which is not supported"),
            .accepted("oauth2.allowed_clients", .text, "for oauth2.validate, which is not supported"),
            .accepted("oauth2.jwks_refresh_interval", .integer, "for oauth2.validate, which is not supported"),
        ] + CommonKeys.server
    )

    private static let mqtt = PluginDescription(
        .input,
        "mqtt",
        "takes messages that MQTT 3.1.1 clients publish; a JSON object is a record, anything else its field log",
        [
            .acts("payload_key", .text, nil, "field that gets the message instead of the record"),
            .acts("buffer_size", .size, "4194304", "longest packet"),
        ] + CommonKeys.server
    )

    /// Keys of the inputs that look at the machine by the clock.
    private static let interval: [PluginKey] = [
        .acts("interval_sec", .integer, "1", "seconds between events"),
        .acts("interval_nsec", .integer, "0", "nanoseconds to add"),
    ]

    private static let cpu = PluginDescription(
        .input,
        "cpu",
        "makes events of how busy the processors are, in percent",
        [.acts("pid", .integer, nil, "only this process")] + Self.interval
    )

    private static let mem = PluginDescription(
        .input,
        "mem",
        "makes events of memory and swap, in KiB",
        [.acts("pid", .integer, nil, "also the bytes that this process has")] + Self.interval
    )

    private static let disk = PluginDescription(
        .input,
        "disk",
        "makes events of the bytes that disks read and write",
        [.acts("dev_name", .text, nil, "only devices with this text in their name")] + Self.interval
    )

    private static let netif = PluginDescription(
        .input,
        "netif",
        "makes events of what a network interface receives and sends",
        [
            .acts("interface", .text, nil, "the interface"),
            .acts("verbose", .flag, "false", "all counts of the kernel"),
            .acts("test_at_init", .flag, "false", "do not start without the interface"),
        ] + Self.interval
    )

    private static let proc = PluginDescription(
        .input,
        "proc",
        "makes events of whether a program runs",
        [
            .acts("proc_name", .text, nil, "name of the program's file"),
            .acts("alert", .flag, "false", "only when it does not run"),
            .acts("mem", .flag, "true", "add its memory"),
            .acts("fd", .flag, "true", "add how many files it has open"),
        ] + Self.interval
    )

    private static let head = PluginDescription(
        .input,
        "head",
        "makes events of the beginning of a file",
        [
            .acts("file", .text, nil, "the file"),
            .acts("key", .text, "head", "field that gets the text"),
            .acts("buf_size", .size, "256", "most bytes, without lines"),
            .acts("lines", .integer, "0", "lines to read; 0: bytes"),
            .acts("split_line", .flag, "false", "a field per line: line0, line1 and so on; 10 without lines"),
            .acts("add_path", .flag, "false", "add the path"),
        ] + Self.interval
    )

    private static let random = PluginDescription(
        .input,
        "random",
        "makes events of random numbers",
        [.acts("samples", .integer, "-1", "how many events; -1 without end")] + Self.interval
    )

    private static let thermal = PluginDescription(
        .input,
        "thermal",
        "makes events of temperatures, one per sensor",
        [
            .acts("name_regex", .text, nil, "only sensors whose name matches"),
            .acts("type_regex", .text, nil, "only sensors whose type matches"),
        ] + Self.interval
    )
}
