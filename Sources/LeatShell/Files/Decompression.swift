internal import LeatCore

/// Opens gzip, zstd and LZ4 files by what they begin with, whatever they are called.
enum Decompression {
    private enum Form {
        case gzip, zstd, lz4
    }

    /// Bytes of compressed input between two looks at whether the work is still wanted.
    private static let pieceByteCount = 1 << 20

    /// The plain bytes of an input; bytes that are not compressed are returned as they are.
    ///
    /// What is expanded lies in memory while it is small, else in a temporary file. `onProgress` gets the number of plain
    /// bytes so far, and may throw to end it.
    static func decompress(
        _ bytes: ByteSlice,
        name: String,
        onProgress: (Int) throws -> Void = { _ in }
    ) throws -> ByteSlice {
        guard let form = Self.form(of: bytes.unsafeBytes) else { return bytes }
        var spool = Spool()
        var failure: (any Error)?
        var count = 0
        func take(_ plain: UnsafeRawBufferPointer) -> Bool {
            do {
                try spool.write(plain)
                count += plain.count
                try onProgress(count)
                return true
            } catch {
                failure = error
                return false
            }
        }
        do throws(CompressionError) {
            switch form {
            case .gzip: try Self.gunzip(bytes.unsafeBytes, take)
            case .zstd: try Zstandard.expand(bytes.unsafeBytes, take)
            case .lz4: try LZ4.expandFrames(bytes.unsafeBytes, take)
            }
        } catch {
            if let failure { throw failure }
            throw CommandError(.badData, "\(name): \(error)")
        }
        if let failure { throw failure }
        return try spool.finish()
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

    private static func gunzip(
        _ bytes: UnsafeRawBufferPointer,
        _ take: (UnsafeRawBufferPointer) -> Bool
    ) throws(CompressionError) {
        let stream = GzipStream()
        var isWanted = true
        var rest = bytes
        while !rest.isEmpty, isWanted {
            let piece = rest.slice(0..<min(rest.count, Self.pieceByteCount))
            try stream.expand(piece) { plain in
                isWanted = take(plain)
                return isWanted
            }
            rest = rest.slice(piece.count..<rest.count)
        }
        guard stream.isComplete || !isWanted else { throw .damaged(format: "gzip") }
    }
}
