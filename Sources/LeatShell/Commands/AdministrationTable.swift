internal import LeatCore

/// An object, or a list of objects, of the server's answers as a table for people or as lines of JSON.
enum AdministrationTable {
    /// Columns that people know by another name.
    private static let names = [
        "createdAt": "created", "expiresAt": "expires", "modifiedAt": "changed", "tagFields": "tags",
        "fieldsToBeRemovedBeforeParsing": "removed fields", "script": "lines", "queryString": "query",
    ]

    static func write(_ value: JSONValue, in context: CommandContext) throws {
        var output = OutputStream()
        var writer = (context.isJSON ? AnswerFormat.json : .table).writer(terminal: context.terminal)
        for element in value.array ?? [value] {
            guard case .object(let members) = element else { continue }
            let shown = context.isJSON ? element : .object(members.compactMap(Self.shown))
            try JSONLine.bytes(of: shown).withUnsafeBytes { try writer.write($0, to: &output) }
        }
        try writer.finish(AnswerSummary(), to: &output)
        try output.finish()
    }

    /// A member as a cell: moments as times, a script by its length; `nil` for what has no place in a table.
    private static func shown(_ member: JSONValue.Member) -> JSONValue.Member? {
        let name = Self.names[member.key] ?? member.key
        if member.key.hasSuffix("At"), let milliseconds = member.value.int {
            let time = ShownTime.text(milliseconds: Int64(milliseconds), showsMilliseconds: false)
            return JSONValue.Member(key: name, value: .string(time))
        }
        if member.key == "script", let script = member.value.string {
            let count = script.split(separator: "\n", omittingEmptySubsequences: false).count
            return JSONValue.Member(key: name, value: .number(String(count)))
        }
        if member.key == "testCases" { return nil }
        return JSONValue.Member(key: name, value: member.value)
    }
}
