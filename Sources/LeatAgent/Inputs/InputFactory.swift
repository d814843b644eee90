internal import LeatCore
internal import LeatParsing

/// Makes inputs of their configuration.
struct InputFactory {
    /// The inputs of this build.
    static let names: Set<String> = ["tail"]

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
        self.pathKey = settings.text("path_key")
        self.readsFromHead = settings.flag("read_from_head")
        self.readsNewFilesFromHead = settings.flag("read_newly_discovered_files_from_head")
        self.skipsLongLines = settings.flag("skip_long_lines")
        self.skipsEmptyLines = settings.flag("skip_empty_lines")
        if let age = settings.nanoseconds("ignore_older"), age > 0 { self.ignoredAgeNanoseconds = age }
        self.polls = !settings.flag("inotify_watcher")
        self.exitsAtEnd = settings.flag("exit_on_eof")
        self.form = try LineFormFactory(plugin: plugin, configuration: configuration).form()
    }
}
