import LeatCore
import Testing

@testable import LeatShell

@Suite struct KeyDecoderTests {
    static let sequences: [(bytes: String, keys: [Key])] = [
        ("a", [.character("a")]),
        ("ä€😀", [.character("ä"), .character("€"), .character("😀")]),
        ("\r", [.enter]),
        ("\n", [.newline]),
        ("\u{1B}\r", [.newline]),
        ("\t\u{1B}[Z", [.tab, .backTab]),
        ("\u{1}\u{5}\u{12}", [.control("a"), .control("e"), .control("r")]),
        ("\u{1B}[A\u{1B}OB\u{1B}[C\u{1B}[D", [.up, .down, .right, .left]),
        ("\u{1B}[1;5C\u{1B}[1;5D", [.wordRight, .wordLeft]),
        ("\u{1B}[H\u{1B}[4~\u{1B}[3~", [.home, .end, .delete]),
        ("\u{1B}b\u{1B}f", [.alt("b"), .alt("f")]),
        ("\u{7F}", [.backspace]),
        ("\u{1B}\u{7F}", [.deleteWord]),
        ("\u{1B}[200~a | b\r\nc\u{1B}[201~x", [.paste("a | b\r\nc"), .character("x")]),
        ("\u{1B}[99;99;99u", [.unknown]),
    ]

    @Test(arguments: sequences)
    func decodes(bytes: String, keys: [Key]) {
        var whole = KeyDecoder()
        #expect(whole.add(bytes.utf8) == keys)
        var split = KeyDecoder()
        #expect(bytes.utf8.flatMap { split.add([$0]) } == keys, "byte by byte")
    }

    @Test func loneEscapeIsAKeyOnlyWhenNothingFollows() {
        var decoder = KeyDecoder()
        #expect(decoder.add([0x1B]) == [])
        #expect(decoder.isWaiting)
        #expect(decoder.flush() == [.escape])
        #expect(!decoder.isWaiting)
    }

    @Test func anyBytesAreSurvived() {
        var random = SeededRandom(seed: 3)
        var decoder = KeyDecoder()
        for _ in 0..<20_000 {
            _ = decoder.add(
                (0..<Int.random(in: 1...5, using: &random)).map { _ in UInt8.random(in: 0...255, using: &random) }
            )
            if Bool.random(using: &random) { _ = decoder.flush() }
        }
        _ = decoder.add("\u{1B}[201~".utf8)
        _ = decoder.flush()
        #expect(decoder.add("z".utf8).last == .character("z"))
    }
}
