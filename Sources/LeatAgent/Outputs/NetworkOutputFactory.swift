internal import Glibc
internal import LeatCore
internal import LeatParsing

// The outputs that have a connection.
extension OutputFactory {
    /// Where a bulk output sends to.
    func bulkSender(_ format: BulkFormat) throws(Diagnostics) -> any BatchSender {
        let settings = self.plugin.settings
        var request = HTTPRequest()
        request.path = self.bulkPath(settings)
        request.headers = [
            ("User-Agent", "leat-agent"), ("Content-Type", "application/x-ndjson"), ("Accept", "application/json"),
        ]
        if let authorization = self.authorization() { request.headers.append(("Authorization", authorization)) }
        return BulkOutput(
            format: format,
            request: request,
            compression: self.compression,
            connections: try self.clients(defaultPort: 9_200),
            tracesErrors: settings.flag("trace_error"),
            tracesRequests: settings.flag("trace_output"),
            log: self.log
        )
    }

    private func bulkPath(_ settings: Settings) -> String {
        var prefix = settings.text("path") ?? ""
        if !prefix.isEmpty, !prefix.hasPrefix("/") { prefix = "/" + prefix }
        while prefix.hasSuffix("/") { prefix.removeLast() }
        var path = prefix + "/_bulk?filter_path=errors,items.*.status,items.*.error"
        if let pipeline = settings.text("pipeline") { path += "&pipeline=" + pipeline }
        return path
    }

    // MARK: - Posting

    func httpForm() throws(Diagnostics) -> HTTPForm {
        let settings = self.plugin.settings
        var form = HTTPForm()
        form.single = try HTTPForm.SingleBody(settings)
        switch settings.text("format")?.lowercased() {
        case "json_lines": form.body = .json(DatedRecord(settings, framing: .lines))
        case "json_stream": form.body = .json(DatedRecord(settings, framing: .stream))
        case "msgpack": form.body = .messagePack
        case "gelf":
            var gelf = GELFForm()
            gelf.timeKey = settings.text("gelf_timestamp_key")
            gelf.hostKey = settings.text("gelf_host_key") ?? gelf.hostKey
            gelf.messageKey = settings.text("gelf_short_message_key") ?? gelf.messageKey
            gelf.fullMessageKey = settings.text("gelf_full_message_key")
            gelf.levelKey = settings.text("gelf_level_key") ?? gelf.levelKey
            form.body = .gelf(gelf)
        default: form.body = .json(DatedRecord(settings, framing: .array))
        }
        form.tagHeader = settings.text("header_tag")
        return form
    }

    func httpSender(_ form: HTTPForm) throws(Diagnostics) -> any BatchSender {
        let settings = self.plugin.settings
        var options = HTTPOutput.Options()
        options.request.method = settings.text("http_method")?.uppercased() ?? "POST"
        options.request.path = self.path(settings.text("uri") ?? "/")
        options.request.headers = [("User-Agent", "leat-agent"), ("Content-Type", form.contentType)]
        self.addHeaders(to: &options.request)
        options.logsAnswers = settings.flag("log_response_payload")
        return try self.httpOutput(form, options, defaultPort: 80)
    }

    func lokiSender() throws(Diagnostics) -> any BatchSender {
        let settings = self.plugin.settings
        let form = try LokiForm(self.plugin, files: self.files)
        var options = HTTPOutput.Options()
        options.request.path = self.path(settings.text("uri") ?? "/loki/api/v1/push")
        options.request.headers = [("User-Agent", "leat-agent"), ("Content-Type", "application/json")]
        if let tenant = form.tenant, !form.hasParts { options.request.headers.append(("X-Scope-OrgID", tenant)) }
        self.addHeaders(to: &options.request)
        return try self.httpOutput(form, options, defaultPort: 3_100)
    }

    func otlpSender() throws(Diagnostics) -> any BatchSender {
        let settings = self.plugin.settings
        var options = HTTPOutput.Options()
        options.request.path = self.path(settings.text("logs_uri") ?? "/v1/logs")
        options.request.headers = [("User-Agent", "leat-agent"), ("Content-Type", "application/x-protobuf")]
        self.addHeaders(to: &options.request)
        options.logsAnswers = settings.flag("log_response_payload")
        return try self.httpOutput(try OTLPForm(self.plugin), options, defaultPort: 4_318)
    }

    func kafkaRestSender() throws(Diagnostics) -> any BatchSender {
        let form = try KafkaRestForm(self.plugin)
        var options = HTTPOutput.Options()
        options.request.path = form.path
        options.request.headers = [("User-Agent", "leat-agent"), ("Content-Type", form.contentType)]
        if let authorization = self.authorization() { options.request.headers.append(("Authorization", authorization)) }
        return try self.httpOutput(form, options, defaultPort: 8_082)
    }

    func treasureDataSender() throws(Diagnostics) -> any BatchSender {
        let form = try TreasureDataForm(self.plugin)
        var options = HTTPOutput.Options()
        options.request.method = "PUT"
        options.request.path = form.path
        options.request.headers = [
            ("User-Agent", "leat-agent"), ("Content-Type", "application/gzip"), ("Authorization", "TD1 " + form.key),
        ]
        return try self.httpOutput(form, options, defaultPort: 443)
    }

    func splunkSender() throws(Diagnostics) -> any BatchSender {
        let settings = self.plugin.settings
        let form = try SplunkForm(self.plugin)
        var options = HTTPOutput.Options()
        let isText = form.isRaw && form.eventKey != nil
        options.request.path = isText ? "/services/collector/raw" : "/services/collector/event"
        options.request.headers = [("User-Agent", "leat-agent"), ("Content-Type", "application/json")]
        if let token = settings.text("splunk_token") {
            options.request.headers.append(("Authorization", token.hasPrefix("Splunk ") ? token : "Splunk " + token))
        } else if let authorization = self.authorization() {
            options.request.headers.append(("Authorization", authorization))
        }
        if let channel = settings.text("channel") {
            options.request.headers.append(("X-Splunk-Request-Channel", channel))
        }
        return try self.httpOutput(form, options, defaultPort: 8_088)
    }

    private func httpOutput(
        _ form: any RequestForm,
        _ options: HTTPOutput.Options,
        defaultPort: Int
    ) throws(Diagnostics) -> any BatchSender {
        var options = options
        options.compression = self.compression
        let clients = try self.clients(defaultPort: defaultPort)
        return HTTPOutput(form: form, options: options, clients: clients)
    }

    private var compression: RequestCompression {
        guard self.plugin.settings.has("compress") else { return .none }
        return switch self.plugin.settings.text("compress")?.lowercased() {
        case "gzip": .gzip
        case "zstd": .zstd
        default: .none
        }
    }

    private func path(_ text: String) -> String { text.hasPrefix("/") ? text : "/" + text }

    /// The configured headers and the credentials.
    private func addHeaders(to request: inout HTTPRequest) {
        for entry in self.plugin.settings.entries("header") {
            let words = SettingValue.words(entry.value, limit: 2)
            guard words.count == 2 else { continue }
            request.add(header: words[0], words[1])
        }
        if let authorization = self.authorization() { request.headers.append(("Authorization", authorization)) }
    }

    /// The `Authorization` header.
    private func authorization() -> String? {
        let settings = self.plugin.settings
        if settings.has("bearer_token"), let token = settings.text("bearer_token") { return "Bearer " + token }
        if settings.has("http_api_key"), let key = settings.text("http_api_key") { return "ApiKey " + key }
        if settings.has("cloud_auth"), let text = settings.text("cloud_auth") {
            return "Basic " + Base64.text(Array(text.utf8))
        }
        guard settings.has("http_user"), let user = settings.text("http_user") else { return nil }
        return "Basic " + Base64.text(Array("\(user):\(settings.text("http_passwd") ?? "")".utf8))
    }

    // MARK: - Forward

    func forwardSender() throws(Diagnostics) -> any BatchSender {
        let settings = self.plugin.settings
        let form = try ForwardForm(self.plugin)
        var nodes: [ForwardOutput.Node] = []
        for node in try self.nodes(defaultPort: 24_224) {
            var credentials = ForwardCredentials()
            func text(_ key: String) -> String? { node.settings.text(key) ?? settings.text(key) }
            let isEmptyKey = node.settings.flag("empty_shared_key") || settings.flag("empty_shared_key")
            credentials.sharedKey = text("shared_key") ?? (isEmptyKey ? "" : nil)
            credentials.hostname = text("self_hostname") ?? "localhost"
            credentials.user = text("username") ?? ""
            credentials.password = text("password") ?? ""
            var upstream = node.node
            if let path = settings.text("unix_path") {
                upstream = Upstream.Node(endpoint: Self.socket(path, upstream.endpoint), tls: nil)
            }
            nodes.append(ForwardOutput.Node(upstream: upstream, credentials: credentials))
        }
        return ForwardOutput(form: form, nodes: nodes, workerCount: self.workerCount, loop: self.loop)
    }

    private static func socket(_ path: String, _ endpoint: Endpoint) -> Endpoint {
        var endpoint = endpoint
        endpoint.path = path
        return endpoint
    }

    // MARK: - Connections

    /// One client per batch that may be on its way.
    private func clients(defaultPort: Int) throws(Diagnostics) -> [HTTPClient] {
        let upstream = Upstream(try self.nodes(defaultPort: defaultPort).map(\.node), loop: self.loop)
        let authorizer = try self.authorizer()
        return (0..<self.workerCount).map { _ in HTTPClient(upstream, authorizer: authorizer, loop: self.loop) }
    }

    /// Who proves to the servers who sends, where that takes more than a header.
    private func authorizer() throws(Diagnostics) -> (any RequestAuthorizer)? {
        let settings = self.plugin.settings
        if let options = try AccessTokens.Options(settings) { return AccessTokens(options, loop: self.loop) }
        guard let aws = try AWSSettings(settings) else { return nil }
        do throws(TLSFailure) {
            let tls = try TLSClient(aws.tls)
            let surroundings = AWSSurroundings(
                variables: self.environment,
                files: self.files,
                tls: tls,
                loop: self.loop
            )
            return AWSSigner(aws, surroundings)
        } catch {
            throw Diagnostics(self.plugin.mark.diagnostic(error.reason))
        }
    }

    /// The servers of the output, and the settings that say how each is reached.
    private func nodes(defaultPort: Int) throws(Diagnostics) -> [(node: Upstream.Node, settings: Settings)] {
        let settings = self.plugin.settings
        guard settings.has("upstream"), let entry = settings.entries("upstream").last else {
            return [(try self.node(settings, defaultPort: defaultPort), settings)]
        }
        guard let upstream = self.configuration.upstreams[entry.value], !upstream.nodes.isEmpty else {
            throw Diagnostics(entry.valueMark.diagnostic("the upstream file has no [NODE]"))
        }
        var nodes: [(node: Upstream.Node, settings: Settings)] = []
        for node in upstream.nodes { nodes.append((try self.node(node, defaultPort: defaultPort), node)) }
        return nodes
    }

    private func node(_ settings: Settings, defaultPort: Int) throws(Diagnostics) -> Upstream.Node {
        var endpoint = self.endpoint(settings, defaultPort: defaultPort)
        endpoint.proxy = try Proxy(self.plugin.settings)
        if self.plugin.settings.has("cloud_id"), let id = self.plugin.settings.entries("cloud_id").last {
            guard let host = Self.cloudHost(id.value) else {
                throw Diagnostics(id.valueMark.diagnostic("'\(id.value)' is no id of Elastic Cloud"))
            }
            (endpoint.host, endpoint.port) = host
        }
        if self.plugin.settings.has("http.response_timeout"),
            let time = self.plugin.settings.nanoseconds("http.response_timeout"), time > 0,
            !self.plugin.settings.isSet("net.io_timeout")
        {
            endpoint.responseTimeout = .nanoseconds(time)
        }
        if self.plugin.settings.has("http.read_idle_timeout"),
            let time = self.plugin.settings.nanoseconds("http.read_idle_timeout"), time > 0
        {
            endpoint.readIdleTimeout = .nanoseconds(time)
        }
        let usesTLS =
            settings.flag("tls") || self.plugin.settings.has("cloud_id") && self.plugin.settings.isSet("cloud_id")
        guard usesTLS else { return Upstream.Node(endpoint: endpoint, tls: nil) }
        do throws(TLSFailure) {
            let tls = try TLSClient(TLSSettings.options(settings, isServer: false))
            return Upstream.Node(endpoint: endpoint, tls: tls)
        } catch {
            throw Diagnostics(self.plugin.mark.diagnostic(error.reason))
        }
    }

    /// The host of an output that says none.
    private var defaultHost: String {
        self.plugin.name == "td" ? TreasureDataForm.host(region: self.plugin.settings.text("region")) : "127.0.0.1"
    }

    private func endpoint(_ settings: Settings, defaultPort: Int) -> Endpoint {
        var endpoint = Endpoint(
            host: settings.text("host") ?? self.defaultHost,
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
        endpoint.requestCountMax = settings.integer("net.keepalive_max_recycle").flatMap { $0 > 0 ? $0 : nil }
        endpoint.sourceAddress = settings.text("net.source_address")
        return endpoint
    }

    /// The Elasticsearch host of `name:base64(host$elasticsearch-id$…)`.
    private static func cloudHost(_ id: String) -> (host: String, port: Int)? {
        guard let colon = id.lastIndex(of: ":"), let bytes = Base64.bytes(String(id[id.index(after: colon)...])) else {
            return nil
        }
        let parts = String(decoding: bytes, as: UTF8.self).split(separator: "$")
        guard parts.count >= 2 else { return nil }
        let domain = parts[0].split(separator: ":")
        return ("\(parts[1]).\(domain[0])", domain.count > 1 ? Int(domain[1]) ?? 443 : 443)
    }
}

extension ForwardForm {
    /// The options of an `[OUTPUT] forward`.
    init(_ plugin: PluginConfiguration) throws(Diagnostics) {
        let settings = plugin.settings
        if let entry = settings.entries("tag").last {
            guard let template = RecordTemplate(entry.value) else {
                throw Diagnostics(entry.valueMark.diagnostic("'\(entry.value)' leads to no field"))
            }
            self.tag = template
        }
        self.wantsAcks = settings.flag("require_ack_response")
        self.sendsOptions = settings.flag("send_options")
        self.compresses = settings.text("compress")?.lowercased() == "gzip"
        self.hasWholeSeconds = settings.flag("time_as_integer")
        for entry in settings.entries("add_option") {
            let words = SettingValue.words(entry.value, limit: 2)
            if words.count == 2 { self.options.append((words[0], words[1])) }
        }
    }
}
