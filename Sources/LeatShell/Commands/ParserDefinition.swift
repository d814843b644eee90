internal import LeatCore

/// A parser as its file describes it: the script, and test cases for it.
struct ParserDefinition: Sendable {
    /// What an event that the script makes must look like.
    struct Assertion: Sendable {
        /// Which of the events that an input becomes, from 0.
        var eventIndex = 0
        var values: [(name: String, value: String)] = []
        var absentFields: [String] = []
    }

    struct Case: Sendable {
        var input: String
        var assertions: [Assertion] = []
    }

    var name = ""
    var script = ""
    var tagFields: [String] = []
    var removedFields: [String] = []
    var cases: [Case] = []
}

extension ParserDefinition {
    /// Reads a YAML file of Humio's schema 0.1 to 0.3; keys that only its user interface needs are passed over.
    init(yaml text: String, path: String) throws(CommandError) {
        do throws(Diagnostics) {
            let document = try YAMLDocument(text, source: path)
            guard let root = document.root, let script = root["script"]?.text else {
                throw Diagnostics([
                    Diagnostic(source: path, line: 1, column: 1, lineText: "", message: "the key 'script' is missing")
                ])
            }
            self.name = root["name"]?.text ?? path
            self.script = script
            self.tagFields = root["tagFields"]?.texts ?? []
            self.removedFields = root["fieldsToBeRemovedBeforeParsing"]?.texts ?? []
            self.cases = (root["testCases"]?.elements ?? []).map { Self.testCase($0) }
            self.cases += (root["tests"]?.texts ?? []).map { Case(input: $0) }
        } catch {
            throw CommandError(.badData, error.description)
        }
    }

    private static func testCase(_ node: YAMLNode) -> Case {
        let input = node["event"]?["rawString"]?.text ?? node["input"]?.text ?? node.text ?? ""
        let assertions = node["outputAssertions"]?.elements ?? []
        return Case(input: input, assertions: assertions.map { Self.assertion($0) })
    }

    private static func assertion(_ node: YAMLNode) -> Assertion {
        let inner = node["assertions"] ?? node
        var assertion = Assertion()
        assertion.eventIndex = node["outputEventIndex"]?.text.flatMap { Int($0) } ?? 0
        assertion.values = (inner["fieldsHaveValues"]?.entries ?? []).compactMap { key, value in
            guard let name = key.text, let text = value.text else { return nil }
            return (name, text)
        }
        assertion.absentFields = inner["fieldsNotPresent"]?.texts ?? []
        return assertion
    }

    /// Reads an object with the same members in JSON, with `cases` of `input` and `assertions`.
    init(json: JSONValue) throws(CommandError) {
        guard let script = json["script"]?.string else {
            throw CommandError(.badData, "the member 'script' is missing")
        }
        self.name = json["name"]?.string ?? ""
        self.script = script
        self.tagFields = json["tagFields"]?.texts ?? []
        self.removedFields = json["fieldsToBeRemovedBeforeParsing"]?.texts ?? []
        let cases = json["cases"] ?? json["testCases"] ?? json["tests"]
        self.cases = (cases?.array ?? []).map { Self.testCase($0) }
    }

    private static func testCase(_ json: JSONValue) -> Case {
        let input = json["input"]?.string ?? json["event"]?["rawString"]?.string ?? json.string ?? ""
        let assertions = (json["assertions"] ?? json["outputAssertions"])?.array ?? []
        return Case(input: input, assertions: assertions.map { Self.assertion($0) })
    }

    private static func assertion(_ json: JSONValue) -> Assertion {
        let inner = json["assertions"] ?? json
        var assertion = Assertion()
        assertion.eventIndex = json["outputEventIndex"]?.int ?? 0
        if case .object(let members)? = inner["fieldsHaveValues"] {
            assertion.values = members.map { ($0.key, $0.value.plainText) }
        }
        assertion.absentFields = inner["fieldsNotPresent"]?.texts ?? []
        return assertion
    }
}

extension JSONValue {
    /// The elements of an array that are strings.
    fileprivate var texts: [String] { (self.array ?? []).compactMap(\.string) }

    /// A scalar as the text that a field would have.
    fileprivate var plainText: String {
        switch self {
        case .string(let text), .number(let text): text
        case .bool(let value): value ? "true" : "false"
        case .null, .array, .object: ""
        }
    }
}

extension YAMLNode {
    /// The elements of a list; nothing else has any.
    fileprivate var elements: [YAMLNode] {
        if case .sequence(let nodes) = self.content { nodes } else { [] }
    }

    /// The elements of a list that are texts.
    fileprivate var texts: [String] { self.elements.compactMap(\.text) }

    /// The entries of a mapping.
    fileprivate var entries: [(key: YAMLNode, value: YAMLNode)] {
        if case .mapping(let entries) = self.content { entries } else { [] }
    }
}
