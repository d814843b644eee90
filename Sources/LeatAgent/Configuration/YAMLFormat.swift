internal import LeatCore
internal import LeatParsing

/// Reads Fluent Bit's YAML format into the same sections as the classic one.
struct YAMLFormat {
    private(set) var sections: [Section] = []
    /// `env:` as entries.
    private(set) var environment: [Section.Entry] = []
    /// Entries of `env:` whose values are in files.
    private(set) var environmentFiles: [Section.Entry] = []
    /// `includes:` as entries.
    private(set) var includes: [Section.Entry] = []
    private(set) var diagnostics: [Diagnostic] = []

    private let source: String
    private let lines: [Substring]

    private static let topLevel = [
        "env", "includes", "service", "parsers", "multiline_parsers", "pipeline", "upstream_servers", "plugins",
        "stream_processor", "customs",
    ]

    /// Reads a whole document.
    init(bytes: ByteSlice, source: String) {
        self.source = source
        let text = bytes.text
        self.lines = text.unicodeScalars.split(separator: "\n", omittingEmptySubsequences: false).map(Substring.init)
        do throws(Diagnostics) {
            guard let root = try YAMLDocument(text, source: source).root else { return }
            self.readRoot(root)
        } catch {
            self.diagnostics += error.all
        }
    }

    private mutating func readRoot(_ root: YAMLNode) {
        for (key, value) in self.entries(root) {
            switch key.text?.lowercased() {
            case "env": self.readEnvironment(value)
            case "includes": self.includes += self.elements(value).compactMap { self.entry(key, $0) }
            case "service": self.sections.append(self.section("SERVICE", key, value))
            case "parsers": self.sections += self.elements(value).map { self.section("PARSER", $0, $0) }
            case "multiline_parsers":
                self.sections += self.elements(value).map { self.section("MULTILINE_PARSER", $0, $0) }
            case "pipeline": self.readPipeline(value)
            case "upstream_servers": for upstream in self.elements(value) { self.readUpstream(upstream) }
            case "plugins", "stream_processor", "customs":
                self.report("'\(key.text ?? "")' is not supported", at: key)
            default:
                let nearest = NearestName.find(key.text ?? "", among: Self.topLevel)
                self.report("unknown key '\(key.text ?? "")'", at: key, hint: nearest.map { "did you mean '\($0)'?" })
            }
        }
    }

    /// A mapping of names, or a list of `name` and `value`.
    private mutating func readEnvironment(_ node: YAMLNode) {
        if case .sequence(let elements) = node.content {
            for element in elements {
                guard let name = element["name"], let value = element["value"] ?? element["uri"] else {
                    self.report("an entry of env needs name, and value or uri", at: element)
                    continue
                }
                if element["value"] == nil {
                    if let entry = self.entry(name, value, key: name.text) { self.environmentFiles.append(entry) }
                    continue
                }
                if let entry = self.entry(name, value, key: name.text) { self.environment.append(entry) }
            }
            return
        }
        for (key, value) in self.entries(node) {
            if let entry = self.entry(key, value) { self.environment.append(entry) }
        }
    }

    private mutating func readPipeline(_ node: YAMLNode) {
        for (key, value) in self.entries(node) {
            guard
                let kind = ["inputs": "INPUT", "filters": "FILTER", "outputs": "OUTPUT"][key.text?.lowercased() ?? ""]
            else {
                let nearest = NearestName.find(key.text ?? "", among: ["inputs", "filters", "outputs"])
                self.report(
                    "unknown key '\(key.text ?? "")' of pipeline",
                    at: key,
                    hint: nearest.map { "did you mean '\($0)'?" }
                )
                continue
            }
            self.sections += self.elements(value).map { self.section(kind, $0, $0) }
        }
    }

    /// `name` and `nodes` as an `[UPSTREAM]` and its `[NODE]`s.
    private mutating func readUpstream(_ node: YAMLNode) {
        var upstream = Section(kind: "UPSTREAM", mark: self.mark(node))
        var nodes: [Section] = []
        for (key, value) in self.entries(node) {
            switch key.text?.lowercased() {
            case "nodes": nodes = self.elements(value).map { self.section("NODE", $0, $0) }
            case "name": if let entry = self.entry(key, value) { upstream.entries.append(entry) }
            default: self.report("unknown key '\(key.text ?? "")' of upstream_servers", at: key, hint: "name or nodes")
            }
        }
        self.sections += [upstream] + nodes
    }

    /// A mapping as a section; a list of values is a repeated key.
    private mutating func section(_ kind: String, _ place: YAMLNode, _ node: YAMLNode) -> Section {
        var section = Section(kind: kind, mark: self.mark(place))
        for (key, value) in self.entries(node) {
            switch (key.text?.lowercased(), value.content) {
            case ("processors", _): section.processors += self.processors(value)
            case ("routes", _) where kind == "INPUT":
                self.report("routes of an input are not supported", at: key, hint: "use Match of the outputs")
            case ("condition", .mapping) where kind == "FILTER": section.conditions.append(self.condition(key, value))
            case ("rules", .sequence(let rules)) where kind == "MULTILINE_PARSER":
                section.entries += rules.compactMap { self.rule($0) }
            case ("telemetry", .mapping):
                // Groups within groups, none of which does anything here.
                let mark = self.mark(key)
                section.entries.append(Section.Entry(key: "telemetry", value: "", keyMark: mark, valueMark: mark))
            case (_, .sequence(let values)):
                section.entries += values.compactMap { self.entry(key, $0) }
            case (let name?, .mapping) where Self.isText(name, of: kind, node):
                self.report(
                    "'\(name)' is a text, not a mapping",
                    at: value,
                    hint: "quote it, such as \(name): '{\"a\": 1}'"
                )
            case (let name?, .mapping):
                // `header: {name: value}` and the like are words of one value; service groups are dotted keys.
                for (inner, value) in self.entries(value) {
                    if let entry = self.nested(kind, name, key, inner, value) { section.entries.append(entry) }
                }
            default:
                if let entry = self.entry(key, value) { section.entries.append(entry) }
            }
        }
        return section
    }

    /// Whether a key of a plugin holds one text, such as the JSON of `dummy`.
    private static func isText(_ key: String, of section: String, _ node: YAMLNode) -> Bool {
        guard let kind = PluginKind.allCases.first(where: { $0.heading == section }), let name = node["name"]?.text
        else {
            return false
        }
        return PluginTable.find(kind, name)?.key(key)?.form == .text
    }

    /// `condition: {op: and, rules: [{field, op, value}]}`.
    private mutating func condition(_ place: YAMLNode, _ node: YAMLNode) -> Section {
        var condition = Section(kind: "CONDITION", mark: self.mark(place))
        for (key, value) in self.entries(node) {
            switch key.text?.lowercased() {
            case "op": if let entry = self.entry(key, value) { condition.entries.append(entry) }
            case "rules": condition.conditions = self.elements(value).map { self.section("RULE", $0, $0) }
            default: self.report("unknown key '\(key.text ?? "")' of condition", at: key, hint: "op or rules")
            }
        }
        return condition
    }

    private mutating func nested(
        _ kind: String,
        _ name: String,
        _ key: YAMLNode,
        _ inner: YAMLNode,
        _ value: YAMLNode
    ) -> Section.Entry? {
        guard let innerName = inner.text, let text = value.text else {
            self.report("this is too deep", at: inner)
            return nil
        }
        let isDotted = kind == "SERVICE" || innerName == "enabled"
        return Section.Entry(
            key: isDotted ? "\(name).\(innerName)" : name,
            value: isDotted ? text : "\(innerName) \(text)",
            keyMark: self.mark(inner),
            valueMark: self.mark(value)
        )
    }

    /// `state`, `regex` and `next_state` as the words of a classic rule.
    private mutating func rule(_ node: YAMLNode) -> Section.Entry? {
        guard let state = node["state"]?.text, let pattern = node["regex"]?.text, let next = node["next_state"]?.text
        else {
            self.report("a rule needs state, regex and next_state", at: node)
            return nil
        }
        return Section.Entry(
            key: "rule",
            value: "\"\(state)\" \"\(pattern)\" \"\(next)\"",
            keyMark: self.mark(node),
            valueMark: self.mark(node)
        )
    }

    /// `processors: {logs: [...]}`; only filters for logs exist here.
    private mutating func processors(_ node: YAMLNode) -> [Section] {
        var found: [Section] = []
        for (key, value) in self.entries(node) {
            guard key.text?.lowercased() == "logs" else {
                self.report(
                    "processors of '\(key.text ?? "")' are not supported",
                    at: key,
                    hint: "only those of logs are"
                )
                continue
            }
            found += self.elements(value).map { self.section("FILTER", $0, $0) }
        }
        return found
    }

    // MARK: nodes

    private mutating func entry(_ key: YAMLNode, _ value: YAMLNode, key name: String? = nil) -> Section.Entry? {
        guard let text = value.text else {
            self.report("'\(key.text ?? "")' cannot be \(value.kind)", at: value)
            return nil
        }
        return Section.Entry(
            key: name ?? key.text ?? "",
            value: text,
            keyMark: self.mark(key),
            valueMark: self.mark(value)
        )
    }

    private mutating func entries(_ node: YAMLNode) -> [(key: YAMLNode, value: YAMLNode)] {
        if case .mapping(let entries) = node.content { return entries }
        if !node.isNull { self.report("this must be a mapping", at: node) }
        return []
    }

    private mutating func elements(_ node: YAMLNode) -> [YAMLNode] {
        switch node.content {
        case .sequence(let elements): return elements
        case .mapping: return [node]
        case .scalar: return node.isNull ? [] : [node]
        }
    }

    private mutating func report(_ message: String, at node: YAMLNode, hint: String? = nil) {
        self.diagnostics.append(self.mark(node).diagnostic(message, hint: hint))
    }

    private func mark(_ node: YAMLNode) -> SourceMark {
        let line = node.line <= self.lines.count ? String(self.lines[node.line - 1]) : ""
        return SourceMark(
            source: self.source,
            line: node.line,
            column: node.column,
            length: node.text.map { max(1, $0.unicodeScalars.count) } ?? 1,
            lineText: line
        )
    }
}
