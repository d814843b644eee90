internal import CLeatKernels
import LeatCore
import LeatTesting
import Testing

/// Runs the kernels at each level that the machine has; serialized because the level is one for the process.
@Suite(.serialized) struct ByteSearchTests {
    static func atEachLevel(_ body: () throws -> Void) rethrows {
        for level in [0, 1, 2] as [Int32] {
            let before = leat_kernel_level_set(level)
            defer { leat_kernel_level_set(before) }
            try body()
        }
    }

    /// Bytes of a small alphabet, so that matches are frequent, at an odd address, and of a length up to `most`.
    static func bytes(_ random: inout SeededRandom, most: Int, alphabet: String = "aAbB\n\"\\z ") -> [UInt8] {
        let letters = Array(alphabet.utf8)
        return (0..<Int.random(in: 0...most, using: &random)).map { _ in letters.randomElement(using: &random) ?? 0 }
    }

    static func findSimply(_ needle: [UInt8], in bytes: [UInt8], from start: Int) -> Int? {
        guard needle.count + start <= bytes.count else { return nil }
        return (start...bytes.count - needle.count).first { Array(bytes[$0..<$0 + needle.count]) == needle }
    }

    static func folded(_ bytes: [UInt8]) -> [UInt8] { bytes.map { $0 >= 0x41 && $0 <= 0x5A ? $0 + 0x20 : $0 } }

    @Test func searchesAgreeWithTheirTwins() {
        Self.atEachLevel {
            var random = SeededRandom(seed: 11)
            for round in 0..<(isLongRun ? 100_000 : 1200) {
                let bytes = Self.bytes(&random, most: 300)
                let needle = Self.bytes(&random, most: [1, 2, 3, 8, 20].randomElement(using: &random) ?? 1)
                let start = Int.random(in: 0...bytes.count, using: &random)
                bytes.withUnsafeBytes { area in
                    let byte = area.firstIndex(ofByte: 0x0A, from: start)
                    #expect(byte == bytes[start...].firstIndex(of: 0x0A), "round \(round)")
                    let either = area.firstIndex(ofByte: 0x7A, or: 0x22, from: start)
                    #expect(either == bytes[start...].firstIndex { $0 == 0x7A || $0 == 0x22 }, "round \(round)")
                    let count = ByteSearch.count(0x61, in: area)
                    #expect(count == bytes.filter { $0 == 0x61 }.count, "round \(round)")
                    needle.withUnsafeBytes { wanted in
                        let found = ByteSearch.find(wanted, in: area, from: start)
                        #expect(found == Self.findSimply(needle, in: bytes, from: start), "round \(round)")
                    }
                    Self.folded(needle).withUnsafeBytes { wanted in
                        let found = ByteSearch.findFoldingCase(wanted, in: area, from: start)
                        let simple = Self.findSimply(Self.folded(needle), in: Self.folded(bytes), from: start)
                        #expect(found == simple, "round \(round)")
                    }
                }
            }
        }
    }

    @Test func foldingTouchesOnlyASCIILetters() {
        Self.atEachLevel {
            for byte in UInt8.min...UInt8.max {
                let area = [UInt8](repeating: 0x20, count: 70) + [byte] + [UInt8](repeating: 0x20, count: 70)
                let wanted = Self.folded([byte])
                let found = area.withUnsafeBytes { area in
                    wanted.withUnsafeBytes { ByteSearch.findFoldingCase($0, in: area) }
                }
                #expect(found == (byte == 0x20 ? 0 : 70))
            }
        }
    }

    @Test func searchesStayWithinTheirBytes() throws {
        // The needle is there, but only behind the end.
        let bytes = Array("xxxxxxxxxxxxxxxxxxxxxxneedle".utf8)
        for end in 22..<28 {
            bytes.withUnsafeBytes { area in
                let shorter = area.slice(0..<end)
                let found = Array("needle".utf8).withUnsafeBytes { ByteSearch.find($0, in: shorter) }
                #expect(found == nil)
                #expect(shorter.firstIndex(ofByte: 0x65, from: end) == nil)
            }
        }
    }

    @Test func searchesAtTheEndOfAPageDoNotFault() throws {
        // A mapped file ends with its last page; nothing is readable behind it.
        try withTemporaryFolder { folder in
            var text = [UInt8](repeating: 0x61, count: 8192)
            text[8191] = 0x62
            let path = try folder.write("page", text)
            let slice = try PosixFileSystem(mappedByteCountMin: 1).contents(path)
            Self.atEachLevel {
                slice.withUnsafeBytes { area in
                    for start in 8100...8192 {
                        let tail = area.slice(start..<8192)
                        #expect(tail.firstIndex(ofByte: 0x62) == (tail.isEmpty ? nil : tail.count - 1))
                        let found = Array("ab".utf8).withUnsafeBytes { ByteSearch.find($0, in: tail) }
                        #expect(found == (tail.count < 2 ? nil : tail.count - 2))
                        let folded = Array("ab".utf8).withUnsafeBytes { ByteSearch.findFoldingCase($0, in: tail) }
                        #expect(folded == found)
                        #expect(ByteSearch.firstInvalidUTF8(in: tail) == nil)
                        #expect(ByteSearch.count(0x62, in: tail) == (tail.isEmpty ? 0 : 1))
                    }
                }
            }
        }
    }

    @Test func utf8IsCheckedAsTheStandardLibraryDoes() {
        var random = SeededRandom(seed: 5)
        for round in 0..<(isLongRun ? 200_000 : 4000) {
            var bytes: [UInt8] = []
            for _ in 0..<Int.random(in: 0...12, using: &random) {
                let text = ["abc", "é", "日本", "😀", String(repeating: "x", count: 60)].randomElement(using: &random)
                bytes += Array((text ?? "").utf8)
                if Int.random(in: 0..<6, using: &random) == 0 {
                    bytes.append(UInt8.random(in: 0...255, using: &random))
                }
            }
            let found = bytes.withUnsafeBytes { ByteSearch.firstInvalidUTF8(in: $0) }
            let isValid = String(validating: bytes, as: UTF8.self) != nil
            #expect((found == nil) == isValid, "round \(round)")
            if let found { #expect(String(validating: bytes[..<found], as: UTF8.self) != nil, "round \(round)") }
        }
    }

    static let boundaries: [(text: String, limit: Int, end: Int)] = [
        ("abc", 5, 3), ("abc", 2, 2), ("aé", 2, 1), ("aé", 3, 3), ("😀😀", 5, 4), ("😀", 3, 0), ("", 0, 0), ("abc", 0, 0),
    ]

    @Test(arguments: boundaries)
    func cutsFallBetweenCharacters(text: String, limit: Int, end: Int) {
        let found = Array(text.utf8).withUnsafeBytes { ByteSearch.utf8Boundary(in: $0, atMost: limit) }
        #expect(found == end)
    }

    @Test func hexDigitsAreThoseOfEachByte() {
        var random = SeededRandom(seed: 10)
        for length in 0..<40 {
            let bytes = (0..<length).map { _ in UInt8.random(in: 0...255, using: &random) }
            let expected = bytes.flatMap { byte in
                Array((byte < 16 ? "0" : "").utf8) + Array(String(byte, radix: 16).utf8)
            }
            let digits = [UInt8](unsafeUninitializedCapacity: 2 * length + 1) { target, count in
                leat_hex_digits(target.baseAddress, bytes, length)
                count = 2 * length
            }
            #expect(digits == expected)
        }
    }

    @Test func checksumsAgreeWithTheirTwinAndTheStandard() {
        var random = SeededRandom(seed: 9)
        for length in [0, 1, 7, 8, 9, 63, 64, 1000] {
            let bytes = (0..<length).map { _ in UInt8.random(in: 0...255, using: &random) }
            Self.atEachLevel {
                bytes.withUnsafeBytes { area in
                    let whole = Checksum.crc32c(area)
                    #expect(whole == leat_crc32c_portable(0, area.baseAddress, area.count))
                    let half = area.count / 2
                    let first = Checksum.crc32c(area.slice(0..<half))
                    #expect(Checksum.crc32c(area.slice(half..<area.count), continuing: first) == whole)
                }
            }
        }
        // RFC 3720, appendix B.4.
        #expect(Checksum.crc32c([UInt8](repeating: 0, count: 32)) == 0x8A91_36AA)
        #expect(Checksum.crc32c(Array("123456789".utf8)) == 0xE306_9283)
    }

    @Test func linesAreSplitAsTheStandardLibraryDoes() {
        var random = SeededRandom(seed: 21)
        for round in 0..<2000 {
            let bytes = Self.bytes(&random, most: 400, alphabet: "ab\n")
            bytes.withUnsafeBytes { area in
                var splitter = LineSplitter(area)
                var lines: [[UInt8]] = []
                while let line = splitter.next() { lines.append([UInt8](area.slice(line))) }
                lines.append([UInt8](area.slice(splitter.rest)))
                let expected = bytes.split(separator: 0x0A, omittingEmptySubsequences: false).map { Array($0) }
                #expect(lines == expected, "round \(round)")
            }
        }
    }

    @Test func theLastLineNeedsNoNewline() {
        for (text, count) in [("", 0), ("a", 1), ("a\n", 1), ("a\nb", 2), ("\n\n", 2)] {
            Array(text.utf8).withUnsafeBytes { area in
                var splitter = LineSplitter(area)
                var found = 0
                while splitter.nextOrRest() != nil { found += 1 }
                #expect(found == count, "\(text)")
            }
        }
    }
}
