internal import LeatCore
internal import LeatParsing

/// Turns sections into a configuration, and gathers what is wrong with them.
struct ConfigurationBuild {
    private let environment: EnvironmentText
    private(set) var diagnostics: [Diagnostic] = []
    private(set) var configuration: AgentConfiguration
    /// Filters written inside inputs; they come before all others.
    private var processors: [PluginConfiguration] = []
    private var service = Section(kind: "SERVICE", mark: SourceMark.nowhere)

    init(environment: EnvironmentText) {
        self.environment = environment
        self.configuration = AgentConfiguration(service: Settings(self.service, keys: CommonKeys.service))
    }

    /// Adds sections in the order in which they were written.
    mutating func add(_ sections: [Section]) {
        // Processors are filters that only this input's events reach; they run before the filters of the pipeline.
        self.configuration.filters.removeFirst(self.processors.count)
        for section in sections where !Self.upstreamKinds.contains(section.kind) { self.add(self.expanded(section)) }
        for upstream in self.upstreams(of: sections, name: nil) {
            self.configuration.upstreams[upstream.name] = upstream
        }
        self.configuration.filters = self.processors + self.configuration.filters
        for index in self.configuration.filters.indices { self.configuration.filters[index].number = index }
        self.configuration.service = Settings(self.service, keys: CommonKeys.service)
    }

    private mutating func add(_ section: Section) {
        switch section.kind {
        case "SERVICE":
            self.check(section, keys: CommonKeys.service, of: "[SERVICE]")
            self.service.entries += section.entries
        case "INPUT": self.addInput(section)
        case "FILTER": self.plugin(section, .filter).map { self.configuration.filters.append($0) }
        case "OUTPUT": self.addOutput(section)
        case "PARSER": self.addNamed(section, to: \.parsers)
        case "MULTILINE_PARSER": self.addNamed(section, to: \.multilineParsers)
        case "PLUGINS", "STREAM_TASK", "CUSTOM":
            guard let entry = section.entries.first else { return }
            self.diagnostics.append(
                entry.keyMark.diagnostic("[\(section.kind)] is not supported", hint: "take the section out")
            )
        default:
            let known = ["SERVICE", "INPUT", "FILTER", "OUTPUT", "PARSER", "MULTILINE_PARSER"]
            let hint = NearestName.find(section.kind, among: known).map { "did you mean [\($0)]?" }
            self.diagnostics.append(section.mark.diagnostic("unknown section [\(section.kind)]", hint: hint))
        }
    }

    /// Adds an input, and its processors as filters of its route tag.
    private mutating func addInput(_ section: Section) {
        guard let input = self.plugin(section, .input) else { return }
        let tag = input.settings.text("tag") ?? input.displayName
        let shared = self.configuration.inputs.contains { $0.settings.text("tag") == tag }
        self.configuration.inputs.append(input)
        for processor in section.processors {
            if shared {
                self.diagnostics.append(
                    processor.mark.diagnostic(
                        "another input has the tag '\(tag)' too, whose events this processor would see",
                        hint: "give the inputs tags of their own"
                    )
                )
            }
            var filter = processor
            let match = Section.Entry(key: "match", value: tag, keyMark: processor.mark, valueMark: processor.mark)
            filter.entries.append(match)
            self.plugin(filter, .filter).map { self.processors.append($0) }
        }
    }

    /// Adds an output with its processors, which are filters that see only its events.
    private mutating func addOutput(_ section: Section) {
        guard var output = self.plugin(section, .output) else { return }
        for processor in section.processors {
            var filter = processor
            let match = Section.Entry(key: "match", value: "*", keyMark: processor.mark, valueMark: processor.mark)
            filter.entries.append(match)
            guard var plugin = self.plugin(filter, .filter) else { continue }
            plugin.number = output.processors.count
            output.processors.append(plugin)
        }
        self.configuration.outputs.append(output)
    }

    private mutating func addNamed(
        _ section: Section,
        to list: WritableKeyPath<AgentConfiguration, [String: Section]>
    ) {
        guard let name = section.value("name") else {
            self.diagnostics.append(section.mark.diagnostic("this [\(section.kind)] has no name"))
            return
        }
        if self.configuration[keyPath: list][name] != nil {
            self.diagnostics.append(
                section.mark.diagnostic(
                    "a second \(section.kind.lowercased()) '\(name)'; this one counts",
                    severity: .warning
                )
            )
        }
        self.configuration[keyPath: list][name] = section
    }

    private mutating func plugin(_ section: Section, _ kind: PluginKind) -> PluginConfiguration? {
        guard let name = section.entry("name") else {
            self.diagnostics.append(
                section.mark.diagnostic(
                    "this [\(section.kind)] has no name",
                    hint: "add a line such as: Name \(kind.example)"
                )
            )
            return nil
        }
        guard let known = PluginTable.find(kind, name.value) else {
            self.reportUnknown(name, kind)
            return nil
        }
        var own = section
        own.entries.removeAll { $0.key.equalsIgnoringCase("name") }
        self.check(own, keys: known.keys, of: "\(kind.rawValue) '\(known.name)'")
        Self.spellKeys(of: &own, as: known.keys)
        if kind == .filter, own.value("match") == nil, own.value("match_regex") == nil {
            self.diagnostics.append(
                name.valueMark.diagnostic(
                    "the \(kind.rawValue) '\(known.name)' has no Match and sees no event",
                    hint: "add a line such as: Match *",
                    severity: .warning
                )
            )
        }
        return PluginConfiguration(
            kind: kind,
            name: known.name,
            number: self.count(kind),
            settings: Settings(own, keys: known.keys),
            mark: section.mark
        )
    }

    /// From here on a key has one spelling.
    private static func spellKeys(of section: inout Section, as keys: [PluginKey]) {
        section.entries = section.entries.map { entry in
            let known = PluginTable.key(entry.key, in: keys)
            return Section.Entry(
                key: known.map { $0.form == .numbered ? entry.key.lowercased() : $0.name } ?? entry.key,
                value: entry.value,
                keyMark: entry.keyMark,
                valueMark: entry.valueMark
            )
        }
    }

    private func count(_ kind: PluginKind) -> Int {
        switch kind {
        case .input: self.configuration.inputs.count
        case .filter: self.configuration.filters.count
        case .output: self.configuration.outputs.count
        }
    }

    private mutating func reportUnknown(_ name: Section.Entry, _ kind: PluginKind) {
        if let reason = MissingPlugins.reason(kind, name.value) {
            self.diagnostics.append(
                name.valueMark.diagnostic("the \(kind.rawValue) '\(name.value)' is not here: \(reason)")
            )
            return
        }
        let nearest = NearestName.find(name.value, among: PluginTable.names(kind))
        let elsewhere = PluginKind.allCases.first { $0 != kind && PluginTable.find($0, name.value) != nil }
        let hint =
            nearest.map { "did you mean '\($0)'?" } ?? elsewhere.map {
                "'\(name.value)' is the name of an \($0.rawValue)"
            }
            ?? "known: " + PluginTable.names(kind).joined(separator: ", ")
        self.diagnostics.append(name.valueMark.diagnostic("unknown \(kind.rawValue) '\(name.value)'", hint: hint))
    }

    /// Checks every key and the form of its value.
    private mutating func check(_ section: Section, keys: [PluginKey], of place: String) {
        var seen: Set<String> = []
        for entry in section.entries {
            guard let key = PluginTable.key(entry.key, in: keys) else {
                let nearest = NearestName.find(entry.key, among: keys.map(\.name))
                self.diagnostics.append(
                    entry.keyMark.diagnostic(
                        "unknown key '\(entry.key)' of \(place)",
                        hint: nearest.map { "did you mean '\($0)'?" }
                    )
                )
                continue
            }
            if !seen.insert(key.name).inserted, !key.mayRepeat, key.isRead {
                self.diagnostics.append(
                    entry.keyMark.diagnostic("\(key.name) of \(place) is set again; this counts", severity: .warning)
                )
            }
            if key.effect == .accepted {
                let mark = "\(entry.keyMark.source):\(entry.keyMark.line)"
                self.configuration.notes.append("\(mark): \(key.name) of \(place) has no effect: \(key.summary)")
            }
            if key.effect == .unsupported, SettingValue.flag(entry.value) == true {
                self.diagnostics.append(
                    entry.keyMark.diagnostic("\(key.name) of \(place) is not supported: \(key.summary)")
                )
            }
            if !key.form.accepts(entry.value) {
                self.diagnostics.append(
                    entry.valueMark.diagnostic(
                        "'\(entry.value)' is no value of \(key.name): it must be \(key.form.expectation)"
                    )
                )
            }
        }
    }

    /// The section with environment variables put into its values.
    private mutating func expanded(_ section: Section) -> Section {
        var result = section
        result.entries = section.entries.map { entry in
            let (text, missing) = self.environment.expand(entry.value)
            for name in missing {
                self.diagnostics.append(
                    entry.valueMark.diagnostic("the environment variable '\(name)' is not set", severity: .warning)
                )
            }
            return Section.Entry(key: entry.key, value: text, keyMark: entry.keyMark, valueMark: entry.valueMark)
        }
        result.processors = section.processors.map { self.expanded($0) }
        result.conditions = section.conditions.map { self.expanded($0) }
        return result
    }
}

extension ConfigurationBuild {
    /// The parser files that `[SERVICE]` names.
    func parserFiles(beside path: String?) -> [NamedFile] {
        self.configuration.service.entries("parsers_file").map { NamedFile($0, beside: path) }
    }

    /// The upstream files that outputs name; what the configuration itself has under a name is none.
    func upstreamFiles(beside path: String?) -> [NamedFile] {
        self.configuration.outputs.flatMap { output in
            output.settings.section.all("upstream")
                .filter { self.configuration.upstreams[$0.value] == nil }
                .map { NamedFile($0, beside: path) }
        }
    }

    private static let upstreamKinds: Set<String> = ["UPSTREAM", "NODE"]
    /// What an upstream file may have beside; a whole configuration may name itself.
    private static let otherKinds: Set<String> = [
        "SERVICE", "INPUT", "FILTER", "OUTPUT", "PARSER", "MULTILINE_PARSER",
    ]

    /// Adds the sections of one upstream file; of several upstreams the last one counts, as in Fluent Bit.
    mutating func addUpstream(_ sections: [Section], path: String, diagnostics: [Diagnostic]) {
        self.diagnostics += diagnostics
        for section in sections
        where !Self.upstreamKinds.contains(section.kind) && !Self.otherKinds.contains(section.kind) {
            self.diagnostics.append(section.mark.diagnostic("unknown section [\(section.kind)] in an upstream file"))
        }
        let upstreams = self.upstreams(of: sections, name: path)
        self.configuration.upstreams[path] = upstreams.last ?? UpstreamConfiguration(name: path, nodes: [])
    }

    /// The upstreams of sections: each `[UPSTREAM]` with the `[NODE]`s behind it; `name` is that of nodes without one.
    private mutating func upstreams(of sections: [Section], name: String?) -> [UpstreamConfiguration] {
        var result: [UpstreamConfiguration] = []
        for section in sections where Self.upstreamKinds.contains(section.kind) {
            var section = self.expanded(section)
            if section.kind == "UPSTREAM" {
                if section.value("name") == nil, name == nil {
                    self.diagnostics.append(section.mark.diagnostic("this upstream has no name"))
                }
                result.append(UpstreamConfiguration(name: section.value("name") ?? name ?? "", nodes: []))
                continue
            }
            self.check(section, keys: CommonKeys.node, of: "[NODE]")
            Self.spellKeys(of: &section, as: CommonKeys.node)
            if result.isEmpty {
                guard let name else {
                    self.diagnostics.append(section.mark.diagnostic("this [NODE] stands behind no [UPSTREAM]"))
                    continue
                }
                result.append(UpstreamConfiguration(name: name, nodes: []))
            }
            result[result.count - 1].nodes.append(Settings(section, keys: CommonKeys.node))
        }
        return result
    }
}

extension NamedFile {
    /// A file named by a value, its path counting from the folder of the configuration.
    init(_ entry: Section.Entry, beside path: String?) {
        self.init(
            written: entry.value,
            path: path.map { ConfigurationFiles.resolve(entry.value, beside: $0) } ?? entry.value,
            mark: entry.valueMark
        )
    }
}

extension PluginKind {
    /// A name for hints.
    fileprivate var example: String {
        switch self {
        case .input: "tail"
        case .filter: "kubernetes"
        case .output: "es"
        }
    }
}

extension SourceMark {
    /// The mark of what no file says.
    static let nowhere = SourceMark(source: "defaults", line: 1, column: 1, length: 1, lineText: "")
}
