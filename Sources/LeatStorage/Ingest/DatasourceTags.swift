/// The tags that choose a datasource: `#name=value` pairs, sorted by name.
///
/// Events of one repository with equal tags are one datasource.
public struct DatasourceTags: Hashable, Sendable, CustomStringConvertible {
    /// One `#name=value`.
    public struct Tag: Hashable, Sendable {
        /// The name, which begins with `#`.
        public let name: String
        public let value: String

        public init(name: String, value: String) {
            self.name = name
            self.value = value
        }
    }

    /// The tags, sorted by name; no name occurs twice.
    public let tags: [Tag]

    /// No tags at all.
    public static let none = DatasourceTags([])

    /// Tags in any order; of two with one name the last stays, and a missing `#` is added.
    public init(_ tags: [Tag]) {
        var values: [String: String] = [:]
        for tag in tags { values[tag.name.hasPrefix("#") ? tag.name : "#" + tag.name] = tag.value }
        self.tags = values.sorted { $0.key < $1.key }.map { Tag(name: $0.key, value: $0.value) }
    }

    /// The value of a tag; `nil` when the datasource lacks it.
    public subscript(name: String) -> String? {
        self.tags.first { $0.name == name }?.value
    }

    public var description: String {
        self.tags.map { "\($0.name)=\($0.value)" }.joined(separator: " ")
    }
}
