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
    /// Room for the result is taken of the share before it is made, so that many bodies that expand without end cannot
    /// take more memory together than requests may.
    ///
    /// - Parameters:
    ///   - bytes: The whole body.
    ///   - limit: Bytes that the result may have; what expands without end is given up there.
    ///   - share: Where the memory is counted, if it is.
    /// - Returns: The expanded body.
    /// - Throws: 413 beyond the limit, 429 when there is no room, 400 for damaged data.
    func decode(_ bytes: [UInt8], limit: Int, share: IngestShare?) throws(RequestFault) -> [UInt8] {
        // Only a guess: damaged data says anything, and is found by expanding it.
        let expected = min(self.expectedByteCount(of: bytes), limit)
        try share?.take(expected)
        var room = expected
        var result = try self.decodeIfItFits(bytes, expected)
        if result == nil, expected < limit {
            // Rare: several members, or a body that expands more than is usual.
            try share?.take(limit - expected)
            room = limit
            result = try self.decodeIfItFits(bytes, limit)
        }
        guard let result else { throw Call.tooLarge(limit) }
        share?.give(room - result.count)
        return result
    }

    /// What a body will probably expand to.
    private func expectedByteCount(of bytes: [UInt8]) -> Int {
        // Eight times is more than log lines usually shrink at the levels that shippers use.
        guard self == .gzip, bytes.count >= 18 else { return 8 * bytes.count }
        // gzip ends with the size of its last member, which is the only one, as a rule.
        return bytes.suffix(4).reversed().reduce(0) { $0 << 8 | Int($1) }
    }

    private func decodeIfItFits(_ bytes: [UInt8], _ limit: Int) throws(RequestFault) -> [UInt8]? {
        do {
            return try bytes.withUnsafeBufferPointer { (bytes) throws(CompressionError) in
                try self.expand(UnsafeRawBufferPointer(bytes), limit: limit)
            }
        } catch {
            switch error {
            case .tooLarge: return nil
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
