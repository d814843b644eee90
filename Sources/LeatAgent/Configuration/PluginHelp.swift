/// What the table of plugins says to people: `--help` of a plugin.
enum PluginHelp {
    /// The keys of a plugin, for `leat-agent -i tail --help`; `nil` when there is no such plugin.
    static func text(_ kind: PluginKind, _ name: String) -> String? {
        guard let plugin = PluginTable.find(kind, name) else { return nil }
        let width = plugin.keys.map(\.name.count).max() ?? 0
        let lines = plugin.keys.filter(\.isRead).map { key in
            let padding = String(repeating: " ", count: width - key.name.count)
            let value = key.defaultValue.map { " [\($0)]" } ?? ""
            return "  \(key.name)\(padding)  \(key.summary)\(value)"
        }
        return "\(kind.rawValue) \(plugin.name): \(plugin.summary)\n\nKeys (defaults in brackets):\n"
            + lines.joined(separator: "\n")
    }
}
