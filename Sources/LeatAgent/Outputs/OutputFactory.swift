internal import Glibc
internal import LeatCore
internal import LeatParsing

/// Makes outputs of their configuration.
struct OutputFactory {
    let plugin: PluginConfiguration
    let loop: EventLoop
    let log: AgentLog

    private static let names: Set<String> = ["es", "opensearch", "http", "stdout", "file", "null", "counter"]

    /// Whether an output takes events without a chunk.
    static func isDirect(_ plugin: PluginConfiguration) -> Bool { plugin.name == "null" || plugin.name == "counter" }

    /// Finds what is wrong with an output without making it.
    static func check(_ plugin: PluginConfiguration) throws(Diagnostics) {
        guard Self.names.contains(plugin.name) else {
            throw Diagnostics(plugin.mark.diagnostic("the output '\(plugin.name)' is not part of this build"))
        }
        if plugin.name == "es" || plugin.name == "opensearch" { _ = try BulkFormat(plugin) }
        let format = plugin.settings.section.entry("format")
        if plugin.name == "http", let format, ["msgpack", "gelf"].contains(format.value.lowercased()) {
            throw Diagnostics(
                format.valueMark.diagnostic(
                    "the format '\(format.value)' is not part of this build",
                    hint: "json, json_lines and json_stream are"
                )
            )
        }
    }

    /// Batches that may be on their way at a time.
    private var workerCount: Int {
        if self.plugin.name == "stdout" || self.plugin.name == "file" { return 1 }
        return max(1, min(self.plugin.settings.integer("workers") ?? 2, 16))
    }

    /// What the configuration says about waiting and trying again.
    func queueOptions(service: Settings) -> OutputQueue.Options {
        var options = OutputQueue.Options()
        let settings = self.plugin.settings
        options.workerCount = self.workerCount
        switch settings.text("retry_limit")?.lowercased() {
        case "no_retries": options.retryLimit = 0
        case let text?: options.retryLimit = Int(text)
        case nil: options.retryLimit = nil
        }
        if settings.isSet("storage.total_limit_size"), let limit = settings.byteCount("storage.total_limit_size") {
            options.totalByteCountMax = limit == .max ? nil : limit
        }
        if let base = service.nanoseconds("scheduler.base"), base > 0 { options.retry.first = .nanoseconds(base) }
        if let cap = service.nanoseconds("scheduler.cap"), cap > 0 { options.retry.longest = .nanoseconds(cap) }
        return options
    }

    func sender() throws(FileSystemError) -> any BatchSender {
        switch self.plugin.name {
        case "stdout":
            return TextOutput(
                form: self.textForm(.message),
                descriptor: STDOUT_FILENO,
                ownsDescriptor: false,
                loop: self.loop
            )
        case "file": return try self.fileSender()
        case "http": return try self.httpSender()
        default: return try self.bulkSender()
        }
    }

    private func textForm(_ usual: TextOutput.Form) -> TextOutput.Form {
        switch self.plugin.settings.text("format")?.lowercased() {
        case "json", "json_lines", "json_stream": .jsonLines
        case "plain": .plain
        default: usual
        }
    }

    private func fileSender() throws(FileSystemError) -> any BatchSender {
        let settings = self.plugin.settings
        let folder = settings.text("path")
        let name = settings.text("file") ?? self.plugin.displayName
        let path = folder.map { $0 + "/" + name } ?? name
        let descriptor = Glibc.open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o644)
        if descriptor < 0 { throw FileSystemError(operation: "open", path: path, code: errno) }
        return TextOutput(form: self.textForm(.out), descriptor: descriptor, ownsDescriptor: true, loop: self.loop)
    }

    private func bulkSender() throws(FileSystemError) -> any BatchSender {
        let format: BulkFormat
        do throws(Diagnostics) {
            format = try BulkFormat(self.plugin)
        } catch {
            preconditionFailure("the configuration of \(self.plugin.displayName) was checked: \(error)")
        }
        let settings = self.plugin.settings
        var request = HTTPRequest()
        request.path = Self.bulkPath(settings)
        request.headers = [
            ("User-Agent", "leat-agent"), ("Content-Type", "application/x-ndjson"), ("Accept", "application/json"),
        ]
        if let authorization = self.authorization() { request.headers.append(("Authorization", authorization)) }
        let tls = try self.tlsClient()
        let endpoint = self.endpoint(defaultPort: 9200)
        let count = self.workerCount
        return BulkOutput(
            format: format,
            request: request,
            compresses: settings.text("compress")?.lowercased() == "gzip",
            connections: (0..<count).map { _ in HTTPConnection(endpoint: endpoint, tls: tls, loop: self.loop) },
            tracesErrors: settings.flag("trace_error"),
            log: self.log
        )
    }

    private func httpSender() throws(FileSystemError) -> any BatchSender {
        let settings = self.plugin.settings
        var form = HTTPOutput.Form()
        switch settings.text("format")?.lowercased() {
        case "json_lines": form.framing = .lines
        case "json_stream": form.framing = .stream
        default: form.framing = .array
        }
        form.dateKey = settings.text("json_date_key")
        if form.dateKey?.lowercased() == "false" { form.dateKey = nil }
        form.dateForm = HTTPOutput.Form.DateForm(rawValue: settings.text("json_date_format") ?? "double") ?? .double
        var request = HTTPRequest(method: settings.text("http_method")?.uppercased() ?? "POST")
        request.path = settings.text("uri") ?? "/"
        let type = form.framing == .lines ? "application/x-ndjson" : "application/json"
        request.headers = [("User-Agent", "leat-agent"), ("Content-Type", type)]
        for entry in settings.entries("header") {
            let words = SettingValue.words(entry.value, limit: 2)
            if words.count == 2 { request.headers.append((words[0], words[1])) }
        }
        if let authorization = self.authorization() { request.headers.append(("Authorization", authorization)) }
        let tls = try self.tlsClient()
        let endpoint = self.endpoint(defaultPort: 80)
        return HTTPOutput(
            form: form,
            request: request,
            compresses: settings.text("compress")?.lowercased() == "gzip",
            connections: (0..<self.workerCount).map { _ in
                HTTPConnection(endpoint: endpoint, tls: tls, loop: self.loop)
            }
        )
    }

    private static func bulkPath(_ settings: Settings) -> String {
        var prefix = settings.text("path") ?? ""
        if !prefix.isEmpty, !prefix.hasPrefix("/") { prefix = "/" + prefix }
        while prefix.hasSuffix("/") { prefix.removeLast() }
        var path = prefix + "/_bulk?filter_path=errors,items.*.status,items.*.error"
        if let pipeline = settings.text("pipeline") { path += "&pipeline=" + pipeline }
        return path
    }

    /// Where to connect.
    func endpoint(defaultPort: Int) -> Endpoint {
        let settings = self.plugin.settings
        var endpoint = Endpoint(
            host: settings.text("host") ?? "127.0.0.1",
            port: settings.integer("port") ?? defaultPort
        )
        if let time = settings.nanoseconds("net.connect_timeout"), time > 0 {
            endpoint.connectTimeout = .nanoseconds(time)
        }
        if let time = settings.nanoseconds("net.io_timeout"), time > 0 { endpoint.responseTimeout = .nanoseconds(time) }
        if let time = settings.nanoseconds("net.keepalive_idle_timeout"), time > 0 {
            endpoint.idleTimeout = .nanoseconds(time)
        }
        endpoint.keepsAlive = settings.flag("net.keepalive")
        return endpoint
    }

    /// The `Authorization` header.
    func authorization() -> String? {
        let settings = self.plugin.settings
        if let token = settings.text("bearer_token") { return "Bearer " + token }
        if self.plugin.name == "es", let key = settings.text("http_api_key") { return "ApiKey " + key }
        guard let user = settings.text("http_user") else { return nil }
        return "Basic " + Base64.text(Array("\(user):\(settings.text("http_passwd") ?? "")".utf8))
    }

    /// Encryption, when `tls` is on.
    func tlsClient() throws(FileSystemError) -> TLSClient? {
        let settings = self.plugin.settings
        guard settings.flag("tls") else { return nil }
        var options = TLSOptions()
        options.verifies = settings.flag("tls.verify")
        options.verifiesHostname = settings.isSet("tls.verify_hostname") ? settings.flag("tls.verify_hostname") : true
        options.authorityFile = settings.text("tls.ca_file")
        options.authorityFolder = settings.text("tls.ca_path")
        options.certificateFile = settings.text("tls.crt_file")
        options.keyFile = settings.text("tls.key_file")
        options.serverName = settings.text("tls.vhost")
        do throws(TLSFailure) {
            return try TLSClient(options)
        } catch {
            self.log.write(.error, error.reason)
            throw FileSystemError(operation: "prepare", path: "TLS of \(self.plugin.displayName)", code: EINVAL)
        }
    }
}

extension BulkFormat {
    /// The options of an `[OUTPUT] es` or `opensearch`.
    init(_ plugin: PluginConfiguration) throws(Diagnostics) {
        self.init()
        let settings = plugin.settings
        self.index = settings.text("index") ?? "fluent-bit"
        self.type = settings.flag("suppress_type_name") ? nil : settings.text("type") ?? "_doc"
        let operation = settings.text("write_operation")?.lowercased() ?? "create"
        self.action = operation == "upsert" ? "update" : operation
        self.timeKey = settings.text("time_key") ?? "@timestamp"
        self.hasNanoseconds = settings.flag("time_key_nanos")
        self.tagKey = settings.flag("include_tag_key") ? settings.text("tag_key") ?? "flb-key" : nil
        self.idKey = settings.text("id_key").map { $0.hasPrefix("$") ? String($0.dropFirst()) : $0 }
        self.generatesID = settings.flag("generate_id")
        self.replacesDots = settings.flag("replace_dots")
        if let entry = settings.entries("time_key_format").last, entry.value != "%Y-%m-%dT%H:%M:%S" {
            self.timeFormat = try Self.timeFormat(entry.value, entry.valueMark)
        }
        guard settings.flag("logstash_format") else { return }
        let date = settings.text("logstash_dateformat") ?? "%Y.%m.%d"
        let mark = settings.entries("logstash_dateformat").last?.valueMark ?? plugin.mark
        var logstash = Logstash(dateFormat: try Self.timeFormat(date, mark))
        logstash.prefix = settings.text("logstash_prefix") ?? "logstash"
        logstash.separator = settings.text("logstash_prefix_separator") ?? "-"
        logstash.prefixPath = settings.text("logstash_prefix_key").map(Self.accessorPath) ?? []
        self.logstash = logstash
    }

    private static func timeFormat(_ text: String, _ mark: SourceMark) throws(Diagnostics) -> TimeFormat {
        do throws(TimePatternError) {
            return try TimeFormat(text)
        } catch {
            throw Diagnostics(mark.diagnostic(error.message))
        }
    }

    /// The names of `$kubernetes['namespace_name']`, from the outside in.
    static func accessorPath(_ text: String) -> [String] {
        let body = text.hasPrefix("$") ? text.dropFirst() : text[...]
        return body.split(separator: "[").map { part in
            String(part.filter { $0 != "'" && $0 != "\"" && $0 != "]" })
        }
    }
}

/// Base64 with padding (RFC 4648, section 4).
enum Base64 {
    static func text(_ bytes: [UInt8]) -> String {
        let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
        var result: [UInt8] = []
        for start in stride(from: 0, to: bytes.count, by: 3) {
            let part = bytes[start..<min(start + 3, bytes.count)]
            var value = 0
            for index in 0..<3 { value = value << 8 | (index < part.count ? Int(part[start + index]) : 0) }
            for index in 0..<4 {
                let digit = alphabet[value >> (18 - 6 * index) & 63]
                result.append(index <= part.count ? digit : UInt8(ascii: "="))
            }
        }
        return String(decoding: result, as: UTF8.self)
    }
}
