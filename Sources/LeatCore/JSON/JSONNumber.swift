/// Numbers as JSON writes them.
public enum JSONNumber {
    /// Whether a text is an integer of at most 19 digits, without leading zeros.
    public static func isInteger(_ text: UnsafeRawBufferPointer) -> Bool {
        let start = text.first == UInt8(ascii: "-") ? 1 : 0
        let digitCount = text.count - start
        guard digitCount > 0, digitCount <= 19 else { return false }
        if text[start] == UInt8(ascii: "0") { return digitCount == 1 }
        for index in start..<text.count where text[index] &- 48 >= 10 { return false }
        return true
    }
}
