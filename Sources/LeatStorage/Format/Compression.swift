internal import LeatCore

/// zstd for what stays, LZ4 for what is written once and rarely read again.
enum Compression {
    /// The forms of a compressed run of bytes, as a number in files.
    enum Codec: UInt8 {
        case none = 0
        case zstd = 1
        case lz4 = 2
    }

    /// Below this many bytes nothing is gained.
    private static let byteCountMin = 40

    /// The bytes compressed with zstd; `nil` when that gains less than three percent.
    static func zstd(_ bytes: UnsafeRawBufferPointer, level: Int = 1) -> [UInt8]? {
        guard bytes.count >= Self.byteCountMin else { return nil }
        let result = Zstandard.compress(bytes, level: level)
        return result.count < bytes.count - bytes.count / 32 ? result : nil
    }

    /// How fast LZ4 goes over what does not repeat at once; see `docs/decisions/0008-ingest-path.md`.
    private static let acceleration = 8

    /// The bytes compressed with LZ4; `nil` when that gains nothing.
    static func lz4(_ bytes: UnsafeRawBufferPointer) -> ByteSlice? {
        bytes.count < Self.byteCountMin ? nil : LZ4.compress(bytes, acceleration: Self.acceleration)
    }

    /// The original bytes, whose exact number must be known.
    static func expand(_ bytes: ByteSlice, _ codec: Codec, byteCount: Int) throws(FormatError) -> ByteSlice {
        if codec == .none {
            guard bytes.count == byteCount else { throw FormatError(offset: 0, reason: "stored length differs") }
            return bytes
        }
        let target = ByteStorage(byteCount: byteCount)
        do throws(CompressionError) {
            try bytes.withUnsafeBytes { (source) throws(CompressionError) in
                switch codec {
                case .zstd: try Zstandard.expand(source, into: target.bytes)
                default: try LZ4.expand(source, into: target.bytes)
                }
            }
        } catch {
            throw FormatError(offset: 0, reason: error.description)
        }
        return ByteSlice(UnsafeRawBufferPointer(target.bytes), owner: target)
    }
}
