public import LeatCore

extension ServerConfiguration {
    /// Takes the settings of a YAML file; those that it does not name stay.
    ///
    /// - Parameters:
    ///   - text: What is in the file.
    ///   - source: Its path, for messages.
    /// - Throws: Everything that is wrong, with its place.
    public mutating func read(yaml text: String, source: String) throws(Diagnostics) {
        let document = try YAMLDocument(text, source: source)
        guard let root = document.root, !root.isNull else { return }
        var reader = YAMLReader(document)
        let sections = Dictionary(grouping: ConfigurationKey.all) { key in
            key.name.contains(".") ? String(key.name.prefix { $0 != "." }) : ""
        }
        let plain = (sections[""] ?? []).map(\.name)
        let names = plain + sections.keys.filter { !$0.isEmpty }.sorted()
        let entries = reader.entries(of: root, known: names, place: "the configuration")
        for key in sections[""] ?? [] {
            if let node = entries[key.name] { self.take(node, key, &reader) }
        }
        for (section, keys) in sections where !section.isEmpty {
            guard let node = entries[section], !node.isNull else { continue }
            let known = keys.map { String($0.name.dropFirst(section.count + 1)) }
            let inner = reader.entries(of: node, known: known, place: "'\(section)'")
            for (key, name) in zip(keys, known) {
                if let node = inner[name] { self.take(node, key, &reader) }
            }
        }
        try reader.finish()
    }

    private mutating func take(_ node: YAMLNode, _ key: ConfigurationKey, _ reader: inout YAMLReader) {
        guard let text = reader.text(node) else { return }
        if !key.set(&self, text) {
            reader.report("'\(text)' is no value for '\(key.name)'", at: node, hint: "write \(key.expects)")
        }
    }

    /// The environment variables that are settings.
    public static var environmentNames: [String] { ConfigurationKey.all.map(\.environmentName) }

    /// Takes the settings of environment variables, which are named `LEAT_` and the key in capitals.
    ///
    /// - Throws: Everything that is wrong.
    public mutating func read(environment: [String: String]) throws(Diagnostics) {
        var diagnostics: [Diagnostic] = []
        for key in ConfigurationKey.all {
            guard let text = environment[key.environmentName], !text.isEmpty, !key.set(&self, text) else { continue }
            diagnostics.append(
                Diagnostic(
                    source: "environment",
                    line: 1,
                    column: key.environmentName.unicodeScalars.count + 2,
                    length: text.unicodeScalars.count,
                    lineText: "\(key.environmentName)=\(text)",
                    message: "'\(text)' is no value for '\(key.environmentName)'",
                    hint: "write \(key.expects)"
                )
            )
        }
        if !diagnostics.isEmpty { throw Diagnostics(diagnostics) }
    }
}
