internal import LeatCore
internal import LeatParsing

/// Everything that was configured, checked: every plugin exists, every key is known, every value has the right form.
struct AgentConfiguration: Sendable {
    /// `[SERVICE]`, or its defaults.
    var service: Settings
    var inputs: [PluginConfiguration] = []
    /// In the order in which events go through them.
    var filters: [PluginConfiguration] = []
    var outputs: [PluginConfiguration] = []
    /// Parsers of `[PARSER]` sections, parser files and YAML, by name; the built-in ones are not among them.
    var parsers: [String: Section] = [:]
    /// `[MULTILINE_PARSER]` sections, by name.
    var multilineParsers: [String: Section] = [:]
    /// Upstream files by their path as configured.
    var upstreams: [String: UpstreamConfiguration] = [:]
    /// The files that were read, in order; a change of one is a reason to reload.
    var sourceFiles: [String] = []
    /// Files that variables of `env` are read from; always watched.
    var variableFiles: [String] = []
    /// Warnings, for the log and for `--dry-run`.
    var warnings: [Diagnostic] = []
    /// What is said at debug level: keys that were accepted and have no effect.
    var notes: [String] = []
}

/// One `[INPUT]`, `[FILTER]` or `[OUTPUT]`.
struct PluginConfiguration: Sendable {
    let kind: PluginKind
    /// The plugin's name in lower case, such as `tail`.
    let name: String
    /// Position among the plugins of its kind, from 0.
    var number: Int
    /// The keys that were set.
    let settings: Settings
    /// Where its heading stands.
    let mark: SourceMark
    /// Filters that only this output's events go through, in order.
    var processors: [PluginConfiguration] = []

    /// The name in logs and metrics: the alias, else `tail.0`.
    var displayName: String { self.settings.text("alias") ?? "\(self.name).\(self.number)" }
}

/// Which part of the pipeline a plugin is.
enum PluginKind: String, Hashable, Sendable, CaseIterable {
    case input, filter, output

    /// The heading of its sections.
    var heading: String { self.rawValue.uppercased() }
}

/// An upstream: servers that share the load of an output.
struct UpstreamConfiguration: Sendable {
    let name: String
    /// `[NODE]` sections: `name`, `host`, `port` and the TLS keys.
    var nodes: [Settings]
}
