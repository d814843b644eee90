internal import LeatCore
internal import LeatParsing

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
