import LeatCore
import LeatTesting
import Testing

@testable import LeatServer

/// How the bytes of a connection are cut into messages.
@Suite struct SyslogFramingTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let input: String
        let messages: [String]
        var testDescription: String { self.input.prefix(60).debugDescription }
    }

    static let cases: [Case] = [
        Case(input: "", messages: []),
        Case(input: "\n\r\n\0", messages: []),
        Case(input: "<34>one\n<34>two\r\n", messages: ["<34>one", "<34>two"]),
        Case(input: "<34>one\0<34>two\0", messages: ["<34>one", "<34>two"]),
        Case(input: "7 <34>one7 <34>two", messages: ["<34>one", "<34>two"]),
        Case(input: "8 <34>a\nb\n<34>line\n7 <34>two", messages: ["<34>a\nb", "<34>line", "<34>two"]),
        // A number that no `<` follows is the start of an old message.
        Case(input: "2023 was a year\n12 <1>counted.\n", messages: ["2023 was a year", "<1>counted."]),
        Case(input: "2023-11-14 text\n", messages: ["2023-11-14 text"]),
        Case(input: "0 <1>x\n", messages: ["0 <1>x"]),
        Case(input: "no end", messages: ["no end"]),
        Case(input: "100 <34>cut short", messages: ["<34>cut short"]),
        Case(input: "1234567890 <1>x\n", messages: ["1234567890 <1>x"]),
    ]

    @Test(arguments: cases)
    func messagesAreTheSameHoweverTheBytesCome(row: Case) {
        for step in [1, 2, 3, 7, 1_000] {
            let got = Self.messages(Array(row.input.utf8), step: step, limit: 100)
            #expect(got.map(\.text) == row.messages, "in pieces of \(step)")
            #expect(got.allSatisfy { !$0.isCut })
        }
    }

    @Test func whatIsTooLongIsCutAndTheRestSkipped() {
        let input = "<1>aaaaaaaaaaaaaaaaaaaa\n<2>b\n24 <3>" + String(repeating: "c", count: 21) + "4 <4>"
        for step in [1, 5, 1_000] {
            let got = Self.messages(Array((input + "d").utf8), step: step, limit: 10)
            #expect(got.map(\.text) == ["<1>aaaaaaa", "<2>b", "<3>ccccccc", "<4>d"], "in pieces of \(step)")
            #expect(got.map(\.isCut) == [true, false, true, false])
        }
    }

    static func messages(_ bytes: [UInt8], step: Int, limit: Int) -> [(text: String, isCut: Bool)] {
        var framing = SyslogFraming(byteCountMax: limit)
        var got: [(text: String, isCut: Bool)] = []
        let take: (UnsafeRawBufferPointer, Bool) -> Void = { got.append((String(decoding: $0, as: UTF8.self), $1)) }
        var at = 0
        while at < bytes.count {
            let end = min(at + step, bytes.count)
            bytes[at..<end].withUnsafeBytes { framing.consume($0, take) }
            at = end
        }
        framing.finish(take)
        return got
    }
}
