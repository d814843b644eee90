import LeatCore
import Testing

@Suite struct ByteReaderTests {
    static let encodings: [(value: UInt64, bytes: [UInt8])] = [
        (0, [0x00]),
        (127, [0x7F]),
        (128, [0x80, 0x01]),
        (300, [0xAC, 0x02]),
        (.max, [UInt8](repeating: 0xFF, count: 9) + [0x01]),
    ]

    @Test(arguments: encodings)
    func varintsHaveTheseBytes(value: UInt64, bytes: [UInt8]) {
        var encoded: [UInt8] = []
        Varint.append(value, to: &encoded)
        #expect(encoded == bytes)
        let decoded = Varint.read(from: encoded.span)
        #expect(decoded?.value == value)
        #expect(decoded?.count == bytes.count)
    }

    @Test(
        arguments: [[], [0x80], [UInt8](repeating: 0xFF, count: 10), [UInt8](repeating: 0x80, count: 11)] as [[UInt8]]
    )
    func brokenVarintsAreRefused(bytes: [UInt8]) {
        #expect(Varint.read(from: bytes.span) == nil)
    }

    @Test(arguments: [0, -1, 1, -2, 2, .min, .max] as [Int64])
    func zigzagComesBack(value: Int64) {
        #expect(Varint.unzigzag(Varint.zigzag(value)) == value)
    }

    @Test func whatIsWrittenIsRead() throws {
        var writer = ByteWriter()
        writer.write(UInt8(7))
        writer.write(UInt32(0))
        writer.write(Int64(-5))
        writer.writeVarint(300)
        writer.writeString("héllo")
        writer.overwrite(UInt32(0xDEAD_BEEF), at: 1)
        try writer.bytes.withUnsafeBytes { bytes in
            var reader = ByteReader(bytes)
            let small = try reader.uint8()
            let large = try reader.uint32()
            let negative = try reader.int64()
            let varint = try reader.varint()
            let text = try reader.string().text
            #expect((small, large) == (7, 0xDEAD_BEEF))
            #expect((negative, varint, text) == (-5, 300, "héllo"))
            #expect(reader.isAtEnd)
            #expect(throws: ByteReaderError(offset: bytes.count, reason: "2 bytes needed, 0 left")) {
                try reader.uint16()
            }
        }
    }

    @Test func lengthsBeyondTheBytesAreRefused() {
        [UInt8](arrayLiteral: 0xFF, 0xFF, 0x7F, 1).withUnsafeBytes { bytes in
            var reader = ByteReader(bytes)
            #expect(throws: ByteReaderError(offset: 0, reason: "a count of 2097151, at most 4 can be")) {
                try reader.string()
            }
            #expect(reader.offset == 0)
        }
    }
}
