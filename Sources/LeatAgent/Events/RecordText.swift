internal import LeatCore

/// Writing the members of records: JSON text appended to bytes.
extension [UInt8] {
    /// Appends the UTF-8 of a literal.
    @inline(__always)
    mutating func append(_ text: StaticString) {
        self.append(contentsOf: UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }

    /// Appends a member whose value is a string: `,"name":"value"`, without the comma at the record's start.
    mutating func appendMember(_ name: String, text: some Collection<UInt8>, start: Int) {
        if self.count > start { self.append(UInt8(ascii: ",")) }
        self.append(UInt8(ascii: "\""))
        Array(name.utf8).withUnsafeBytes { _ = self.appendEscaped($0) }
        self.append("\":\"")
        Array(text).withUnsafeBytes { _ = self.appendEscaped($0) }
        self.append(UInt8(ascii: "\""))
    }

    /// Appends a member whose value is JSON already.
    mutating func appendMember(_ name: String, json: String, start: Int) {
        if self.count > start { self.append(UInt8(ascii: ",")) }
        self.append(UInt8(ascii: "\""))
        Array(name.utf8).withUnsafeBytes { _ = self.appendEscaped($0) }
        self.append("\":")
        self.append(contentsOf: json.utf8)
    }

    /// Appends text as the contents of a JSON string; says whether it was UTF-8.
    mutating func appendEscaped(_ text: UnsafeRawBufferPointer) -> Bool {
        JSONWriter.appendRepaired(escaped: text, to: &self)
    }
}

extension [UInt8] {
    /// Appends what is already the contents of a JSON string; only bytes that are no UTF-8 are replaced.
    mutating func appendContents(_ text: UnsafeRawBufferPointer) -> Bool {
        guard var bad = ByteSearch.firstInvalidUTF8(in: text) else {
            self.append(contentsOf: text)
            return true
        }
        var rest = text
        while true {
            self.append(contentsOf: rest.slice(0..<bad))
            self.append("\u{FFFD}")
            rest = rest.slice((bad + 1)..<rest.count)
            guard let next = ByteSearch.firstInvalidUTF8(in: rest) else { break }
            bad = next
        }
        self.append(contentsOf: rest)
        return false
    }
}

/// Times in the form `2026-11-20T09:08:07.123456789Z`.
struct RecordTimeText {
    private var second: Int64 = .min
    /// `2026-11-20T09:08:07` of `second`.
    private var text: [UInt8] = []

    /// Appends a time in UTC with `digitCount` digits of fraction (0 to 9).
    ///
    /// The text of a second is kept, since events come in clusters.
    mutating func append(nanoseconds: Int64, digitCount: Int, to bytes: inout [UInt8]) {
        let second = Timestamp(nanoseconds: nanoseconds).seconds
        if second != self.second { self.set(second) }
        bytes.append(contentsOf: self.text)
        Self.appendFraction(nanoseconds: nanoseconds, digitCount: digitCount, to: &bytes)
        bytes.append(UInt8(ascii: "Z"))
    }

    /// The longest text that `write` makes.
    static let byteCountMax = 40

    /// The same as `append`, into memory that has room for `byteCountMax` bytes; where the text ends.
    mutating func write(nanoseconds: Int64, digitCount: Int, to target: UnsafeMutableRawPointer)
        -> UnsafeMutableRawPointer
    {
        let second = Timestamp(nanoseconds: nanoseconds).seconds
        if second != self.second { self.set(second) }
        var end = target.append(self.text)
        if digitCount > 0 {
            end = end.append(UInt8(ascii: "."))
            var rest = nanoseconds &- second &* 1_000_000_000
            for _ in digitCount..<9 { rest /= 10 }
            for place in stride(from: digitCount - 1, through: 0, by: -1) {
                end.storeBytes(
                    of: UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10),
                    toByteOffset: place,
                    as: UInt8.self
                )
                rest /= 10
            }
            end += digitCount
        }
        return end.append(UInt8(ascii: "Z"))
    }

    /// Appends `.` and the first digits of a time's fraction of a second; nothing for no digits.
    static func appendFraction(nanoseconds: Int64, digitCount: Int, to bytes: inout [UInt8]) {
        guard digitCount > 0 else { return }
        var fraction = nanoseconds % 1_000_000_000
        if fraction < 0 { fraction += 1_000_000_000 }
        bytes.append(UInt8(ascii: "."))
        var divisor: Int64 = 100_000_000
        for _ in 0..<digitCount {
            bytes.append(UInt8(ascii: "0") + UInt8(fraction / divisor % 10))
            divisor /= 10
        }
    }

    private mutating func set(_ second: Int64) {
        self.second = second
        self.text.removeAll(keepingCapacity: true)
        TimestampWriter.append(Timestamp(nanoseconds: second &* 1_000_000_000), precision: .seconds, to: &self.text)
        // Without the zone, which follows the fraction.
        self.text.removeLast()
    }
}

/// Writing into memory whose room was checked before.
extension [UInt8] {
    /// Makes room for `count` bytes and lets `body` write there; its result says how many it wrote.
    @inline(__always)
    mutating func append(upTo count: Int, _ body: (UnsafeMutableRawPointer) -> Int) {
        self.append(addingCapacity: Swift.max(1, count)) { (output: inout OutputSpan<UInt8>) in
            output.withUnsafeMutableBufferPointer { buffer, initializedCount in
                guard let start = buffer.baseAddress else { return }
                let written = body(UnsafeMutableRawPointer(start))
                precondition(written <= count, "more was written than there was room for")
                initializedCount = written
            }
        }
    }
}

extension UnsafeMutableRawPointer {
    /// Copies bytes here; where they end.
    @inline(__always)
    func append(_ bytes: UnsafeRawBufferPointer) -> UnsafeMutableRawPointer {
        if let source = bytes.baseAddress { self.copyMemory(from: source, byteCount: bytes.count) }
        return self + bytes.count
    }

    /// Copies bytes here; where they end.
    @inline(__always)
    func append(_ bytes: [UInt8]) -> UnsafeMutableRawPointer { bytes.withUnsafeBytes { self.append($0) } }

    /// Puts one byte here; where it ends.
    @inline(__always)
    func append(_ byte: UInt8) -> UnsafeMutableRawPointer {
        self.storeBytes(of: byte, as: UInt8.self)
        return self + 1
    }
}
