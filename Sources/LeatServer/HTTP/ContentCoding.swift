internal import LeatCore

/// How a request's body is compressed.
enum ContentCoding: Hashable, Sendable {
    case gzip, deflate, zstd

    /// The coding of a name in `Content-Encoding`, in lower case.
    init?(name: String) {
        switch name {
        case "gzip", "x-gzip": self = .gzip
        case "deflate": self = .deflate
        case "zstd": self = .zstd
        default: return nil
        }
    }

    /// Expands a body.
    ///
    /// - Parameters:
    ///   - bytes: The whole body.
    ///   - limit: Bytes that the result may have; what expands without end is given up there.
    /// - Returns: The expanded body.
    /// - Throws: 413 beyond the limit, 400 for damaged data.
    func decode(_ bytes: [UInt8], limit: Int) throws(RequestFault) -> [UInt8] {
        do {
            return try bytes.withUnsafeBufferPointer { (bytes) throws(CompressionError) in
                try self.expand(UnsafeRawBufferPointer(bytes), limit: limit)
            }
        } catch {
            switch error {
            case .tooLarge: throw Call.tooLarge(limit)
            case .damaged: throw .elastic(400, "parse_exception", "the body cannot be decompressed: \(error)")
            }
        }
    }

    private func expand(_ bytes: UnsafeRawBufferPointer, limit: Int) throws(CompressionError) -> [UInt8] {
        switch self {
        case .gzip: return try Deflate.expand(bytes, .gzip, byteCountMax: limit)
        case .zstd: return try Zstandard.expand(bytes, byteCountMax: limit)
        case .deflate:
            // RFC 9110 says zlib; some clients send the raw form. The first byte of zlib is 0x?8, a multiple of 31 with
            // the second.
            let isWrapped =
                bytes.count >= 2 && bytes[0] & 0x0F == 8 && (Int(bytes[0]) << 8 | Int(bytes[1])) % 31 == 0
            return try Deflate.expand(bytes, isWrapped ? .zlib : .raw, byteCountMax: limit)
        }
    }
}
