internal import CLz4
internal import CZstd
internal import LeatCore
internal import Synchronization

/// zstd for what stays, LZ4 for what is written once and rarely read again.
enum Compression {
    /// The forms of a compressed run of bytes, as a number in files.
    enum Codec: UInt8 {
        case none = 0
        case zstd = 1
        case lz4 = 2
    }

    /// Below this many bytes nothing is gained.
    private static let zstdByteCountMin = 40

    private static let compressors = ContextPool(create: { ZSTD_createCCtx() }, free: { _ = ZSTD_freeCCtx($0) })
    private static let decompressors = ContextPool(create: { ZSTD_createDCtx() }, free: { _ = ZSTD_freeDCtx($0) })

    /// The bytes compressed with zstd; `nil` when that gains nothing.
    static func zstd(_ bytes: UnsafeRawBufferPointer, level: Int32 = 1) -> [UInt8]? {
        guard bytes.count >= Self.zstdByteCountMin, let context = Self.compressors.take() else { return nil }
        defer { Self.compressors.put(context) }
        let bound = ZSTD_compressBound(bytes.count)
        var size = 0
        let result = [UInt8](unsafeUninitializedCapacity: bound) { buffer, count in
            let code = ZSTD_compressCCtx(context, buffer.baseAddress, bound, bytes.baseAddress, bytes.count, level)
            size = ZSTD_isError(code) == 0 ? code : bound
            count = size
        }
        return size < bytes.count - bytes.count / 32 ? result : nil
    }

    /// The bytes compressed with LZ4; `nil` when that gains nothing.
    static func lz4(_ bytes: UnsafeRawBufferPointer) -> [UInt8]? {
        guard bytes.count >= 64, bytes.count <= LZ4_MAX_INPUT_SIZE else { return nil }
        let bound = Int(LZ4_compressBound(Int32(bytes.count)))
        var size = 0
        let result = [UInt8](unsafeUninitializedCapacity: bound) { buffer, count in
            buffer.withMemoryRebound(to: CChar.self) { target in
                let source = bytes.baseAddress?.assumingMemoryBound(to: CChar.self)
                size = Int(LZ4_compress_default(source, target.baseAddress, Int32(bytes.count), Int32(bound)))
            }
            count = size
        }
        return size > 0 && size < bytes.count ? result : nil
    }

    /// The original bytes, whose exact number must be known.
    static func expand(_ bytes: ByteSlice, _ codec: Codec, byteCount: Int) throws(FormatError) -> ByteSlice {
        if codec == .none {
            guard bytes.count == byteCount else { throw FormatError(offset: 0, reason: "stored length differs") }
            return bytes
        }
        let target = ByteStorage(byteCount: byteCount)
        let written = bytes.withUnsafeBytes { source in
            codec == .zstd ? Self.expandZstd(source, into: target.bytes) : Self.expandLz4(source, into: target.bytes)
        }
        guard written == byteCount else { throw FormatError(offset: 0, reason: "compressed bytes do not expand") }
        return ByteSlice(UnsafeRawBufferPointer(target.bytes), owner: target)
    }

    private static func expandZstd(_ source: UnsafeRawBufferPointer, into target: UnsafeMutableRawBufferPointer) -> Int
    {
        guard let context = Self.decompressors.take() else { return -1 }
        defer { Self.decompressors.put(context) }
        let code = ZSTD_decompressDCtx(context, target.baseAddress, target.count, source.baseAddress, source.count)
        return ZSTD_isError(code) == 0 ? code : -1
    }

    private static func expandLz4(_ source: UnsafeRawBufferPointer, into target: UnsafeMutableRawBufferPointer) -> Int {
        guard source.count <= Int32.max, target.count <= Int32.max else { return -1 }
        let code = LZ4_decompress_safe(
            source.baseAddress?.assumingMemoryBound(to: CChar.self),
            target.baseAddress?.assumingMemoryBound(to: CChar.self),
            Int32(source.count),
            Int32(target.count)
        )
        return Int(code)
    }
}

/// Contexts of zstd, which are costly to make, for whoever needs one next.
private final class ContextPool: @unchecked Sendable {
    // Sound as Sendable: a context belongs to one caller between `take` and `put`.
    private static let keptCount = 4
    private let free: Mutex<[UInt]> = Mutex([])
    private let create: @Sendable () -> OpaquePointer?
    private let destroy: @Sendable (OpaquePointer) -> Void

    init(create: @escaping @Sendable () -> OpaquePointer?, free: @escaping @Sendable (OpaquePointer) -> Void) {
        self.create = create
        self.destroy = free
    }

    func take() -> OpaquePointer? {
        if let kept = self.free.withLock({ $0.popLast() }) { return OpaquePointer(bitPattern: kept) }
        return self.create()
    }

    func put(_ context: OpaquePointer) {
        let isKept = self.free.withLock { free in
            guard free.count < Self.keptCount else { return false }
            free.append(UInt(bitPattern: context))
            return true
        }
        if !isKept { self.destroy(context) }
    }
}
