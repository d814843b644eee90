import LeatCore
import Testing

struct JSONStringTests {
    /// The simple version: one byte after the other.
    static func escaped(_ text: [UInt8]) -> [UInt8] {
        text.flatMap { byte -> [UInt8] in
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"): [UInt8(ascii: "\\"), byte]
            case 0x08: Array("\\b".utf8)
            case 0x09: Array("\\t".utf8)
            case 0x0A: Array("\\n".utf8)
            case 0x0C: Array("\\f".utf8)
            case 0x0D: Array("\\r".utf8)
            case 0..<0x20:
                Array("\\u00".utf8) + Array((byte < 16 ? "0" : "").utf8) + Array(String(byte, radix: 16).utf8)
            default: [byte]
            }
        }
    }

    @Test(arguments: 0..<40)
    func escapingAgreesWithItsTwinAndComesBack(seed: Int) {
        var random = SeededRandom(seed: UInt64(seed))
        let alphabet = Array("ab\"\\\n\r\t\u{1}\u{1f}ä😀 xyz0123456789".unicodeScalars)
        for _ in 0..<100 {
            let count = Int.random(in: 0..<120, using: &random)
            var text = ""
            for _ in 0..<count { text.unicodeScalars.append(alphabet.randomElement(using: &random) ?? "x") }
            let source = Array(text.utf8)
            var target: [UInt8] = [1, 2]
            source.withUnsafeBytes { JSONWriter.append(escaped: $0, to: &target) }
            #expect(Array(target.dropFirst(2)) == Self.escaped(source))

            let quoted = Array(target.dropFirst(2)) + Array("\",x".utf8)
            var back: [UInt8] = [7]
            let end = quoted.withUnsafeBytes { JSONString.unescape($0, from: 0, to: &back) }
            #expect(Array(back.dropFirst()) == source)
            #expect(end.offset == quoted.count - 3)
            #expect(end.hasLineBreak == source.contains { $0 == 0x0A || $0 == 0x0D })
        }
    }

    static let contents: [(contents: String, text: String, end: Int)] = [
        ("", "", 0), (#"a"b"#, "a", 1), (#"\\"/x""#, "\\", 2), (#"\u00e4\u20AC""#, "ä€", 12),
        (#"\ud83d\ude00x""#, "😀x", 13),
        (#"\ud83dx"#, "\u{FFFD}x", 7), (#"\ude00\ud83d"#, "\u{FFFD}\u{FFFD}", 12), (#"a\"#, "a", 2),
        (#"\u12"#, "\u{12}", 4),
        (#"0123456789abcdef\"0123456789abcdef\u0041""#, "0123456789abcdef\"0123456789abcdefA", 40),
    ]

    @Test(arguments: contents)
    func escapesAreTakenOut(contents: String, text: String, end: Int) {
        let bytes = ByteSlice(contents)
        var target: [UInt8] = []
        let found = JSONString.unescape(bytes.unsafeBytes, from: 0, to: &target)
        #expect(String(decoding: target, as: UTF8.self) == text)
        #expect(found.offset == end)
    }

    @Test
    func anyBytesAreReadWithoutHarm() {
        var random = SeededRandom(seed: 11)
        let alphabet = Array(#"\\u"dD8c0nx"#.utf8)
        for _ in 0..<5_000 {
            let bytes = (0..<Int.random(in: 0..<60, using: &random)).map { _ in
                alphabet.randomElement(using: &random) ?? 0
            }
            var target: [UInt8] = []
            let end = bytes.withUnsafeBytes { JSONString.unescape($0, from: 0, to: &target) }
            #expect(end.offset <= bytes.count)
            #expect(target.count <= bytes.count + 3)
        }
    }
}
