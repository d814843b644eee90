import LeatCore
import Testing

@Suite struct CompressionTests {
    static func text(_ count: Int, seed: UInt64) -> [UInt8] {
        var random = SeededRandom(seed: seed)
        let words = ["error", "timeout", "user=17", " ", "\n", "status=200", "é", "\u{0}"]
        var bytes: [UInt8] = []
        while bytes.count < count { bytes += Array((words.randomElement(using: &random) ?? "").utf8) }
        return Array(bytes.prefix(count))
    }

    static let sizes = [0, 1, 63, 1000, 70_000, 300_000]

    @Test(arguments: sizes) func everythingComesBack(count: Int) throws {
        let bytes = Self.text(count, seed: 1)
        let lz4 = bytes.withUnsafeBytes { LZ4.compress($0) }
        if let lz4 {
            let storage = ByteStorage(byteCount: count)
            try lz4.withUnsafeBytes { source in
                try LZ4.expand(source, into: storage.bytes)
            }
            #expect(Array(storage.bytes) == bytes)
        }
        let zstd = bytes.withUnsafeBytes { Zstandard.compress($0, level: 3) }
        let back = try zstd.withUnsafeBytes { source in
            try Zstandard.expand(source, byteCountMax: count)
        }
        #expect(back == bytes)
        let gzip = bytes.withUnsafeBytes { Deflate.gzip($0) }
        let inflated = try gzip.withUnsafeBytes { source in
            try Deflate.expand(source, .gzip, byteCountMax: count)
        }
        #expect(inflated == bytes)
    }

    @Test func severalMembersAndFramesAreOneText() throws {
        let parts = [Self.text(5000, seed: 2), Self.text(90_000, seed: 3), []]
        let gzip = parts.flatMap { $0.withUnsafeBytes { Deflate.gzip($0) } }
        let inflated = try gzip.withUnsafeBytes { source in
            try Deflate.expand(source, .gzip, byteCountMax: 1 << 20)
        }
        #expect(inflated == parts.flatMap { $0 })
        let zstd = parts.flatMap { $0.withUnsafeBytes { Zstandard.compress($0) } }
        let expanded = try zstd.withUnsafeBytes { source in
            try Zstandard.expand(source, byteCountMax: 1 << 20)
        }
        #expect(expanded == parts.flatMap { $0 })
    }

    @Test func aBombStopsAtItsLimit() {
        let zeros = [UInt8](repeating: 0, count: 20_000_000)
        let gzip = zeros.withUnsafeBytes { Deflate.gzip($0) }
        #expect(throws: CompressionError.tooLarge(byteCountMax: 1_000_000)) {
            try gzip.withUnsafeBytes { try Deflate.expand($0, .gzip, byteCountMax: 1_000_000) }
        }
        let zstd = zeros.withUnsafeBytes { Zstandard.compress($0) }
        #expect(throws: CompressionError.tooLarge(byteCountMax: 1_000_000)) {
            try zstd.withUnsafeBytes { try Zstandard.expand($0, byteCountMax: 1_000_000) }
        }
    }

    @Test func aStreamInPiecesGivesTheSameBytes() throws {
        let bytes = Self.text(400_000, seed: 4)
        let gzip = bytes.withUnsafeBytes { Deflate.gzip($0) } + bytes.withUnsafeBytes { Deflate.gzip($0) }
        for step in [1, 7, 4096, 1 << 20] where step > 1 || gzip.count < 100_000 {
            let stream = GzipStream()
            var result: [UInt8] = []
            for start in stride(from: 0, to: gzip.count, by: step) {
                try gzip[start..<min(start + step, gzip.count)].withUnsafeBytes { piece in
                    try stream.expand(piece) {
                        result += $0
                        return true
                    }
                }
            }
            #expect(result == bytes + bytes)
            #expect(stream.isComplete)
        }
    }

    /// Cut anywhere and with any byte flipped: an error or other bytes, never a trap.
    @Test func damageIsAnErrorOrOtherBytes() {
        let bytes = Self.text(600, seed: 5)
        let limit = 1 << 16
        let forms: [[UInt8]] = [
            bytes.withUnsafeBytes { Deflate.gzip($0) }, bytes.withUnsafeBytes { Zstandard.compress($0) },
        ]
        for (form, whole) in forms.enumerated() {
            for cut in 0..<whole.count { #expect(Self.expand(Array(whole[..<cut]), form, limit) != bytes) }
            for index in whole.indices {
                var flipped = whole
                flipped[index] ^= 0x41
                _ = Self.expand(flipped, form, limit)
            }
        }
    }

    static func expand(_ bytes: [UInt8], _ form: Int, _ limit: Int) -> [UInt8]? {
        bytes.withUnsafeBytes { source in
            do throws(CompressionError) {
                return form == 0
                    ? try Deflate.expand(source, .gzip, byteCountMax: limit)
                    : try Zstandard.expand(source, byteCountMax: limit)
            } catch {
                return nil
            }
        }
    }
}
