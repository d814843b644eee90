import LeatCore
import LeatParsing
import LeatTesting
import Testing

@testable import LeatAgent

struct MessagePackTests {
    static let values: [(json: String, bytes: [UInt8])] = [
        ("null", [0xC0]), ("true", [0xC3]), ("false", [0xC2]), ("0", [0x00]), ("127", [0x7F]), ("128", [0xCC, 0x80]),
        ("256", [0xCD, 0x01, 0x00]), ("65536", [0xCE, 0, 1, 0, 0]), ("-1", [0xFF]), ("-32", [0xE0]),
        ("-33", [0xD3, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xDF]),
        ("4294967296", [0xCF, 0, 0, 0, 1, 0, 0, 0, 0]),
        ("18446744073709551615", [0xCF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF]),
        ("1.5", [0xCB, 0x3F, 0xF8, 0, 0, 0, 0, 0, 0]), (#""""#, [0xA0]), (#""a\"b""#, [0xA3, 0x61, 0x22, 0x62]),
        ("[]", [0x90]), ("[1,[2]]", [0x92, 0x01, 0x91, 0x02]), ("{}", [0x80]),
        (#"{"a":{"b":[]}}"#, [0x81, 0xA1, 0x61, 0x81, 0xA1, 0x62, 0x90]),
    ]

    private static func encoded(_ json: String) -> [UInt8] {
        var bytes: [UInt8] = []
        ByteSlice(json).withUnsafeBytes { MessagePackWriter.append(json: $0, to: &bytes) }
        return bytes
    }

    private static func decoded(_ bytes: [UInt8]) throws -> String {
        var json: [UInt8] = []
        try ByteSlice(bytes).withUnsafeBytes { bytes throws(MessagePackReader.Failure) in
            var reader = MessagePackReader(bytes)
            try reader.appendJSON(to: &json)
            if !reader.isAtEnd { throw .malformed("bytes are left") }
        }
        return String(decoding: json, as: UTF8.self)
    }

    @Test(arguments: values)
    func valuesHaveTheseBytes(json: String, bytes: [UInt8]) throws {
        #expect(Self.encoded(json) == bytes)
        #expect(try Self.decoded(bytes) == json)
    }

    @Test(arguments: [31, 32, 255, 256, 65_535, 65_536])
    func longTextsComeBack(count: Int) throws {
        let json = "\"" + String(repeating: "x", count: count) + "\""
        #expect(try Self.decoded(Self.encoded(json)) == json)
    }

    @Test
    func manyMembersComeBack() throws {
        for count in [15, 16, 70_000] {
            let json = "{" + (0..<count).map { "\"k\($0)\":\($0)" }.joined(separator: ",") + "}"
            #expect(try Self.decoded(Self.encoded(json)) == json)
        }
    }

    @Test
    func otherSendersFormsAreRead() throws {
        #expect(try Self.decoded([0xCA, 0x3F, 0xC0, 0, 0]) == "1.5")
        #expect(try Self.decoded([0xD0, 0x80]) == "-128")
        #expect(try Self.decoded([0xD1, 0xFF, 0x00]) == "-256")
        #expect(try Self.decoded([0xD2, 0xFF, 0xFF, 0xFF, 0xFE]) == "-2")
        #expect(try Self.decoded([0xC4, 0x02, 0xFF, 0x41]) == "\"\u{FFFD}A\"")
        #expect(try Self.decoded([0x81, 0x01, 0xC0]) == #"{"1":null}"#)
        #expect(try Self.decoded([0xD4, 0x05, 0xAB]) == "\"ab\"")
    }

    @Test
    func everyPrefixIsIncomplete() {
        let whole = Self.encoded(
            #"{"a":[1,300,-70000,1.25,"text",{"b":null}],"long":"0123456789012345678901234567890123456789"}"#
        )
        for count in 0..<whole.count {
            #expect(throws: MessagePackReader.Failure.incomplete) { try Self.decoded(Array(whole[..<count])) }
            ByteSlice(Array(whole[..<count])).withUnsafeBytes { bytes in
                var reader = MessagePackReader(bytes)
                #expect(throws: MessagePackReader.Failure.incomplete) { () throws(MessagePackReader.Failure) in
                    try reader.skip()
                }
            }
        }
    }

    @Test
    func nonsenseNeverTraps() {
        var random = SeededRandom(seed: 5)
        for _ in 0..<5_000 {
            let bytes = (0..<Int.random(in: 1...40, using: &random)).map { _ in
                UInt8.random(in: 0...255, using: &random)
            }
            _ = try? Self.decoded(bytes)
        }
        #expect(throws: (any Error).self) { try Self.decoded([UInt8](repeating: 0x91, count: 10_000)) }
        #expect(throws: (any Error).self) { try Self.decoded([0xDD, 0xFF, 0xFF, 0xFF, 0xFF]) }
    }
}
