import LeatCore
import LeatTesting
import Testing

@testable import LeatAgent

/// `generic.encoding`: files in encodings that contain ASCII.
@Suite struct GenericEncodingTests {
    /// A text of each encoding, as Python's codec of the code page writes it, and as it stands in JSON.
    static let texts: [(name: String, bytes: String, json: String)] = [
        ("ShiftJIS", "83478389815B814690DA91B182C98EB8947320B6C587405C7E", #"エラー：接続に失敗 ｶﾅ①\\~"#),
        ("UHC", "BFC0B7F93A20BFACB0E120BDC7C6D0208C63B9E6B0A2C7CF", "오류: 연결 실패 똠방각하"),
        ("GBK", "B4EDCEF3A3BAC1ACBDD3CAA7B0DC", "错误：连接失败"),
        ("GB18030", "B4EDCEF3A3BA9439FC36A2E3", "错误：😀€"),
        ("Big5", "BFF9BB7EA147B373BD75A5A2B1D1", "錯誤：連線失敗"),
        ("Win866", "8EE8A8A1AAA020FC31", "Ошибка №1"),
        ("Win874", "A2E9CDBCD4B4BEC5D2B480", "ข้อผิดพลาด€"),
        ("Win1250", "43687962613A209E6C759D6F75E86BFD206BF9F2", "Chyba: žluťoučký kůň"),
        ("Win1251", "CEF8E8E1EAE020B93120ABB8BB", "Ошибка №1 «ё»"),
        ("Win1252", "4665686C65723A204772F6DF652035208020937894", "Fehler: Größe 5 € “x”"),
        ("Win1253", "D3F6DCEBECE13A20DCE3EDF9F3F4EF", "Σφάλμα: άγνωστο"),
        ("Win1254", "486174613A20FDF0FEDD", "Hata: ığşİ"),
        // Vowel signs stay characters of their own.
        ("Win1255", "F9C8D1E2", "\u{5E9}\u{5B8}\u{5C1}\u{5D2}"),
        ("Win1256", "CED8C33A20DBEDD120E3DAD1E6DD", "خطأ: غير معروف"),
        ("Win1257", "4B6C616964613A20E0E8E6EBE1F0F8FBFE", "Klaida: ąčęėįšųūž"),
        ("Win1258", "4CF4DE69", "L\u{F4}\u{303}i"),
    ]

    /// Bytes that mean nothing, with the text that is left of them.
    static let invalid: [(name: String, bytes: String, text: String)] = [
        ("Win1252", "618162", "a\u{FFFD}b"),
        ("Win1253", "D3D2", "Σ\u{FFFD}"),
        // A first byte takes no ASCII with it, and a second one that belongs to no character.
        ("ShiftJIS", "6181206282A0", "a\u{FFFD} bあ"),
        ("ShiftJIS", "81AD82A0", "\u{FFFD}あ"),
        ("ShiftJIS", "82A083", "あ\u{FFFD}"),
        ("GBK", "FFB4ED", "\u{FFFD}错"),
        ("GB18030", "B4ED8130", "错\u{FFFD}0"),
        ("Big5", "FFBFF9", "\u{FFFD}錯"),
        ("UHC", "BFC0FF", "오\u{FFFD}"),
    ]

    private func withTail(_ name: String, _ lineByteCountMax: Int? = nil, _ body: (TailWorld) throws -> Void) throws {
        let text = "[INPUT]\n    Name tail\n    Path x\n    Generic.Encoding \(name)\n"
        let options = try TailConfiguration.options(text)
        try withTemporaryFolder { folder in
            let world = try TailWorld(folder)
            try world.start {
                $0.decoder = options.decoder
                $0.form.offsetKey = "at"
                if let lineByteCountMax { $0.form.lineByteCountMax = lineByteCountMax }
            }
            defer { world.stop() }
            try body(world)
        }
    }

    @Test(arguments: texts)
    func linesBecomeUTF8AndOffsetsStay(name: String, bytes: String, json: String) throws {
        let line = [UInt8](hex: bytes)
        try self.withTail(name.uppercased()) { world in
            try world.append(line + [UInt8](hex: "0D0A") + Array("x\n".utf8) + line + [UInt8](hex: "0A"), to: "a.log")
            world.pass()
            let expected = [
                #""log":"\#(json)","at":0"#, #""log":"x","at":\#(line.count + 2)"#,
                #""log":"\#(json)","at":\#(line.count + 4)"#,
            ]
            // Texts that differ only in how accents are written are equal to Swift.
            #expect(world.records.map { Array($0.utf8) } == expected.map { Array($0.utf8) })
            #expect(world.counters.invalidTexts == 0)
        }
    }

    @Test(arguments: invalid)
    func whatMeansNothingIsReplacedMarkedAndCounted(name: String, bytes: String, text: String) throws {
        try self.withTail(name) { world in
            try world.append([UInt8](hex: bytes) + [UInt8](hex: "0A") + Array("next\n".utf8), to: "a.log")
            world.pass()
            let first = #""log":"\#(text)","_invalid_utf8":true,"at":0"#
            #expect(world.records == [first, #""log":"next","at":\#(bytes.utf8.count / 2 + 1)"#])
            #expect(world.counters.invalidTexts == 1)
        }
    }

    @Test
    func aLongLineIsCutBetweenCharacters() throws {
        try self.withTail("ShiftJIS", 5) { world in
            try world.append([UInt8](hex: "82A082A082A082A00A82A00A"), to: "a.log")
            world.pass()
            #expect(world.records == [#""log":"ああ","_truncated":true,"at":0"#, #""log":"あ","at":9"#])
            #expect(world.counters.invalidTexts == 0 && world.counters.longLinesCut == 1)
        }
    }

    /// A file read in pieces, with a restart between them.
    @Test
    func aCutAnywhereChangesNothing() throws {
        let bytes = [UInt8](hex: "82A05C0A83478389815B0AB6C50A")
        try self.withTail("cp932") { world in
            for cut in 0...bytes.count { try world.append(Array(bytes[..<cut]), to: "\(cut).log") }
            world.pass()
            let decoder = try #require(world.input).options.decoder
            try world.start { $0.decoder = decoder }
            for cut in 0...bytes.count { try world.append(Array(bytes[cut...]), to: "\(cut).log") }
            world.pass()
            #expect(world.counts == [#"あ\\"#: 15, "エラー": 15, "ｶﾅ": 15])
        }
    }

    @Test
    func parsersAndMultilineRulesSeeTheText() throws {
        try withTemporaryFolder { folder in
            try folder.write("a.log", [UInt8](hex: "836783890A20836783890A82A00A"))
            try folder.write(
                "parsers.conf",
                """
                [MULTILINE_PARSER]
                    Name indented
                    Type regex
                    Rule "start_state" "/^[トあ]/" "more"
                    Rule "more" "/^ トラ/" "more"
                """
            )
            let world = try AgentWorld(folder)
            try world.start(
                """
                [SERVICE]
                    Flush 0.01
                    Parsers_File \(folder.path("parsers.conf"))
                [INPUT]
                    Name tail
                    Path \(folder.path("a.log"))
                    Read_From_Head On
                    Exit_On_EOF On
                    Generic.Encoding ShiftJIS
                    multiline.parser indented
                [OUTPUT]
                    Name file
                    Match *
                    Path \(folder.path)
                    File out
                    Format plain
                """
            )
            #expect(try world.lines("out", count: 2) == [#"{"log":"トラ\n トラ"}"#, #"{"log":"あ"}"#])
        }
    }

    static let refused: [(keys: String, message: String, hint: String)] = [
        ("Generic.Encoding ShiftJS", "unknown encoding 'ShiftJS'", "did you mean 'ShiftJIS'?"),
        ("Generic.Encoding latin", "unknown encoding 'latin'", "known are ShiftJIS, UHC, GBK"),
        ("Generic.Encoding UTF-16LE", "unknown encoding 'UTF-16LE'", "known are"),
        ("Unicode.Encoding ShiftJIS", "unknown encoding 'ShiftJIS'", "known are UTF-16LE, UTF-16BE, auto"),
        ("Unicode.Encoding auto\n    Generic.Encoding GBK", "cannot both be set", "an input each"),
    ]

    @Test(arguments: refused)
    func anUnknownEncodingIsRefused(keys: String, message: String, hint: String) {
        let error = #expect(throws: Diagnostics.self) {
            try TailConfiguration.options("[INPUT]\n    Name tail\n    Path x\n    \(keys)\n")
        }
        #expect(error?.all.first?.message.contains(message) == true)
        #expect(error?.all.first?.hint?.contains(hint) == true)
    }

    @Test
    func aConversionThatIsNotInstalledIsNone() {
        #expect(LineDecoder(.multiByte("no-such-page")) == nil && LineDecoder(.singleByte("no-such-page")) == nil)
    }

    static let names = [
        "cp932", "windows-31j", "SJIS", "Cp949", "windows-949", "CP936", "cp950", "cp866", "WINDOWS-874",
    ]

    @Test(arguments: names + (1250...1258).flatMap { ["cp\($0)", "Windows-\($0)", "WIN\($0)"] })
    func codePagesHaveTheirUsualNames(name: String) throws {
        let encoding = try #require(TextEncoding.named(name, among: TextEncoding.generic))
        #expect(LineDecoder(encoding) != nil)
    }
}

extension [UInt8] {
    /// The bytes of hexadecimal digits.
    init(hex: String) {
        let digits = hex.utf8.map { UInt8($0 > 0x40 ? $0 - 0x37 : $0 - 0x30) }
        self = stride(from: 0, to: digits.count - 1, by: 2).map { digits[$0] << 4 | digits[$0 + 1] }
    }
}
