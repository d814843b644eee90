internal import CDeflate

/// gzip, zlib and raw deflate of whole bodies (libdeflate, three times as fast as zlib).
public enum Deflate {
    /// What surrounds the compressed bytes.
    public enum Wrapping: Hashable, Sendable {
        /// RFC 1952; several members may follow one another.
        case gzip
        /// RFC 1950: HTTP's `deflate` as the standard has it.
        case zlib
        /// RFC 1951: HTTP's `deflate` as some clients have it.
        case raw
    }

    /// The bytes as one gzip member; levels go from 1 (fast) to 12 (small).
    public static func gzip(_ bytes: UnsafeRawBufferPointer, level: Int = 1) -> [UInt8] {
        guard let compressor = libdeflate_alloc_compressor(Int32(level)) else { preconditionFailure("out of memory") }
        defer { libdeflate_free_compressor(compressor) }
        let bound = libdeflate_gzip_compress_bound(compressor, bytes.count)
        return [UInt8](unsafeUninitializedCapacity: bound) { buffer, count in
            count = libdeflate_gzip_compress(compressor, bytes.baseAddress, bytes.count, buffer.baseAddress, bound)
            precondition(count > 0, "gzip failed with room for the worst case")
        }
    }

    /// Expands a whole body, of which the size is not known.
    ///
    /// Room grows with what comes out, so that a small body that expands without end costs `byteCountMax` at most.
    public static func expand(
        _ bytes: UnsafeRawBufferPointer,
        _ wrapping: Wrapping,
        byteCountMax: Int
    ) throws(CompressionError) -> [UInt8] {
        guard let expander = libdeflate_alloc_decompressor() else { preconditionFailure("out of memory") }
        defer { libdeflate_free_decompressor(expander) }
        var result: [UInt8] = []
        var rest = bytes
        repeat {
            let member = try Self.expandMember(rest, wrapping, expander, byteCountMax - result.count, byteCountMax)
            // One member is the rule; appending keeps bodies of many small ones from being copied again and again.
            if result.isEmpty { result = member.bytes } else { result += member.bytes }
            rest = UnsafeRawBufferPointer(rebasing: rest[member.taken...])
        } while !rest.isEmpty && wrapping == .gzip
        guard rest.isEmpty else { throw .damaged(format: "deflate") }
        return result
    }

    private static func expandMember(
        _ bytes: UnsafeRawBufferPointer,
        _ wrapping: Wrapping,
        _ expander: OpaquePointer,
        _ room: Int,
        _ byteCountMax: Int
    ) throws(CompressionError) -> (bytes: [UInt8], taken: Int) {
        var capacity = min(room, max(64 * 1024, Self.guess(bytes, wrapping)))
        while true {
            var taken = 0
            var code = LIBDEFLATE_BAD_DATA
            let result = [UInt8](unsafeUninitializedCapacity: max(capacity, 1)) { buffer, count in
                code = Self.run(bytes, wrapping, expander, buffer.baseAddress, capacity, &taken, &count)
                if code != LIBDEFLATE_SUCCESS { count = 0 }
            }
            switch code {
            case LIBDEFLATE_SUCCESS: return (result, taken)
            case LIBDEFLATE_INSUFFICIENT_SPACE:
                guard capacity < room else { throw .tooLarge(byteCountMax: byteCountMax) }
                capacity = min(room, capacity * 4)
            default: throw .damaged(format: wrapping == .gzip ? "gzip" : "deflate")
            }
        }
    }

    /// The size that a gzip body says it has (its last four bytes), if that is plausible, or a usual ratio.
    private static func guess(_ bytes: UnsafeRawBufferPointer, _ wrapping: Wrapping) -> Int {
        let usual = bytes.count * 6
        guard wrapping == .gzip, bytes.count >= 18 else { return usual }
        let size = Int(UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: bytes.count - 4, as: UInt32.self)))
        return size <= bytes.count * 32 ? max(size, 1) : usual
    }

    private static func run(
        _ bytes: UnsafeRawBufferPointer,
        _ wrapping: Wrapping,
        _ expander: OpaquePointer,
        _ target: UnsafeMutablePointer<UInt8>?,
        _ capacity: Int,
        _ taken: inout Int,
        _ written: inout Int
    ) -> libdeflate_result {
        let source = bytes.baseAddress
        return switch wrapping {
        case .gzip:
            libdeflate_gzip_decompress_ex(expander, source, bytes.count, target, capacity, &taken, &written)
        case .zlib:
            libdeflate_zlib_decompress_ex(expander, source, bytes.count, target, capacity, &taken, &written)
        case .raw:
            libdeflate_deflate_decompress_ex(expander, source, bytes.count, target, capacity, &taken, &written)
        }
    }
}
