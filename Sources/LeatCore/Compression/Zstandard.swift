internal import CZstd
internal import Synchronization

/// Zstandard: for bytes that stay.
public enum Zstandard {
    private static let compressors = ContextPool(create: { ZSTD_createCCtx() }, free: { _ = ZSTD_freeCCtx($0) })
    private static let expanders = ContextPool(create: { ZSTD_createDCtx() }, free: { _ = ZSTD_freeDCtx($0) })

    /// The bytes compressed, whether or not that gains anything; levels go from 1 (fast) to 19 (small).
    public static func compress(_ bytes: UnsafeRawBufferPointer, level: Int = 1) -> [UInt8] {
        let context = Self.compressors.take()
        defer { Self.compressors.put(context) }
        let bound = ZSTD_compressBound(bytes.count)
        return [UInt8](unsafeUninitializedCapacity: bound) { buffer, count in
            let target = buffer.baseAddress
            let code = ZSTD_compressCCtx(context, target, bound, bytes.baseAddress, bytes.count, Int32(level))
            precondition(ZSTD_isError(code) == 0, "zstd failed with room for the worst case")
            count = code
        }
    }

    /// Expands a frame into `target`, which must have exactly the size of the original.
    public static func expand(
        _ bytes: UnsafeRawBufferPointer,
        into target: UnsafeMutableRawBufferPointer
    ) throws(CompressionError) {
        let context = Self.expanders.take()
        defer { Self.expanders.put(context) }
        let code = ZSTD_decompressDCtx(context, target.baseAddress, target.count, bytes.baseAddress, bytes.count)
        guard ZSTD_isError(code) == 0, code == target.count else { throw .damaged(format: "zstd") }
    }

    /// Expands frames of unknown size, as shippers send them; several may follow one another.
    public static func expand(
        _ bytes: UnsafeRawBufferPointer,
        byteCountMax: Int
    ) throws(CompressionError) -> [UInt8] {
        var result: [UInt8] = []
        var isTooLarge = false
        try Self.expand(bytes) { piece in
            isTooLarge = result.count + piece.count > byteCountMax
            if !isTooLarge { result.append(contentsOf: piece) }
            return !isTooLarge
        }
        if isTooLarge { throw .tooLarge(byteCountMax: byteCountMax) }
        return result
    }

    /// Expands frames and hands the results to `body` in pieces, which are valid only during the call; `body` returns
    /// whether to go on.
    public static func expand(
        _ bytes: UnsafeRawBufferPointer,
        _ body: (UnsafeRawBufferPointer) -> Bool
    ) throws(CompressionError) {
        let context = Self.expanders.take()
        defer {
            ZSTD_DCtx_reset(context, ZSTD_reset_session_only)
            Self.expanders.put(context)
        }
        var input = ZSTD_inBuffer(src: bytes.baseAddress, size: bytes.count, pos: 0)
        var piece = [UInt8](repeating: 0, count: max(1 << 16, min(4 * bytes.count, 1 << 20)))
        var wanted = 0
        repeat {
            var isWanted = true
            let written = piece.withUnsafeMutableBytes { buffer in
                var output = ZSTD_outBuffer(dst: buffer.baseAddress, size: buffer.count, pos: 0)
                wanted = ZSTD_decompressStream(context, &output, &input)
                if ZSTD_isError(wanted) == 0 {
                    isWanted = body(UnsafeRawBufferPointer(rebasing: buffer[..<output.pos]))
                }
                return output.pos
            }
            guard ZSTD_isError(wanted) == 0 else { throw .damaged(format: "zstd") }
            if !isWanted { return }
            if input.pos == input.size, written < piece.count { break }
        } while true
        guard wanted == 0 else { throw .damaged(format: "zstd") }
    }
}

/// Contexts of zstd, which are costly to make, for whoever needs one next.
private final class ContextPool: Sendable {
    private static let keptCount = 4
    private let kept = Mutex<[UInt]>([])
    private let create: @Sendable () -> OpaquePointer?
    private let free: @Sendable (OpaquePointer) -> Void

    init(create: @escaping @Sendable () -> OpaquePointer?, free: @escaping @Sendable (OpaquePointer) -> Void) {
        self.create = create
        self.free = free
    }

    func take() -> OpaquePointer {
        if let address = self.kept.withLock({ $0.popLast() }), let context = OpaquePointer(bitPattern: address) {
            return context
        }
        guard let context = self.create() else { preconditionFailure("out of memory") }
        return context
    }

    func put(_ context: OpaquePointer) {
        let isKept = self.kept.withLock { kept in
            guard kept.count < Self.keptCount else { return false }
            kept.append(UInt(bitPattern: context))
            return true
        }
        if !isKept { self.free(context) }
    }
}
