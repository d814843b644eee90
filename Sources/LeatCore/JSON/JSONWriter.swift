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

    /// Appends the inside of a JSON string.
    public static func append(escaped text: UnsafeRawBufferPointer, to bytes: inout [UInt8]) {
        guard let start = text.baseAddress else { return }
        var high: UInt32 = 0
        var at = leat_json_special(start, 0, text.count, &high)
        // Fast path: nothing to escape.
        if at == text.count && high == 0 {
            bytes.append(contentsOf: text)
            return
        }
        guard leat_utf8_end(start, text.count) == text.count else {
            return Self.append(escaped: Array(String(decoding: text, as: UTF8.self).utf8), to: &bytes)
        }
        var copied = 0
        while at < text.count {
            bytes.append(contentsOf: text.slice(copied..<at))
            Self.appendEscape(text[at], to: &bytes)
            copied = at + 1
            at = leat_json_special(start, copied, text.count, &high)
        }
        bytes.append(contentsOf: text.slice(copied..<text.count))
    }

    private static func append(escaped text: [UInt8], to bytes: inout [UInt8]) {
        text.withUnsafeBytes { self.append(escaped: $0, to: &bytes) }
    }

    private static func appendEscape(_ byte: UInt8, to bytes: inout [UInt8]) {
        let letter: UInt8
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"): letter = byte
        case 0x08: letter = UInt8(ascii: "b")
        case 0x09: letter = UInt8(ascii: "t")
        case 0x0A: letter = UInt8(ascii: "n")
        case 0x0C: letter = UInt8(ascii: "f")
        case 0x0D: letter = UInt8(ascii: "r")
        default:
            bytes += "\\u00".utf8
            bytes.append(hexDigit(byte >> 4))
            bytes.append(hexDigit(byte & 15))
            return
        }
        bytes.append(UInt8(ascii: "\\"))
        bytes.append(letter)
    }
}

/// The lower-case hexadecimal digit of a number below 16.
func hexDigit(_ value: UInt8) -> UInt8 { value < 10 ? 0x30 + value : 0x57 + value }
