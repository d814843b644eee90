internal import CLeatKernels

/// Where texts of one template fall apart for the search filter, so that each part has its keys whatever is around it.
///
/// A repeating part that holds a *free gram* (five bytes without a digit) separates what is before it from what is behind:
/// no dense stretch goes across a free gram, and a cut beside a byte that no identifier has cuts no identifier. So the
/// keys of a text are those of its repeating parts, which are added once per template, and those of its *chunks*: the slots
/// between two separators with what repeats in between and a free gram on either side.
enum KeyChunks {
    private static let freeGramByteCount = 5

    /// The chunks of texts whose repeating parts are `statics`, one more than there are slots.
    static func chunks(of statics: [[UInt8]]) -> [leat_key_chunk] {
        let slotCount = statics.count - 1
        guard slotCount > 0 else { return [] }
        var chunks: [leat_key_chunk] = []
        var first = 0
        var left = Self.cutBehind(statics[0]).map { Int32(statics[0].count - $0) } ?? -1
        for slot in 0..<slotCount {
            let next = statics[slot + 1]
            let right = Self.cutBefore(next)
            if slot == slotCount - 1 {
                chunks.append(Self.chunk(first, slot, left, right.map { Int32($0) } ?? -1))
            } else if let right, let start = Self.cutBehind(next) {
                chunks.append(Self.chunk(first, slot, left, Int32(right)))
                first = slot + 1
                left = Int32(next.count - start)
            }
        }
        return chunks
    }

    private static func chunk(_ first: Int, _ last: Int, _ left: Int32, _ right: Int32) -> leat_key_chunk {
        leat_key_chunk(first: UInt32(first), last: UInt32(last), left: left, right: right)
    }

    /// Where the chunk begins that follows a repeating part: at its last free gram that cuts no identifier.
    private static func cutBehind(_ bytes: [UInt8]) -> Int? {
        for start in stride(from: bytes.count - Self.freeGramByteCount, through: 0, by: -1)
        where Self.isFreeGram(bytes, at: start) {
            if !Self.isIdentifierByte(bytes[start]) || (start > 0 && !Self.isIdentifierByte(bytes[start - 1])) {
                return start
            }
        }
        return nil
    }

    /// Where the chunk ends that precedes a repeating part: behind its first free gram that cuts no identifier.
    private static func cutBefore(_ bytes: [UInt8]) -> Int? {
        guard bytes.count >= Self.freeGramByteCount else { return nil }
        for end in Self.freeGramByteCount...bytes.count where Self.isFreeGram(bytes, at: end - Self.freeGramByteCount) {
            if !Self.isIdentifierByte(bytes[end - 1]) || (end < bytes.count && !Self.isIdentifierByte(bytes[end])) {
                return end
            }
        }
        return nil
    }

    private static func isFreeGram(_ bytes: [UInt8], at start: Int) -> Bool {
        bytes[start..<start + Self.freeGramByteCount].allSatisfy { !Self.isDigit($0) }
    }

    private static func isDigit(_ byte: UInt8) -> Bool { byte &- UInt8(ascii: "0") <= 9 }

    /// Hexadecimal digits of either case, and dashes.
    private static func isIdentifierByte(_ byte: UInt8) -> Bool {
        self.isDigit(byte) || (byte | 0x20) &- UInt8(ascii: "a") <= 5 || byte == UInt8(ascii: "-")
    }
}
