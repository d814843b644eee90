/// A value of a YAML document and where it stands.
public struct YAMLNode: Sendable {
    public indirect enum Content: Sendable {
        /// Text as written, unquoted; `isPlain` when it had no quotes, so that `true`, `~` and numbers can be told.
        case scalar(String, isPlain: Bool)
        case sequence([YAMLNode])
        /// Keys in the order in which they are written; a key may occur twice.
        case mapping([(key: YAMLNode, value: YAMLNode)])
    }

    public let content: Content
    /// Line, from 1.
    public let line: Int
    /// Column in Unicode scalars, from 1.
    public let column: Int

    /// The text of a scalar; `nil` for anything else.
    public var text: String? {
        if case .scalar(let text, _) = self.content { text } else { nil }
    }

    /// Whether this is an absent value: nothing, `~` or `null` without quotes.
    public var isNull: Bool {
        if case .scalar(let text, isPlain: true) = self.content {
            ["", "~", "null", "Null", "NULL"].contains(text)
        } else {
            false
        }
    }

    /// What kind of value this is, for messages.
    public var kind: String {
        switch self.content {
        case .scalar: "a value"
        case .sequence: "a list"
        case .mapping: "a mapping"
        }
    }

    /// The value of the first key of this name in a mapping.
    public subscript(key: String) -> YAMLNode? {
        guard case .mapping(let entries) = self.content else { return nil }
        return entries.first { $0.key.text == key }?.value
    }
}
