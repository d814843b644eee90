internal import Glibc
internal import LeatCore
internal import LeatParsing

/// Makes outputs of their configuration.
struct OutputFactory {
    let plugin: PluginConfiguration
    let configuration: AgentConfiguration
    let loop: EventLoop
    let log: AgentLog
    var files: any FileSystem = PosixFileSystem()
    /// The process's environment variables.
    var environment: [String: String] = [:]

    private static let names: Set<String> = Self.directNames.union([
        "es", "opensearch", "http", "loki", "splunk", "opentelemetry", "forward", "kafka-rest", "td", "stdout", "file",
    ])

    /// The outputs that take events without a chunk.
    private static let directNames: Set<String> = ["null", "counter", "flowcounter"]

    /// Whether an output takes events without a chunk.
    static func isDirect(_ plugin: PluginConfiguration) -> Bool { Self.directNames.contains(plugin.name) }

    /// What an output without chunks prints.
    static func display(of plugin: PluginConfiguration) -> DirectOutput.Display {
        switch plugin.name {
        case "counter": return .count
        case "flowcounter":
            let settings = plugin.settings
            let unit = settings.text("unit").flatMap { FlowCounter.Unit(rawValue: $0.lowercased()) } ?? .minute
            return .flow(FlowCounter(unit: unit, usesEventTimes: settings.flag("event_based")))
        default: return .nothing
        }
    }

    /// Finds what is wrong with an output without making it.
    static func check(
        _ plugin: PluginConfiguration,
        _ configuration: AgentConfiguration,
        files: any FileSystem
    ) throws(Diagnostics) {
        let settings = plugin.settings
        guard Self.names.contains(plugin.name) else {
            throw Diagnostics(plugin.mark.diagnostic("the output '\(plugin.name)' is not part of this build"))
        }
        switch plugin.name {
        case "es", "opensearch": _ = try BulkFormat(plugin)
        case "loki": _ = try LokiForm(plugin, files: nil)
        case "splunk":
            _ = try SplunkForm(plugin)
            if !settings.isSet("splunk_token"), !settings.isSet("http_user") {
                throw Diagnostics(plugin.mark.diagnostic("the output splunk needs a splunk_token"))
            }
        case "forward": _ = try ForwardForm(plugin)
        case "opentelemetry": _ = try OTLPForm(plugin)
        case "kafka-rest": _ = try KafkaRestForm(plugin)
        case "td": _ = try TreasureDataForm(plugin)
        case "http":
            _ = try HTTPForm.SingleBody(settings)
            _ = try AccessTokens.Options(settings)
        case "file":
            _ = try FileTarget(settings)
            _ = try FileRotation(settings)
        default: break
        }
        if settings.has("json_date_format"), let entry = settings.entries("json_date_format").last,
            DatedRecord.DateForm(named: entry.value) == nil
        {
            let known = DatedRecord.DateForm.allCases.map(\.rawValue)
            throw Diagnostics(
                entry.valueMark.diagnostic(
                    "'\(entry.value)' is no form of json_date_format",
                    hint: "known: \(known.joined(separator: ", "))"
                )
            )
        }
        _ = try Proxy(settings)
        _ = try AWSSettings(settings)
        try TLSSettings.check(plugin)
    }

    /// Batches that may be on their way at a time.
    var workerCount: Int {
        if self.plugin.name == "stdout" || self.plugin.name == "file" { return 1 }
        return max(1, min(self.plugin.settings.integer("workers") ?? 2, 16))
    }

    /// What the configuration says about waiting and trying again.
    func queueOptions(service: Settings) -> OutputQueue.Options {
        var options = OutputQueue.Options()
        let settings = self.plugin.settings
        options.workerCount = self.workerCount
        options.retryLimit = settings.text("retry_limit").flatMap { RetryLimit($0) }?.count
        if settings.isSet("storage.total_limit_size"), let limit = settings.byteCount("storage.total_limit_size") {
            options.totalByteCountMax = limit == .max ? nil : limit
        }
        if let base = service.nanoseconds("scheduler.base"), base > 0 { options.retry.first = .nanoseconds(base) }
        if let cap = service.nanoseconds("scheduler.cap"), cap > 0 { options.retry.longest = .nanoseconds(cap) }
        return options
    }

    func sender() throws(FileSystemError) -> any BatchSender {
        do throws(Diagnostics) {
            switch self.plugin.name {
            case "stdout": return StdoutOutput(form: self.stdoutForm(), loop: self.loop)
            case "file": return try self.fileSender()
            case "http": return try self.httpSender(try self.httpForm())
            case "loki": return try self.lokiSender()
            case "splunk": return try self.splunkSender()
            case "forward": return try self.forwardSender()
            case "opentelemetry": return try self.otlpSender()
            case "kafka-rest": return try self.kafkaRestSender()
            case "td": return try self.treasureDataSender()
            default: return try self.bulkSender(try BulkFormat(self.plugin))
            }
        } catch {
            self.log.write(.error, "\(error)")
            throw FileSystemError(operation: "prepare", path: self.plugin.displayName, code: EINVAL)
        }
    }

    // MARK: - Text

    private func stdoutForm() -> TextForm {
        let settings = self.plugin.settings
        switch settings.text("format")?.lowercased() {
        case "json": return .dated(DatedRecord(settings, framing: .array))
        case "json_lines": return .dated(DatedRecord(settings, framing: .lines))
        case "json_stream": return .dated(DatedRecord(settings, framing: .stream))
        default: return .message
        }
    }

    private func fileSender() throws(Diagnostics) -> any BatchSender {
        let settings = self.plugin.settings
        var options = FileOutput.Options()
        options.form = self.fileForm()
        options.makesFolder = settings.flag("mkdir")
        options.rotation = try FileRotation(settings)
        let target = try FileTarget(settings)
        do throws(FileSystemError) {
            return try FileOutput(target, options, files: self.files, loop: self.loop, log: self.log)
        } catch {
            throw Diagnostics(self.plugin.mark.diagnostic(error.description))
        }
    }

    private func fileForm() -> TextForm {
        let settings = self.plugin.settings
        func delimiter(_ key: String, _ usual: String) -> [UInt8] {
            switch settings.text(key)?.lowercased() {
            case nil: Array(usual.utf8)
            case "comma": [UInt8(ascii: ",")]
            case "tab", "\\t": [UInt8(ascii: "\t")]
            case "space": [UInt8(ascii: " ")]
            default: Array((settings.text(key) ?? usual).utf8)
            }
        }
        switch settings.text("format")?.lowercased() {
        case "plain": return .plain
        case "csv":
            return .csv(delimiter: delimiter("delimiter", ","), namesColumns: settings.flag("csv_column_names"))
        case "ltsv":
            return .ltsv(delimiter: delimiter("delimiter", "\t"), labelDelimiter: delimiter("label_delimiter", ":"))
        case "template": return .template(settings.text("template") ?? "{time} {message}")
        default: return .out
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
        self.isUpsert = operation == "upsert"
        self.timeKey = settings.text("time_key") ?? "@timestamp"
        self.hasNanoseconds = settings.flag("time_key_nanos")
        self.tagKey = settings.flag("include_tag_key") ? settings.text("tag_key") ?? "flb-key" : nil
        self.idPath = settings.text("id_key").map(Self.accessorPath)
        self.generatesID = settings.flag("generate_id")
        if self.action == "update", self.idPath == nil, !self.generatesID {
            throw Diagnostics(
                (settings.entries("write_operation").last?.valueMark ?? plugin.mark).diagnostic(
                    "Write_Operation \(operation) needs ids",
                    hint: "set Id_Key to the field that holds the id, or Generate_ID On"
                )
            )
        }
        self.replacesDots = settings.flag("replace_dots")
        self.datesByChunk = settings.flag("current_time_index")
        if let entry = settings.entries("time_key_format").last, entry.value != "%Y-%m-%dT%H:%M:%S" {
            self.timeFormat = try Self.timeFormat(entry.value, entry.valueMark)
        }
        guard settings.flag("logstash_format") else {
            // Only Fluent Bit's opensearch reads fields there.
            try self.readVariableIndex(settings, readsFields: plugin.name == "opensearch")
            return
        }
        let date = settings.text("logstash_dateformat") ?? "%Y.%m.%d"
        let mark = settings.entries("logstash_dateformat").last?.valueMark ?? plugin.mark
        var logstash = Logstash(dateFormat: try Self.timeFormat(date, mark))
        logstash.prefix = settings.text("logstash_prefix") ?? "logstash"
        logstash.separator = settings.text("logstash_prefix_separator") ?? "-"
        logstash.prefixPath = settings.text("logstash_prefix_key").map(Self.accessorPath) ?? []
        self.logstash = logstash
    }

    /// An `Index` may hold the date of sending: here that of the chunk, so that a resend has the same.
    ///
    /// With `readsFields` it may have fields of the record instead.
    private mutating func readVariableIndex(_ settings: Settings, readsFields: Bool) throws(Diagnostics) {
        guard let entry = settings.entries("index").last else { return }
        if readsFields, entry.value.contains("$") {
            guard let template = RecordTemplate(entry.value) else {
                throw Diagnostics(
                    entry.valueMark.diagnostic("'\(entry.value)' is no index", hint: "such as app-$level or $k['a']")
                )
            }
            self.index = "fluent-bit"
            self.indexTemplate = template
            return
        }
        guard entry.value.contains("%") else { return }
        var dated = Logstash(dateFormat: try Self.timeFormat(entry.value, entry.valueMark))
        dated.prefix = ""
        dated.separator = ""
        self.logstash = dated
        self.datesByChunk = true
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

    /// The bytes of a text; `nil` when it is none.
    static func bytes(_ text: String) -> [UInt8]? {
        var result: [UInt8] = []
        var value: UInt32 = 0
        var bitCount = 0
        for byte in text.utf8 where byte != UInt8(ascii: "=") {
            let digit: UInt8
            switch byte {
            case 0x41...0x5A: digit = byte - 0x41
            case 0x61...0x7A: digit = byte - 0x61 + 26
            case 0x30...0x39: digit = byte - 0x30 + 52
            case UInt8(ascii: "+"): digit = 62
            case UInt8(ascii: "/"): digit = 63
            default: return nil
            }
            value = value << 6 | UInt32(digit)
            bitCount += 6
            if bitCount >= 8 {
                bitCount -= 8
                result.append(UInt8(truncatingIfNeeded: value >> UInt32(bitCount)))
            }
        }
        return result
    }
}
