internal import CYaml

/// Reads YAML 1.1 through libyaml, with line and column of every key and value.
///
/// Anchors and aliases work; merge keys (`<<`), tags and further documents are refused with a message.
public struct YAMLDocument: Sendable {
    /// Nesting beyond which a document is refused.
    public static let depthMax = 64
    /// Nodes, those that aliases repeat included, beyond which a document is refused ("billion laughs").
    public static let nodeCountMax = 100_000

    /// The name of the file, for messages.
    public let source: String
    /// The document's only value; `nil` for an empty document.
    public let root: YAMLNode?
    let lines: [Substring]

    /// Reads `text`.
    ///
    /// - Throws: one diagnostic for the first place that is not YAML.
    public init(_ text: String, source: String) throws(Diagnostics) {
        self.source = source
        self.lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        var reader = YAMLEventReader(text)
        do throws(YAMLFailure) {
            self.root = try reader.document()
        } catch {
            throw Diagnostics([Self.diagnostic(error.message, error.line, error.column, 1, source, self.lines, nil)])
        }
    }

    /// A diagnostic that underlines a node.
    public func diagnostic(_ message: String, at node: YAMLNode, hint: String? = nil) -> Diagnostic {
        let length = node.text?.unicodeScalars.count ?? 1
        return Self.diagnostic(message, node.line, node.column, length, self.source, self.lines, hint)
    }

    private static func diagnostic(
        _ message: String,
        _ line: Int,
        _ column: Int,
        _ length: Int,
        _ source: String,
        _ lines: [Substring],
        _ hint: String?
    ) -> Diagnostic {
        // libyaml reports what is missing at the end on a line after the last.
        let isPastEnd = line > lines.count
        let shownLine = isPastEnd ? lines.count : line
        let text = String(lines[shownLine - 1])
        let shownColumn = isPastEnd ? text.unicodeScalars.count + 1 : column
        let rest = max(1, text.unicodeScalars.count - shownColumn + 1)
        return Diagnostic(
            source: source,
            line: shownLine,
            column: shownColumn,
            length: min(length, rest),
            lineText: text,
            message: message,
            hint: hint
        )
    }
}

/// A place that is not YAML, or more than we read.
struct YAMLFailure: Error {
    let message: String
    let line: Int
    let column: Int
}

/// Turns libyaml's events into nodes.
private struct YAMLEventReader: ~Copyable {
    /// In memory that never moves: libyaml's parser keeps its own address.
    private let parser: UnsafeMutablePointer<yaml_parser_t>
    private let text: ByteSlice
    private var anchors: [String: (node: YAMLNode, count: Int)] = [:]
    private var nodeCount = 0

    init(_ text: String) {
        self.text = ByteSlice(text)
        self.parser = .allocate(capacity: 1)
        self.parser.initialize(to: yaml_parser_t())
        yaml_parser_initialize(self.parser)
        let bytes = self.text.unsafeBytes
        yaml_parser_set_input_string(self.parser, bytes.baseAddress?.assumingMemoryBound(to: UInt8.self), bytes.count)
        yaml_parser_set_encoding(self.parser, YAML_UTF8_ENCODING)
    }

    deinit {
        yaml_parser_delete(self.parser)
        self.parser.deallocate()
    }

    /// The next event; the caller deletes it.
    private mutating func next() throws(YAMLFailure) -> yaml_event_t {
        var event = yaml_event_t()
        guard yaml_parser_parse(self.parser, &event) == 1 else {
            let mark = self.parser.pointee.problem_mark
            let problem = self.parser.pointee.problem.map { String(cString: $0) } ?? "not YAML"
            throw YAMLFailure(message: problem, line: Int(mark.line) + 1, column: Int(mark.column) + 1)
        }
        return event
    }

    private func failure(_ message: String, _ mark: yaml_mark_t) -> YAMLFailure {
        YAMLFailure(message: message, line: Int(mark.line) + 1, column: Int(mark.column) + 1)
    }

    mutating func document() throws(YAMLFailure) -> YAMLNode? {
        guard self.text.count > 0 else { return nil }
        var root: YAMLNode?
        while true {
            var event = try self.next()
            defer { yaml_event_delete(&event) }
            switch event.type {
            case YAML_STREAM_END_EVENT: return root
            case YAML_STREAM_START_EVENT, YAML_DOCUMENT_END_EVENT: continue
            case YAML_DOCUMENT_START_EVENT:
                if root != nil { throw self.failure("only one document is read", event.start_mark) }
                root = try self.value(depth: 0)
            default: throw self.failure("a value outside of a document", event.start_mark)
            }
        }
    }

    private mutating func value(depth: Int) throws(YAMLFailure) -> YAMLNode {
        guard let node = try self.node(depth: depth) else {
            throw YAMLFailure(message: "a value is missing", line: 1, column: 1)
        }
        return node
    }

    /// The next node; `nil` at the end of a list or mapping.
    private mutating func node(depth: Int) throws(YAMLFailure) -> YAMLNode? {
        var event = try self.next()
        defer { yaml_event_delete(&event) }
        let mark = event.start_mark
        if event.type == YAML_SEQUENCE_END_EVENT || event.type == YAML_MAPPING_END_EVENT { return nil }
        guard depth <= YAMLDocument.depthMax else {
            throw self.failure("nested more than \(YAMLDocument.depthMax) levels deep", mark)
        }
        let before = self.nodeCount
        try self.count(1, mark)
        let content: YAMLNode.Content
        var anchor: UnsafeMutablePointer<yaml_char_t>?
        switch event.type {
        case YAML_SCALAR_EVENT:
            let scalar = event.data.scalar
            anchor = scalar.anchor
            let bytes = UnsafeBufferPointer(start: scalar.value, count: scalar.length)
            let isPlain = scalar.style == YAML_PLAIN_SCALAR_STYLE
            content = .scalar(String(decoding: bytes, as: UTF8.self), isPlain: isPlain)
        case YAML_SEQUENCE_START_EVENT:
            anchor = event.data.sequence_start.anchor
            content = .sequence(try self.sequence(depth: depth + 1))
        case YAML_MAPPING_START_EVENT:
            anchor = event.data.mapping_start.anchor
            content = .mapping(try self.mapping(depth: depth + 1))
        case YAML_ALIAS_EVENT:
            return try self.alias(String(cString: event.data.alias.anchor), mark)
        default:
            throw self.failure("a value is missing", mark)
        }
        let node = YAMLNode(content: content, line: Int(mark.line) + 1, column: Int(mark.column) + 1)
        if let anchor { self.anchors[String(cString: anchor)] = (node, self.nodeCount - before) }
        return node
    }

    private mutating func alias(_ name: String, _ mark: yaml_mark_t) throws(YAMLFailure) -> YAMLNode {
        guard let known = self.anchors[name] else { throw self.failure("unknown alias '\(name)'", mark) }
        try self.count(known.count, mark)
        return YAMLNode(content: known.node.content, line: Int(mark.line) + 1, column: Int(mark.column) + 1)
    }

    private mutating func count(_ nodes: Int, _ mark: yaml_mark_t) throws(YAMLFailure) {
        self.nodeCount += nodes
        guard self.nodeCount <= YAMLDocument.nodeCountMax else {
            throw self.failure("more than \(YAMLDocument.nodeCountMax) values", mark)
        }
    }

    private mutating func sequence(depth: Int) throws(YAMLFailure) -> [YAMLNode] {
        var nodes: [YAMLNode] = []
        while let node = try self.node(depth: depth) { nodes.append(node) }
        return nodes
    }

    private mutating func mapping(depth: Int) throws(YAMLFailure) -> [(key: YAMLNode, value: YAMLNode)] {
        var entries: [(key: YAMLNode, value: YAMLNode)] = []
        while let key = try self.node(depth: depth) {
            guard let name = key.text else {
                throw YAMLFailure(message: "a key must be text", line: key.line, column: key.column)
            }
            if name == "<<" {
                throw YAMLFailure(message: "merge keys are not supported", line: key.line, column: key.column)
            }
            entries.append((key, try self.value(depth: depth)))
        }
        return entries
    }
}
