/// `\b` at the beginning or end of a regular expression, beside a letter, digit or `_` of the expression itself.
///
/// There it asks that the byte beyond is none of these, or that the text ends. An automaton can take that byte instead of
/// looking at it, as nobody asks it where a match lies. Anywhere else `\b` is left to PCRE2.
struct WordBorders {
    private(set) var isAtStart = false
    private(set) var isAtEnd = false
    /// The expression without them.
    private(set) var rest: String

    init(_ pattern: String) {
        var bytes = Array(pattern.utf8)[...]
        self.rest = pattern
        // A branch would end before the border does.
        guard !bytes.contains(UInt8(ascii: "|")) else { return }
        if bytes.starts(with: Self.border), Self.beginsWithLetter(bytes.dropFirst(2)) {
            self.isAtStart = true
            bytes = bytes.dropFirst(2)
        }
        if bytes.suffix(2).elementsEqual(Self.border), Self.endsWithLetter(bytes.dropLast(2)) {
            self.isAtEnd = true
            bytes = bytes.dropLast(2)
        }
        self.rest = String(decoding: bytes, as: UTF8.self)
    }

    /// The tree of the whole expression, from that of the rest.
    func around(_ node: AutomatonNode) -> AutomatonNode {
        let beyond = AutomatonNode.bytes(Self.otherBytes)
        return .sequence(
            (self.isAtStart ? [.either([.start, beyond])] : []) + [node]
                + (self.isAtEnd ? [.either([beyond, .endOfText])] : [])
        )
    }

    private static let border = Array("\\b".utf8)

    private static let otherBytes: ByteSet = {
        var set = ByteSet()
        for byte in UInt8.min...UInt8.max where !Self.isLetter(byte) { set.insert(byte) }
        return set
    }()

    private static func isLetter(_ byte: UInt8) -> Bool {
        (byte | 0x20) &- UInt8(ascii: "a") < 26 || byte &- UInt8(ascii: "0") < 10 || byte == UInt8(ascii: "_")
    }

    /// Whether the first thing is a letter that must be there.
    private static func beginsWithLetter(_ bytes: ArraySlice<UInt8>) -> Bool {
        guard let first = bytes.first, Self.isLetter(first) else { return false }
        return bytes.dropFirst().first.map { !"?*{".utf8.contains($0) } ?? true
    }

    /// Whether the last thing is a letter, and not the end of an escape such as `\x2e`.
    private static func endsWithLetter(_ bytes: ArraySlice<UInt8>) -> Bool {
        guard let last = bytes.last, Self.isLetter(last) else { return false }
        return bytes.last { !Self.isLetter($0) } != UInt8(ascii: "\\")
    }
}
