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
        self.decoder = try Self.decoder(settings)
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

    /// What reads the encoding that one of two keys names.
    private static func decoder(_ settings: Settings) throws(Diagnostics) -> LineDecoder? {
        let (unicode, generic) = (settings.entries("unicode.encoding").last, settings.entries("generic.encoding").last)
        if unicode != nil, let generic {
            throw Diagnostics(
                generic.keyMark.diagnostic(
                    "unicode.encoding and generic.encoding cannot both be set",
                    hint: "files in different encodings need an input each"
                )
            )
        }
        guard let entry = unicode ?? generic else { return nil }
        let known = unicode == nil ? TextEncoding.generic : TextEncoding.unicode
        guard let encoding = TextEncoding.named(entry.value, among: known) else {
            let nearest = NearestName.find(entry.value, among: known.flatMap(\.names))
            let names = known.compactMap(\.names.first).joined(separator: ", ")
            throw Diagnostics(
                entry.valueMark.diagnostic(
                    "unknown encoding '\(entry.value)'",
                    hint: nearest.map { "did you mean '\($0)'?" } ?? "known are \(names)"
                )
            )
        }
        if let decoder = LineDecoder(encoding) { return decoder }
        throw Diagnostics(
            entry.valueMark.diagnostic(
                "the conversion of the encoding '\(entry.value)' is not installed on this machine",
                hint: "it is in the C library's package: \(Self.conversionPackages)"
            )
        )
    }

    /// Where the C library's conversions are.
    private static let conversionPackages =
        "libc-gconv-modules-extra (Debian, Ubuntu; older ones have it in libc6) or glibc-gconv-extra (Fedora, RHEL)"
}
