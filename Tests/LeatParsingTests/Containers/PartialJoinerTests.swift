import LeatCore
import LeatParsing
import Testing

struct PartialJoinerTests {
    /// What a joiner handed out, as values that can be compared.
    struct Joined: Hashable {
        var text: String
        var offset: UInt64
        var parts: Int
        var isTruncated = false
    }

    private func add(
        _ text: String,
        _ stream: LogStream = .stdout,
        partial: Bool,
        offset: UInt64,
        to joiner: inout PartialJoiner
    ) -> Joined? {
        var result: Joined?
        let bytes = ByteSlice(text)
        joiner.add(bytes.unsafeBytes, stream: stream, isPartial: partial, nanoseconds: 1, offset: offset) {
            line,
            joined in
            result = Joined(
                text: String(decoding: joined, as: UTF8.self),
                offset: line.offset,
                parts: line.partCount,
                isTruncated: line.isTruncated
            )
        }
        return result
    }

    @Test
    func streamsAreJoinedApart() {
        var joiner = PartialJoiner(.text, byteCountMax: 100)
        #expect(self.add("a", partial: true, offset: 0, to: &joiner) == nil)
        #expect(self.add("x", .stderr, partial: true, offset: 10, to: &joiner) == nil)
        #expect(joiner.unfinishedOffset(of: .stdout) == 0)
        #expect(joiner.unfinishedOffset(of: .stderr) == 10)
        #expect(self.add("b", partial: false, offset: 20, to: &joiner) == Joined(text: "ab", offset: 0, parts: 2))
        #expect(joiner.unfinishedOffset(of: .stdout) == nil)
        #expect(self.add("c", partial: false, offset: 30, to: &joiner) == Joined(text: "c", offset: 30, parts: 1))
        #expect(
            self.add("y", .stderr, partial: false, offset: 40, to: &joiner) == Joined(text: "xy", offset: 10, parts: 2)
        )
        #expect(joiner.pendingByteCount == 0)
    }

    static let cuts: [(contents: PartialJoiner.Contents, parts: [String], limit: Int, expected: String)] = [
        (.text, ["abc", "def"], 4, "abcd"),
        (.text, ["abcdef"], 4, "abcd"),
        (.text, ["aä", "öb"], 4, "aä"),
        (.text, ["ab😀"], 5, "ab"),
        (.escaped, [#"ab\n\n"#], 5, #"ab\n"#),
        (.escaped, [#"a\u00e4b"#], 6, "a"),
        (.escaped, [#"a\ud83d\ude00b"#], 12, "a"),
        (.escaped, [#"a\ud83d\ude00b"#], 13, #"a\ud83d\ude00"#),
        (.escaped, [#"a\\b"#], 2, "a"),
    ]

    @Test(arguments: cuts)
    func longLinesAreCutBetweenCharacters(
        contents: PartialJoiner.Contents,
        parts: [String],
        limit: Int,
        expected: String
    ) {
        var joiner = PartialJoiner(contents, byteCountMax: limit)
        var result: Joined?
        for (number, part) in parts.enumerated() {
            result = self.add(part, partial: number + 1 < parts.count, offset: 7, to: &joiner)
        }
        #expect(result == Joined(text: expected, offset: 7, parts: parts.count, isTruncated: true))
    }

    @Test
    func anUnfinishedLineCanBeHandedOut() {
        var joiner = PartialJoiner(.text, byteCountMax: 100)
        _ = self.add("a", partial: true, offset: 5, to: &joiner)
        var texts: [String] = []
        joiner.finish(.stdout) { _, bytes in texts.append(String(decoding: bytes, as: UTF8.self)) }
        joiner.finish(.stdout) { _, _ in texts.append("twice") }
        #expect(texts == ["a"])
        #expect(joiner.unfinishedOffset(of: .stdout) == nil)
    }
}
