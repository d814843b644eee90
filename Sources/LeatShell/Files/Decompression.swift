internal import LeatCore

/// Opens gzip, zstd and LZ4 files by what they begin with, whatever they are called.
enum Decompression {
    private enum Form {
        case gzip, zstd, lz4
    }

    /// Bytes to which zstd and LZ4 files, which are expanded in memory, may grow; gzip has no such limit.
    static let byteCountMax = 8 << 30

    /// The plain bytes of an input; bytes that are not compressed are returned as they are.
    static func decompress(_ bytes: ByteSlice, name: String) throws -> ByteSlice {
        guard let form = Self.form(of: bytes.unsafeBytes) else { return bytes }
        do {
            switch form {
            case .gzip: return try Self.gunzip(bytes.unsafeBytes)
            case .zstd: return ByteSlice(try Zstandard.expand(bytes.unsafeBytes, byteCountMax: Self.byteCountMax))
            case .lz4: return ByteSlice(try LZ4.expandFrames(bytes.unsafeBytes, byteCountMax: Self.byteCountMax))
            }
        } catch let error as CompressionError {
            throw CommandError(.badData, "\(name): \(error)")
        }
    }

    private static func form(of bytes: UnsafeRawBufferPointer) -> Form? {
        guard bytes.count >= 4 else { return nil }
        switch (bytes[0], bytes[1], bytes[2], bytes[3]) {
        case (0x1F, 0x8B, _, _): return .gzip
        case (0x28, 0xB5, 0x2F, 0xFD): return .zstd
        case (0x04, 0x22, 0x4D, 0x18): return .lz4
        default: return nil
        }
    }

    private static func gunzip(_ bytes: UnsafeRawBufferPointer) throws -> ByteSlice {
        let stream = GzipStream()
        var spool = Spool()
        var failure: (any Error)?
        var rest = bytes
        while !rest.isEmpty, failure == nil {
            let piece = rest.slice(0..<min(rest.count, 1 << 20))
            try stream.expand(piece) { plain in
                do {
                    try spool.write(plain)
                    return true
                } catch {
                    failure = error
                    return false
                }
            }
            rest = rest.slice(piece.count..<rest.count)
        }
        if let failure { throw failure }
        guard stream.isComplete else { throw CompressionError.damaged(format: "gzip") }
        return try spool.finish()
    }
}
