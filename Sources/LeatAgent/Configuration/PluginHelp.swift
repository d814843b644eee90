/// What the table of plugins says to people: `--help` of a plugin and `docs/configuration-agent.md`.
enum PluginHelp {
    /// The keys of a plugin, for `leat-agent -i tail --help`; `nil` when there is no such plugin.
    static func text(_ kind: PluginKind, _ name: String) -> String? {
        guard let plugin = PluginTable.find(kind, name) else { return nil }
        let width = plugin.keys.map(\.name.count).max() ?? 0
        let lines = plugin.keys.filter { $0.effect != .accepted }.map { key in
            let padding = String(repeating: " ", count: width - key.name.count)
            let value = key.defaultValue.map { " [\($0)]" } ?? ""
            return "  \(key.name)\(padding)  \(key.summary)\(value)"
        }
        return "\(kind.rawValue) \(plugin.name): \(plugin.summary)\n\nKeys (defaults in brackets):\n"
            + lines.joined(separator: "\n")
    }

    /// The whole of `docs/configuration-agent.md`.
    static var document: String {
        var text = Self.introduction
        text += "\n## [SERVICE]\n\n" + Self.table(CommonKeys.service)
        for kind in PluginKind.allCases {
            text +=
                "\n## \(Self.title(kind))\n\nEvery \(kind.rawValue) has these keys:\n\n"
                + Self.table(CommonKeys.of(kind))
            let common = Set(CommonKeys.of(kind).map(\.name))
            let network = Set((CommonKeys.client + CommonKeys.server).map(\.name))
            for plugin in PluginTable.all where plugin.kind == kind {
                text +=
                    "\n### \(plugin.name)\n\n\(plugin.summary.prefix(1).uppercased())\(plugin.summary.dropFirst()).\n"
                let own = plugin.keys.filter { !common.contains($0.name) && !network.contains($0.name) }
                if !own.isEmpty { text += "\n" + Self.table(own) }
                if plugin.keys.contains(where: { $0.name == "net.backlog" }) {
                    text += "\nIt listens: see [listening](#listening).\n"
                } else if plugin.keys.contains(where: { $0.name == "net.connect_timeout" }) {
                    text += "\nIt connects: see [connecting](#connecting).\n"
                }
            }
        }
        text += "\n## Connecting\n\n" + Self.table(CommonKeys.client)
        text += "\n## Listening\n\n" + Self.table(CommonKeys.server)
        return text
    }

    private static func title(_ kind: PluginKind) -> String {
        switch kind {
        case .input: "Inputs"
        case .filter: "Filters"
        case .output: "Outputs"
        }
    }

    private static func table(_ keys: [PluginKey]) -> String {
        "| key | value | default | what it is for |\n|---|---|---|---|\n"
            + keys.map { key in
                let value = key.defaultValue.map { "`\($0.replacingPipe)`" } ?? ""
                let note =
                    switch key.effect {
                    case .acts: key.summary
                    case .accepted: "accepted, without effect: \(key.summary)"
                    case .ours: "\(key.summary) (Fluent Bit has no such key)"
                    }
                return "| `\(key.name)` | \(key.form.expectation.replacingPipe) | \(value) | \(note.replacingPipe) |\n"
            }.joined()
    }

    private static let introduction = """
        # Configuration of the agent

        `leat-agent` reads Fluent Bit's configurations: the classic format, YAML (files named `.yaml` or `.yml`), parser files
        and the command line. This page is made from the table that checks them
        (`Sources/LeatAgent/Configuration/Table`); a test keeps both the same.

        * `leat-agent -c FILE --dry-run` checks everything offline: it reports every unknown plugin and key with its place and
          the nearest known name, and exits 0 or 78. `leat-agent -i tail --help` prints the keys of a plugin.
        * Keys are compared without case. In YAML, `camelCase` and `-` for `_` are understood too; a list of values is a
          repeated key.
        * `${NAME}` is an environment variable, `${NAME:-text}` has a text for one that is unset or empty; `@SET name=value`
          and `env:` set one for the configuration. `@INCLUDE pattern` and `includes:` take in files; paths count from the
          folder of the file that names them.
        * Sizes: `512k`, `5M`, `1G` (powers of 1000), `false` or `off` for no limit. Times: `5`, `5s`, `200ms`, `2m`, `1h`,
          `1d`. Yes and no: `on`, `off`, `true`, `false`, `yes`, `no`.
        * A field is written as its name, or as `$name['key'][0]`. Route tags in templates: `$TAG`, `$TAG[n]` (the n-th part
          between dots, from 0), captures `$0` to `$9`.
        * Patterns are Ruby's (Onigmo), bare or as `/pattern/flags` with `i`, `m` (the dot matches newlines) and `x`.
        * Built-in multiline parsers: `cri`, `docker` (parts of split lines), `java`, `python`, `go`, `ruby`, `javascript`,
          `dotnet`, `php`, `dart` (stack traces). Several may be named; a trace is an event of its own, beside the line that
          announces it.
        * Parsers for common formats are in `parsers/agent`; name the files with `Parsers_File`.

        """
}

extension String {
    /// The text for a cell of a table.
    fileprivate var replacingPipe: String {
        self.split(separator: "|", omittingEmptySubsequences: false).joined(separator: "\\|")
    }
}
