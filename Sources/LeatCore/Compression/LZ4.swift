internal import CLz4

/// LZ4 blocks: for bytes that are written once and seldom read.
public enum LZ4 {
    /// The most bytes that one block can hold.
    public static let byteCountMax = Int(LZ4_MAX_INPUT_SIZE)

    /// The bytes compressed; `nil` when that gains nothing.
    ///
    /// A greater `acceleration` (from 1) looks at fewer places for repetitions: faster, and larger.
    public static func compress(_ bytes: UnsafeRawBufferPointer, acceleration: Int = 1) -> ByteSlice? {
        guard !bytes.isEmpty, bytes.count <= Self.byteCountMax else { return nil }
        // A result that is not smaller is of no use, so that no more room than this is needed.
        let target = ByteStorage(byteCount: bytes.count)
        let count = LZ4_compress_fast(
            bytes.baseAddress?.assumingMemoryBound(to: CChar.self),
            target.bytes.baseAddress?.assumingMemoryBound(to: CChar.self),
            Int32(bytes.count),
            Int32(bytes.count - 1),
            Int32(acceleration)
        )
        guard count > 0 else { return nil }
        return ByteSlice(UnsafeRawBufferPointer(rebasing: target.bytes[..<Int(count)]), owner: target)
    }

    /// Expands a block into `target`, which must have exactly the size of the original.
    public static func expand(
        _ bytes: UnsafeRawBufferPointer,
        into target: UnsafeMutableRawBufferPointer
    ) throws(CompressionError) {
        guard bytes.count <= Int32.max, target.count <= Int32.max else { throw .damaged(format: "LZ4") }
        let count = LZ4_decompress_safe(
            bytes.baseAddress?.assumingMemoryBound(to: CChar.self),
            target.baseAddress?.assumingMemoryBound(to: CChar.self),
            Int32(bytes.count),
            Int32(target.count)
        )
        guard Int(count) == target.count else { throw .damaged(format: "LZ4") }
    }

    /// Expands a file in LZ4's frame format, as the `lz4` program writes it; several frames may follow one another.
    public static func expandFrames(
        _ bytes: UnsafeRawBufferPointer,
        byteCountMax: Int
    ) throws(CompressionError) -> [UInt8] {
        var result: [UInt8] = []
        var isTooLarge = false
        try Self.expandFrames(bytes) { piece in
            isTooLarge = result.count + piece.count > byteCountMax
            if !isTooLarge { result.append(contentsOf: piece) }
            return !isTooLarge
        }
        if isTooLarge { throw .tooLarge(byteCountMax: byteCountMax) }
        return result
    }

    /// Expands frames and hands the results to `body` in pieces, which are valid only during the call; `body` returns
    /// whether to go on.
    public static func expandFrames(
        _ bytes: UnsafeRawBufferPointer,
        _ body: (UnsafeRawBufferPointer) -> Bool
    ) throws(CompressionError) {
        var context: OpaquePointer?
        guard LZ4F_isError(LZ4F_createDecompressionContext(&context, UInt32(LZ4F_VERSION))) == 0, let context else {
            preconditionFailure("out of memory")
        }
        defer { LZ4F_freeDecompressionContext(context) }
        var piece = [UInt8](repeating: 0, count: 1 << 18)
        var rest = bytes
        var wanted = 1
        while !rest.isEmpty {
            var written = piece.count
            var taken = rest.count
            wanted = LZ4F_decompress(context, &piece, &written, rest.baseAddress, &taken, nil)
            guard LZ4F_isError(wanted) == 0, taken > 0 || written > 0 else { throw .damaged(format: "LZ4") }
            let isWanted = piece.withUnsafeBytes { body(UnsafeRawBufferPointer(rebasing: $0[..<written])) }
            if !isWanted { return }
            rest = UnsafeRawBufferPointer(rebasing: rest[taken...])
        }
        guard wanted == 0 || bytes.isEmpty else { throw .damaged(format: "LZ4") }
    }
}
