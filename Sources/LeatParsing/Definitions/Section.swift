/// A section of a configuration as it was written: a heading and its keys, in order.
///
/// Both formats (classic and YAML) and the command line become sections before anything is checked.
public struct Section: Hashable, Sendable {
    /// The heading in upper case, such as `INPUT`.
    public let kind: String
    public let mark: SourceMark
    public var entries: [Entry]
    /// Filters written inside an input or output (`processors:` in YAML).
    public var processors: [Section] = []
    /// What must hold of an event for a processor to see it (`condition:` in YAML), with its rules inside in the same way.
    public var conditions: [Section] = []

    /// One key with its value; a repeated key is several entries.
    public struct Entry: Hashable, Sendable {
        /// As written; compared without case.
        public let key: String
        public let value: String
        public let keyMark: SourceMark
        public let valueMark: SourceMark

        public init(key: String, value: String, keyMark: SourceMark, valueMark: SourceMark) {
            self.key = key
            self.value = value
            self.keyMark = keyMark
            self.valueMark = valueMark
        }
    }

    public init(kind: String, mark: SourceMark, entries: [Entry] = []) {
        self.kind = kind
        self.mark = mark
        self.entries = entries
    }

    /// The last entry with this key.
    public func entry(_ key: String) -> Entry? { self.entries.last { $0.key.equalsIgnoringCase(key) } }

    /// All entries with this key, in the order in which they were written.
    public func all(_ key: String) -> [Entry] { self.entries.filter { $0.key.equalsIgnoringCase(key) } }

    /// The value of the last entry with this key.
    public func value(_ key: String) -> String? { self.entry(key)?.value }
}

extension StringProtocol {
    /// Whether two names are the same but for the case of ASCII letters.
    public func equalsIgnoringCase(_ other: some StringProtocol) -> Bool {
        self.utf8.count == other.utf8.count
            && zip(self.utf8, other.utf8).allSatisfy { left, right in
                left == right || (left | 0x20 == right | 0x20 && (left | 0x20) >= 0x61 && (left | 0x20) <= 0x7A)
            }
    }

    /// The text without white space at its ends.
    public var trimmed: String {
        let isSpace = { (scalar: Unicode.Scalar) in scalar == " " || scalar == "\t" || scalar == "\r" || scalar == "\n"
        }
        var view = Substring(self).unicodeScalars
        while let first = view.first, isSpace(first) { view.removeFirst() }
        while let last = view.last, isSpace(last) { view.removeLast() }
        return String(view)
    }
}
