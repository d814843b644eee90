import LeatCore
import LeatTesting
import Testing

@testable import LeatAgent

/// `unicode.encoding`: files of two-byte units.
@Suite struct UnicodeEncodingTests {
    /// Lines whose units hold 0x0A and 0x00 in every place.
    static let lines = [
        "error", "", "\u{0A00}\u{0A0A}\u{410A}\u{0A41}", "Größe ಅ 😀\u{1040A}", "\u{FEFF}x", "последняя",
    ]
    static let text = lines.map { $0 + "\r\n" }.joined()

    static func bytes(_ text: String, _ order: TextEncoding.ByteOrder, mark: Bool = false) -> [UInt8] {
        ((mark ? "\u{FEFF}" : "") + text).utf16.flatMap { unit in
            order == .little ? [UInt8(unit & 0xFF), UInt8(unit >> 8)] : [UInt8(unit >> 8), UInt8(unit & 0xFF)]
        }
    }

    static let files: [(name: String, bytes: [UInt8])] = [
        ("UTF-16LE", bytes(text, .little)), ("utf16-le", bytes(text, .little, mark: true)),
        ("utf-16be", bytes(text, .big)), ("UTF16-BE", bytes(text, .big, mark: true)),
        ("auto", bytes(text, .little)), ("AUTO", bytes(text, .little, mark: true)),
        ("auto", bytes(text, .big)), ("auto", bytes(text, .big, mark: true)),
        ("auto", Array(text.utf8)), ("auto", [0xEF, 0xBB, 0xBF] + text.utf8),
    ]

    static func decoder(_ name: String) throws -> LineDecoder? {
        try TailConfiguration.options("[INPUT]\n    Name tail\n    Path x\n    Unicode.Encoding \(name)\n").decoder
    }

    private func withTail(
        _ name: String,
        _ change: (inout TailOptions) -> Void = { _ in },
        _ body: (TailWorld) throws -> Void
    ) throws {
        let decoder = try Self.decoder(name)
        try withTemporaryFolder { folder in
            let world = try TailWorld(folder)
            try world.start {
                $0.decoder = decoder
                change(&$0)
            }
            defer { world.stop() }
            try body(world)
        }
    }

    /// The beginning of a file, up to every byte, is read before the rest is there; by the same run, or by an earlier one.
    @Test(arguments: files, [false, true])
    func aCutAnywhereChangesNothing(file: (name: String, bytes: [UInt8]), restarts: Bool) throws {
        try self.withTail(file.name) { world in
            let cuts = 0...file.bytes.count
            for cut in cuts { try world.append(Array(file.bytes[..<cut]), to: "\(cut).log") }
            world.pass()
            let decoder = try #require(world.input).options.decoder
            if restarts { try world.start { $0.decoder = decoder } }
            for cut in cuts { try world.append(Array(file.bytes[cut...]), to: "\(cut).log") }
            world.pass(.seconds(2))
            #expect(Set(world.counts.keys) == Set(Self.lines))
            #expect(world.counts.values.allSatisfy { $0 == cuts.count })
            #expect(world.counters.invalidTexts == 0)
        }
    }

    @Test
    func aFileThatComesByteByByteIsReadAllTheSame() throws {
        try self.withTail("UTF-16BE", { $0.form.offsetKey = "at" }) { world in
            for byte in Self.bytes("a\nб\n😀\n", .big, mark: true) {
                try world.append([byte], to: "a.log")
                world.pass(.milliseconds(50))
            }
            #expect(world.records == [#""log":"a","at":0"#, #""log":"б","at":6"#, #""log":"😀","at":10"#])
        }
    }

    static let invalid: [(bytes: String, text: String)] = [
        ("3DD84100", "\u{FFFD}A"), ("00DC4100", "\u{FFFD}A"), ("41003DD83DD800DE", "A\u{FFFD}😀"),
        ("41003DD8", "A\u{FFFD}"),
    ]

    @Test(arguments: invalid)
    func halfAPairIsReplacedMarkedAndCounted(bytes: String, text: String) throws {
        try self.withTail("UTF-16LE") { world in
            try world.append([UInt8](hex: bytes) + Self.bytes("\nnext\n", .little), to: "a.log")
            world.pass()
            #expect(world.records == [#""log":"\#(text)","_invalid_utf8":true"#, #""log":"next""#])
            #expect(world.counters.invalidTexts == 1)
        }
    }

    /// Longer than the reader's buffer, so that the line is skipped in pieces, and with half a unit and half a newline at
    /// their ends.
    @Test(arguments: [TextEncoding.ByteOrder.little, .big], [300_000, 300_001, 300_003])
    func aLongLineIsCutBetweenUnits(order: TextEncoding.ByteOrder, limit: Int) throws {
        let change: (inout TailOptions) -> Void = { $0.form.lineByteCountMax = limit }
        try self.withTail(order == .little ? "UTF-16LE" : "UTF-16BE", change) { world in
            let bytes = Self.bytes("short\n" + String(repeating: "я", count: 400_000) + "\nnext\n", order)
            // The second piece ends in the middle of the newline.
            for piece in [bytes[..<700_003], bytes[700_003..<800_013], bytes[800_013...]] {
                try world.append(Array(piece), to: "a.log")
                world.pass()
            }
            #expect(world.texts.map(\.count) == [5, limit / 2, 4] && world.texts.last == "next")
            #expect(world.records[1].hasSuffix(#"я","_truncated":true"#))
            #expect(world.counters.longLinesCut == 1 && world.counters.invalidTexts == 0)
        }
    }

    @Test
    func theLastLineOfAFileNeedsNoNewline() throws {
        try withTemporaryFolder { folder in
            let world = try TailWorld(folder)
            let decoder = try Self.decoder("auto")
            try world.append(Self.bytes("one\nzwölf", .little, mark: true), to: "a.log")
            try world.append(Self.bytes("é", .big, mark: true), to: "b.log")
            try world.start { options in
                options.exitsAtEnd = true
                options.decoder = decoder
            }
            defer { world.stop() }
            world.pass()
            #expect(world.counts == ["one": 1, "zwölf": 1, "é": 1])
        }
    }

    /// Where an earlier run, which took the bytes for UTF-8, stood behind half a newline, or the writer has written half a
    /// unit.
    @Test
    func aLineAtAnOddOffsetBeginsWithItsFirstWholeUnit() throws {
        try withTemporaryFolder { folder in
            let world = try TailWorld(folder)
            let decoder = try Self.decoder("UTF-16LE")
            let bytes = Self.bytes("old\nnew\nnewer\n", .little)
            try world.append(Array(bytes[..<7]), to: "a.log")
            try world.start {
                $0.readsFromHead = false
                $0.decoder = decoder
            }
            defer { world.stop() }
            world.pass()
            try world.append(Array(bytes[7...]), to: "a.log")
            world.pass()
            #expect(world.texts == ["new", "newer"] && world.counters.invalidTexts == 0)
        }
    }

    /// `truncate` under a writer that goes on at its old offset leaves zeros, of which the last may belong to a letter.
    @Test(arguments: ["UTF-16LE", "UTF-16BE", "auto"], [false, true])
    func aHoleBeforeTheFirstLineIsNoText(name: String, restarts: Bool) throws {
        let order = name == "UTF-16LE" ? TextEncoding.ByteOrder.little : .big
        try self.withTail(name) { world in
            try world.append(Self.bytes("before\n", order, mark: true), to: "a.log")
            world.pass()
            try world.truncate("a.log")
            try world.append([UInt8](repeating: 0, count: 9_000) + Self.bytes("after\n", order), to: "a.log")
            world.pass()
            let decoder = try #require(world.input).options.decoder
            if restarts { try world.start { $0.decoder = decoder } }
            try world.append(Self.bytes("later\n", order), to: "a.log")
            world.pass()
            #expect(world.texts == ["before", "after", "later"])
        }
    }

    static let beginnings: [(bytes: [UInt8], encoding: FileEncoding, isCertain: Bool)] = [
        ([], .utf8, false), ([0x61], .utf8, false), ([0xFF, 0xFE], .utf16(.little), true),
        ([0xFE, 0xFF], .utf16(.big), true), ([0x61, 0], .utf16(.little), true), ([0, 0x61], .utf16(.big), true),
        (Array("Größe".utf8), .utf8, false), (Array("Größe\n".utf8), .utf8, true),
        (Array("Gr".utf8) + [0xC3], .utf8, false),
        (bytes("錯誤\n", .little), .utf16(.little), true), (bytes("錯誤", .little), .utf16(.little), false),
        ([0xE9, 0x61, 0x3D, 0xD8, 0x0A], .utf8, true),
        ([UInt8](repeating: 0x61, count: 4_095) + [0xC3, 0xBC], .utf8, true),
    ]

    @Test(arguments: beginnings)
    func aFilesBeginningTellsItsEncoding(bytes: [UInt8], encoding: FileEncoding, isCertain: Bool) {
        let found = bytes.withUnsafeBytes { FileEncoding.detect($0) }
        #expect(found.encoding == encoding && found.isCertain == isCertain)
    }
}
