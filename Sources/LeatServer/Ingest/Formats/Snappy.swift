/// Expands snappy's block format (github.com/google/snappy, format_description.txt), in which Loki's clients send.
enum Snappy {
    /// The expanded bytes.
    ///
    /// - Parameters:
    ///   - bytes: One block, without framing.
    ///   - limit: Bytes that the result may have.
    /// - Returns: The result; `nil` when the block is damaged.
    /// - Throws: 413 beyond the limit.
    static func expand(_ bytes: [UInt8], limit: Int) throws(RequestFault) -> [UInt8]? {
        var offset = 0
        guard let count = Self.length(bytes, &offset) else { return nil }
        guard count <= limit else { throw Call.tooLarge(limit) }
        var result: [UInt8] = []
        result.reserveCapacity(count)
        while offset < bytes.count {
            let tag = bytes[offset]
            offset += 1
            if tag & 3 == 0 {
                guard let length = Self.literalLength(tag, bytes, &offset), length <= bytes.count - offset,
                    length <= count - result.count
                else { return nil }
                result += bytes[offset..<offset + length]
                offset += length
            } else {
                guard let (length, distance) = Self.copy(tag, bytes, &offset), distance > 0, distance <= result.count,
                    length <= count - result.count
                else { return nil }
                // Byte by byte, since a copy may overlap what it makes.
                for _ in 0..<length { result.append(result[result.count - distance]) }
            }
        }
        return result.count == count ? result : nil
    }

    private static func length(_ bytes: [UInt8], _ offset: inout Int) -> Int? {
        var value = 0
        for shift in stride(from: 0, through: 28, by: 7) {
            guard offset < bytes.count else { return nil }
            let byte = bytes[offset]
            offset += 1
            value |= Int(byte & 0x7F) << shift
            if byte < 0x80 { return value }
        }
        return nil
    }

    private static func literalLength(_ tag: UInt8, _ bytes: [UInt8], _ offset: inout Int) -> Int? {
        let short = Int(tag >> 2)
        if short < 60 { return short + 1 }
        return Self.number(short - 59, bytes, &offset).map { $0 + 1 }
    }

    private static func copy(_ tag: UInt8, _ bytes: [UInt8], _ offset: inout Int) -> (length: Int, distance: Int)? {
        switch tag & 3 {
        case 1:
            let high = Int(tag >> 5) << 8
            return Self.number(1, bytes, &offset).map { (Int(tag >> 2 & 7) + 4, high | $0) }
        case 2: return Self.number(2, bytes, &offset).map { (Int(tag >> 2) + 1, $0) }
        default: return Self.number(4, bytes, &offset).map { (Int(tag >> 2) + 1, $0) }
        }
    }

    private static func number(_ count: Int, _ bytes: [UInt8], _ offset: inout Int) -> Int? {
        guard offset + count <= bytes.count else { return nil }
        var value = 0
        for index in 0..<count { value |= Int(bytes[offset + index]) << (8 * index) }
        offset += count
        return value
    }
}
