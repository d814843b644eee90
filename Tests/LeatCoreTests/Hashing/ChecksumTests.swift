import CLeatKernels
import LeatCore
import Testing

@Suite struct ChecksumTests {
    /// One bit at a time: the definition.
    static func plain(_ bytes: [UInt8]) -> UInt32 {
        var crc: UInt32 = .max
        for byte in bytes {
            crc ^= UInt32(byte)
            for _ in 0..<8 { crc = crc & 1 == 1 ? (crc >> 1) ^ 0x82F6_3B78 : crc >> 1 }
        }
        return ~crc
    }

    /// Values of RFC 3720, appendix B.4.
    static let known: [(bytes: [UInt8], checksum: UInt32)] = [
        ([], 0),
        ([UInt8](repeating: 0, count: 32), 0x8A91_36AA),
        ([UInt8](repeating: 0xFF, count: 32), 0x62A8_AB43),
        (Array(0..<32), 0x46DD_794E),
        (Array("123456789".utf8), 0xE306_9283),
    ]

    @Test(arguments: known.indices) func agreesWithTheStandard(index: Int) {
        #expect(Checksum.crc32c(Self.known[index].bytes) == Self.known[index].checksum)
    }

    @Test func instructionTableAndDefinitionAgreeOnRandomBytes() {
        var random = SeededRandom(seed: 5)
        for count in 0..<300 {
            let bytes = (0..<count).map { _ in UInt8.random(in: 0...255, using: &random) }
            let plain = Self.plain(bytes)
            #expect(Checksum.crc32c(bytes) == plain)
            #expect(bytes.withUnsafeBytes { leat_crc32c_portable(0, $0.baseAddress, $0.count) } == plain)
            let cut = Int.random(in: 0...count, using: &random)
            let first = Checksum.crc32c(Array(bytes[..<cut]))
            #expect(Array(bytes[cut...]).withUnsafeBytes { Checksum.crc32c($0, continuing: first) } == plain)
        }
    }
}

@Suite struct DigestTests {
    @Test func canonicalFormsAgreeWithTheReferenceImplementation() {
        let empty = UnsafeRawBufferPointer(start: nil, count: 0)
        #expect(Digest.xxh3(empty) == 0x2D06_8005_38D3_94C2)
        #expect(Digest.xxh128(empty).description == "99aa06d3014798d86001c324468d497f")
    }

    @Test func piecesGiveTheDigestOfTheWhole() throws {
        let bytes = (0..<5000).map { UInt8(truncatingIfNeeded: $0 &* 31) }
        let stream = DigestStream()
        for start in stride(from: 0, to: bytes.count, by: 777) {
            bytes[start..<min(start + 777, bytes.count)].withUnsafeBytes { stream.update($0) }
        }
        let whole = bytes.withUnsafeBytes { Digest.xxh128($0) }
        #expect(stream.digest == whole)
        #expect(Digest128(hexadecimal: whole.description) == whole)
        #expect(Digest128(hexadecimal: "xyz") == nil)
    }
}
