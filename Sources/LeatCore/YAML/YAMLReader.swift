/// Reads the keys of mappings as values of known kinds, and gathers everything that is wrong on the way.
///
///     var reader = YAMLReader(document)
///     let entries = reader.entries(of: root, known: ["listen", "data"], place: "the configuration")
///     let listen = entries["listen"].flatMap { reader.text($0) }
///     try reader.finish()
public struct YAMLReader {
    public let document: YAMLDocument
    /// What was wrong so far.
    public private(set) var diagnostics: [Diagnostic] = []

    public init(_ document: YAMLDocument) { self.document = document }

    /// Notes that something is wrong with a node.
    public mutating func report(_ message: String, at node: YAMLNode, hint: String? = nil) {
        self.diagnostics.append(self.document.diagnostic(message, at: node, hint: hint))
    }

    /// The values of a mapping by key; unknown and repeated keys are reported, with the nearest known name.
    public mutating func entries(of node: YAMLNode, known: [String], place: String) -> [String: YAMLNode] {
        guard case .mapping(let entries) = node.content else {
            if !node.isNull { self.report("\(place) must be a mapping of keys to values, not \(node.kind)", at: node) }
            return [:]
        }
        var found: [String: YAMLNode] = [:]
        for (key, value) in entries {
            guard let name = key.text else { continue }
            if !known.contains(name) {
                let nearest = NearestName.find(name, among: known).map { "did you mean '\($0)'?" }
                self.report("unknown key '\(name)' in \(place)", at: key, hint: nearest)
            } else if found[name] != nil {
                self.report("key '\(name)' is given twice in \(place)", at: key)
            } else {
                found[name] = value
            }
        }
        return found
    }

    /// The text of a scalar.
    public mutating func text(_ node: YAMLNode) -> String? {
        if let text = node.text { return text }
        self.report("text is expected here, not \(node.kind)", at: node)
        return nil
    }

    /// A list of texts; a single text is a list of one.
    public mutating func texts(_ node: YAMLNode) -> [String] {
        guard case .sequence(let nodes) = node.content else { return self.text(node).map { [$0] } ?? [] }
        return nodes.compactMap { self.text($0) }
    }

    /// `true`, `yes`, `on` or their opposites, in any case.
    public mutating func flag(_ node: YAMLNode) -> Bool? {
        switch node.text?.lowercased() {
        case "true", "yes", "on": return true
        case "false", "no", "off": return false
        default:
            self.report("true or false is expected here", at: node)
            return nil
        }
    }

    /// A whole number within `range`.
    public mutating func number(_ node: YAMLNode, in range: ClosedRange<Int>) -> Int? {
        if let number = node.text.flatMap({ Int($0.filter { $0 != "_" }) }), range.contains(number) { return number }
        self.report("a whole number from \(range.lowerBound) to \(range.upperBound) is expected here", at: node)
        return nil
    }

    /// A number of bytes such as `64MiB`, `10M` (= 10 × 1024²) or `1024`.
    public mutating func byteCount(_ node: YAMLNode) -> Int? {
        if let count = node.text.flatMap({ ByteCountText.parse($0) }) { return count }
        self.report("a size such as 64MiB or 1024 is expected here", at: node)
        return nil
    }

    /// A length of time such as `500ms`, `30s`, `5m`, `24h` or `30d`, in nanoseconds.
    public mutating func nanoseconds(_ node: YAMLNode) -> Int64? {
        if let length = node.text.flatMap({ DurationText.nanoseconds($0) }) { return length }
        self.report("a length of time such as 500ms, 30s, 24h or 30d is expected here", at: node)
        return nil
    }

    /// Throws what was wrong, if anything was.
    public func finish() throws(Diagnostics) {
        if !self.diagnostics.isEmpty { throw Diagnostics(self.diagnostics) }
    }
}
