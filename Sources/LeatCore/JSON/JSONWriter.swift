internal import CLeatKernels

/// Writes JSON text: compact, with the fewest escapes, one pass.
///
/// Escaped are the quote, the backslash and control characters below 0x20, nothing else. Bytes that are not UTF-8 are
/// written as U+FFFD, so that the text is always valid.
public struct JSONWriter: Sendable {
    public private(set) var bytes: [UInt8]
    /// Whether the next value needs a comma before it.
    private var needsComma = false

    public init(capacity: Int = 0) {
        self.bytes = []
        self.bytes.reserveCapacity(capacity)
    }

    /// The text written so far.
    public var text: String { String(decoding: self.bytes, as: UTF8.self) }

    public mutating func beginObject() { self.open(UInt8(ascii: "{")) }

    public mutating func endObject() { self.close(UInt8(ascii: "}")) }

    public mutating func beginArray() { self.open(UInt8(ascii: "[")) }

    public mutating func endArray() { self.close(UInt8(ascii: "]")) }

    /// Writes a key; its value must follow.
    public mutating func key(_ name: String) {
        self.separate()
        Self.append(string: name, to: &self.bytes)
        self.bytes.append(UInt8(ascii: ":"))
        self.needsComma = false
    }

    /// Writes a key; its value must follow.
    public mutating func key(_ name: UnsafeRawBufferPointer) {
        self.separate()
        Self.append(string: name, to: &self.bytes)
        self.bytes.append(UInt8(ascii: ":"))
        self.needsComma = false
    }

    public mutating func value(_ text: String) {
        self.separate()
        Self.append(string: text, to: &self.bytes)
    }

    public mutating func value(_ text: UnsafeRawBufferPointer) {
        self.separate()
        Self.append(string: text, to: &self.bytes)
    }

    public mutating func value(_ number: Int) { self.raw(String(number)) }

    /// Writes a number; infinities and NaN, which JSON lacks, become `null`.
    public mutating func value(_ number: Double) {
        guard number.isFinite else { return self.null() }
        let text = number.description
        self.raw(text.hasSuffix(".0") ? String(text.dropLast(2)) : text)
    }

    public mutating func value(_ bool: Bool) { self.raw(bool ? "true" : "false") }

    public mutating func null() { self.raw("null") }

    /// Writes text that is a JSON value already.
    public mutating func raw(_ text: String) {
        self.separate()
        self.bytes += text.utf8
    }

    /// Writes bytes that are a JSON value already.
    public mutating func raw(_ bytes: UnsafeRawBufferPointer) {
        self.separate()
        self.bytes.append(contentsOf: bytes)
    }

    /// Ends a line, for NDJSON.
    public mutating func newline() {
        self.bytes.append(UInt8(ascii: "\n"))
        self.needsComma = false
    }

    /// Takes the text and begins anew, keeping the memory.
    public mutating func removeAll() {
        self.bytes.removeAll(keepingCapacity: true)
        self.needsComma = false
    }

    private mutating func separate() {
        if self.needsComma { self.bytes.append(UInt8(ascii: ",")) }
        self.needsComma = true
    }

    private mutating func open(_ bracket: UInt8) {
        self.separate()
        self.bytes.append(bracket)
        self.needsComma = false
    }

    private mutating func close(_ bracket: UInt8) {
        self.bytes.append(bracket)
        self.needsComma = true
    }

    // MARK: strings

    /// Appends a text as a JSON string, quotes included.
    public static func append(string text: UnsafeRawBufferPointer, to bytes: inout [UInt8]) {
        bytes.append(UInt8(ascii: "\""))
        Self.append(escaped: text, to: &bytes)
        bytes.append(UInt8(ascii: "\""))
    }

    /// Appends a text as a JSON string, quotes included.
    public static func append(string text: String, to bytes: inout [UInt8]) {
        var text = text
        text.withUTF8 { self.append(string: UnsafeRawBufferPointer($0), to: &bytes) }
    }

    /// Bytes that are escaped at a time, so that the result fits the stack.
    private static let escapedPieceByteCount = 160

    /// Room that `write(escaped:to:)` needs for a text of `count` bytes.
    @inlinable
    public static func escapedByteCountMax(of count: Int) -> Int { 6 * count + 16 }

    /// Writes the inside of a JSON string into memory with room for `escapedByteCountMax(of:)` bytes; how many bytes it
    /// wrote, or `nil` for a text that is not UTF-8.
    public static func write(escaped text: UnsafeRawBufferPointer, to target: UnsafeMutableRawPointer) -> Int? {
        guard let start = text.baseAddress else { return 0 }
        var high: UInt32 = 0
        let written = leat_json_escape(target, start, text.count, &high)
        if high != 0, leat_utf8_end(start, text.count) != text.count { return nil }
        return written
    }

    /// Appends the inside of a JSON string; what is not UTF-8 becomes U+FFFD.
    public static func append(escaped text: UnsafeRawBufferPointer, to bytes: inout [UInt8]) {
        _ = self.appendRepaired(escaped: text, to: &bytes)
    }

    /// Appends the inside of a JSON string, what is not UTF-8 as U+FFFD; whether all of it was UTF-8.
    public static func appendRepaired(escaped text: UnsafeRawBufferPointer, to bytes: inout [UInt8]) -> Bool {
        guard let start = text.baseAddress else { return true }
        let before = bytes.count
        var high: UInt32 = 0
        withUnsafeTemporaryAllocation(byteCount: 6 * Self.escapedPieceByteCount + 16, alignment: 16) { piece in
            guard let target = piece.baseAddress else { return }
            var at = 0
            while at < text.count {
                let count = min(Self.escapedPieceByteCount, text.count - at)
                let written = leat_json_escape(target, start + at, count, &high)
                bytes.append(contentsOf: UnsafeRawBufferPointer(start: target, count: written))
                at += count
            }
        }
        if high == 0 || leat_utf8_end(start, text.count) == text.count { return true }
        bytes.removeLast(bytes.count - before)
        let repaired = Array(String(decoding: text, as: UTF8.self).utf8)
        repaired.withUnsafeBytes { self.append(escaped: $0, to: &bytes) }
        return false
    }

    /// Writes a text as a JSON string, quotes included, into `target` from `start` on; what is not UTF-8 becomes U+FFFD.
    ///
    /// - Returns: Where it ends, or `nil` when it may not fit: six bytes for each of the text and some more must be free.
    public static func write(
        string text: UnsafeRawBufferPointer,
        into target: UnsafeMutableRawBufferPointer,
        from start: Int
    ) -> Int? {
        guard let base = target.baseAddress, start + 6 * text.count + 18 <= target.count else { return nil }
        target[start] = UInt8(ascii: "\"")
        var end = start + 1
        if let source = text.baseAddress {
            var high: UInt32 = 0
            end += leat_json_escape(base + end, source, text.count, &high)
            if high != 0, leat_utf8_end(source, text.count) != text.count {
                // Slow path: what is not UTF-8 is replaced.
                var repaired: [UInt8] = []
                Self.append(string: text, to: &repaired)
                guard start + repaired.count <= target.count else { return nil }
                repaired.withUnsafeBytes {
                    (base + start).copyMemory(from: $0.baseAddress ?? UnsafeRawPointer(base), byteCount: $0.count)
                }
                return start + repaired.count
            }
        }
        target[end] = UInt8(ascii: "\"")
        return end + 1
    }
}
