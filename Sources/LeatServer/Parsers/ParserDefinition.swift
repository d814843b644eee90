internal import LeatCore

/// A parser script as it is kept: what turns an incoming event into the events that are stored.
struct ParserDefinition: Hashable, Sendable {
    let name: String
    /// Counts the changes of a parser of this name, from 1.
    var version = 1
    /// The script, in the query language.
    let script: String
    /// Fields that become tags after the script.
    var tagFields: [String] = []
    /// Fields that go before the script runs.
    var removedFields: [String] = []
    /// What the script was tested with, as it was sent; kept for whoever edits the parser next.
    var testCases: JSONValue?

    /// The parser as it is kept and shown.
    var document: JSONValue {
        var members: [JSONValue.Member] = [
            .init("name", .string(self.name)), .init("version", JSONValue(self.version)),
            .init("script", .string(self.script)),
            .init("tagFields", .array(self.tagFields.map { .string($0) })),
            .init("fieldsToBeRemovedBeforeParsing", .array(self.removedFields.map { .string($0) })),
        ]
        if let testCases { members.append(.init("testCases", testCases)) }
        return .object(members)
    }

    init(name: String, script: String, tagFields: [String] = [], removedFields: [String] = []) {
        self.name = name
        self.script = script
        self.tagFields = tagFields
        self.removedFields = removedFields
    }

    /// A parser from its JSON form; `nil` when the script is missing.
    init?(name: String, document: JSONValue) {
        guard let script = document["script"]?.string else { return nil }
        self.name = name
        self.script = script
        self.tagFields = (document["tagFields"]?.array ?? []).compactMap(\.string)
        self.removedFields = (document["fieldsToBeRemovedBeforeParsing"]?.array ?? []).compactMap(\.string)
        self.testCases = document["testCases"]
        self.version = document["version"]?.int ?? 1
    }

    /// Whether both make the same of every event.
    func parsesLike(_ other: ParserDefinition) -> Bool {
        self.script == other.script && self.tagFields == other.tagFields && self.removedFields == other.removedFields
    }

    /// A parser from LogScale's YAML form, `https://schemas.humio.com/parser/v0.3.0`; `nil` when the script is missing.
    init?(name: String, yaml: YAMLDocument) {
        guard let script = yaml.root?["script"]?.text else { return nil }
        func texts(_ key: String) -> [String] {
            guard let node = yaml.root?[key], case .sequence(let elements) = node.content else { return [] }
            return elements.compactMap(\.text)
        }
        self.name = name
        self.script = script
        self.tagFields = texts("tagFields")
        self.removedFields = texts("fieldsToBeRemovedBeforeParsing")
    }
}
