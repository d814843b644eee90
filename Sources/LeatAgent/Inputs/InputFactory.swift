internal import LeatCore
internal import LeatParsing

/// Makes inputs of their configuration.
struct InputFactory {
    /// The inputs of this build.
    static let names: Set<String> = ["tail"]

    let plugin: PluginConfiguration
    let loop: EventLoop
    let disk: any FileSystem
    let log: AgentLog

    func input(
        _ counters: InputCounters,
        sink: any InputSink,
        known: [SourcePosition],
        claims: SourceClaims
    ) throws(FileSystemError) -> any Input {
        let options: TailOptions
        do throws(Diagnostics) {
            options = try TailOptions(self.plugin)
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
    init(_ plugin: PluginConfiguration) throws(Diagnostics) {
        self.init()
        let settings = plugin.settings
        self.paths = settings.list("path")
        if self.paths.isEmpty {
            throw Diagnostics(plugin.mark.diagnostic("the input tail needs a path", hint: "add Path /var/log/…"))
        }
        self.excluded = settings.list("exclude_path")
        self.tag = settings.text("tag") ?? plugin.displayName
        self.key = settings.text("key") ?? "log"
        self.pathKey = settings.text("path_key")
        self.offsetKey = settings.text("offset_key")
        self.readsFromHead = settings.flag("read_from_head")
        self.readsNewFilesFromHead = settings.flag("read_newly_discovered_files_from_head")
        self.lineByteCountMax = max(4 << 20, min(settings.byteCount("buffer_max_size") ?? 0, 32 << 20))
        self.skipsLongLines = settings.flag("skip_long_lines")
        self.skipsEmptyLines = settings.flag("skip_empty_lines")
        if let age = settings.nanoseconds("ignore_older"), age > 0 { self.ignoredAgeNanoseconds = age }
        self.polls = !settings.flag("inotify_watcher")
        self.exitsAtEnd = settings.flag("exit_on_eof")
        try self.setForm(plugin)
    }

    private mutating func setForm(_ plugin: PluginConfiguration) throws(Diagnostics) {
        var parsers = plugin.settings.list("multiline.parser").map { $0.lowercased() }
        if plugin.settings.flag("docker_mode") { parsers.append("docker") }
        if parsers.isEmpty, let parser = plugin.settings.text("parser")?.lowercased(),
            ["cri", "docker"].contains(parser)
        {
            parsers = [parser]
        }
        for parser in parsers where !["cri", "docker"].contains(parser) {
            let mark = plugin.settings.entries("multiline.parser").last?.valueMark ?? plugin.mark
            throw Diagnostics(mark.diagnostic("unknown multiline parser '\(parser)'", hint: "cri and docker exist"))
        }
        guard !parsers.isEmpty else { return }
        self.form = .container(cri: parsers.contains("cri"), docker: parsers.contains("docker"))
    }
}
