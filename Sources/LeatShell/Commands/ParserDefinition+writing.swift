internal import LeatCore

extension ParserDefinition {
    /// A parser to begin with.
    static func template(name: String) -> ParserDefinition {
        var definition = ParserDefinition()
        definition.name = name
        definition.script = "parseJson() | findTimestamp(field=@timestamp)"
        definition.cases = [
            Case(
                input: #"{"@timestamp":"2026-11-20T12:00:00Z","level":"info"}"#,
                assertions: [Assertion(values: [("level", "info")])]
            )
        ]
        return definition
    }

    /// The parser as a file of LogScale's schema 0.3.
    var yaml: String {
        var text = "name: \(Self.quoted(self.name))\n"
        text += "$schema: https://schemas.humio.com/parser/v0.3.0\n"
        text += "script: \(Self.block(self.script, indent: "  "))\n"
        text += Self.list("tagFields", self.tagFields)
        text += Self.list("fieldsToBeRemovedBeforeParsing", self.removedFields)
        if self.cases.isEmpty { return text }
        text += "testCases:\n"
        for testCase in self.cases {
            text += "  - event:\n      rawString: \(Self.block(testCase.input, indent: "        "))\n"
            if testCase.assertions.isEmpty { continue }
            text += "    outputAssertions:\n"
            for assertion in testCase.assertions { text += Self.text(of: assertion) }
        }
        return text
    }

    private static func text(of assertion: Assertion) -> String {
        var text = "      - outputEventIndex: \(assertion.eventIndex)\n        assertions:\n"
        if !assertion.values.isEmpty {
            text += "          fieldsHaveValues:\n"
            for (name, value) in assertion.values {
                text += "            \(Self.quoted(name)): \(Self.quoted(value))\n"
            }
        }
        if !assertion.absentFields.isEmpty {
            text += "          fieldsNotPresent: [\(assertion.absentFields.map(Self.quoted).joined(separator: ", "))]\n"
        }
        return text
    }

    private static func list(_ key: String, _ values: [String]) -> String {
        values.isEmpty ? "" : "\(key): [\(values.map(Self.quoted).joined(separator: ", "))]\n"
    }

    /// A text as a block of its own lines, or quoted where a block would not give it back.
    private static func block(_ text: String, indent: String) -> String {
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        let isPlain = text.unicodeScalars.allSatisfy { $0 == "\n" || $0.value >= 0x20 && $0.value != 0x7F }
        guard isPlain, let first = lines.first, !first.isEmpty, first.first != " ", !text.hasSuffix("\n") else {
            return Self.quoted(text)
        }
        return "|-\n" + lines.map { $0.isEmpty ? "" : indent + $0 }.joined(separator: "\n")
    }

    /// A scalar between quotes: JSON's strings are YAML's.
    private static func quoted(_ text: String) -> String {
        var bytes: [UInt8] = []
        JSONWriter.append(string: text, to: &bytes)
        return String(decoding: bytes, as: UTF8.self)
    }

    /// The parser as the server takes it.
    var json: [UInt8] {
        var writer = JSONWriter()
        writer.beginObject()
        writer.key("name")
        writer.value(self.name)
        writer.key("script")
        writer.value(self.script)
        writer.list("tagFields", self.tagFields)
        writer.list("fieldsToBeRemovedBeforeParsing", self.removedFields)
        writer.key("testCases")
        writer.beginArray()
        for testCase in self.cases { writer.append(testCase) }
        writer.endArray()
        writer.endObject()
        return writer.bytes
    }
}

extension JSONWriter {
    fileprivate mutating func list(_ key: String, _ values: [String]) {
        self.key(key)
        self.beginArray()
        for value in values { self.value(value) }
        self.endArray()
    }

    fileprivate mutating func append(_ testCase: ParserDefinition.Case) {
        self.beginObject()
        self.key("input")
        self.value(testCase.input)
        self.key("outputAssertions")
        self.beginArray()
        for assertion in testCase.assertions {
            self.beginObject()
            self.key("outputEventIndex")
            self.value(assertion.eventIndex)
            self.key("assertions")
            self.beginObject()
            self.key("fieldsHaveValues")
            self.beginObject()
            for (name, value) in assertion.values {
                self.key(name)
                self.value(value)
            }
            self.endObject()
            self.list("fieldsNotPresent", assertion.absentFields)
            self.endObject()
            self.endObject()
        }
        self.endArray()
        self.endObject()
    }
}
