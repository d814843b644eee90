internal import CLeatKernels

/// See `Column.identifier`.
public struct IdentifierColumn: Sendable {
    /// Two digits a byte, the same number of bytes for every row, zeros where the field is absent.
    public let bytes: ByteSlice
    /// Whether the texts have dashes where UUIDs have them; `width` is 16 then.
    public let isUUID: Bool
    /// Bytes per row, at least 1.
    public let width: Int
    public let rowCount: Int
    public let presence: Bitmap?

    public init(bytes: ByteSlice, width: Int, isUUID: Bool = false, presence: Bitmap? = nil) {
        precondition(width > 0 && bytes.count % width == 0, "\(bytes.count) bytes of identifiers of \(width)")
        precondition(!isUUID || width == 16, "a UUID of \(width) bytes")
        self.bytes = bytes
        self.width = width
        self.isUUID = isUUID
        self.rowCount = bytes.count / width
        self.presence = presence
    }

    func with(presence: Bitmap?) -> IdentifierColumn {
        IdentifierColumn(bytes: self.bytes, width: self.width, isUUID: self.isUUID, presence: presence)
    }

    /// Length of every text.
    public var textByteCount: Int { self.isUUID ? 36 : self.width * 2 }

    /// The stored bytes of a row; valid while the column lives.
    public subscript(row: Int) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(rebasing: self.bytes.unsafeBytes[row * self.width..<(row + 1) * self.width])
    }

    /// Writes the text of a row, `textByteCount` bytes.
    @inline(__always)
    public func write(_ row: Int, to target: UnsafeMutablePointer<UInt8>) {
        guard let base = self.bytes.unsafeBytes.baseAddress else { return }
        _ = Self.write(base + row * self.width, width: self.width, isUUID: self.isUUID, to: target)
    }

    /// Writes the text of `width` stored bytes and returns its length.
    @inline(__always)
    static func write(
        _ source: UnsafeRawPointer,
        width: Int,
        isUUID: Bool,
        to target: UnsafeMutablePointer<UInt8>
    ) -> Int {
        guard isUUID else {
            leat_hex_digits(target, source, width)
            return width * 2
        }
        leat_hex_digits(target, source, 4)
        leat_hex_digits(target + 9, source + 4, 2)
        leat_hex_digits(target + 14, source + 6, 2)
        leat_hex_digits(target + 19, source + 8, 2)
        leat_hex_digits(target + 24, source + 10, 6)
        for place in stride(from: 8, through: 23, by: 5) { target[place] = UInt8(ascii: "-") }
        return 36
    }

    /// The stored bytes of a text; `nil` when it is not in the form of the texts.
    public func value(of text: UnsafeRawBufferPointer) -> [UInt8]? {
        guard text.count == self.textByteCount else { return nil }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(self.width)
        var index = 0
        while index < text.count {
            if self.isUUID, index == 8 || index == 13 || index == 18 || index == 23 {
                guard text[index] == UInt8(ascii: "-") else { return nil }
                index += 1
                continue
            }
            guard let high = Self.value(text[index]), let low = Self.value(text[index + 1]) else { return nil }
            bytes.append(high << 4 | low)
            index += 2
        }
        return bytes
    }

    /// The value of a lower-case hexadecimal digit.
    @inline(__always)
    static func value(_ digit: UInt8) -> UInt8? {
        if digit &- 48 < 10 { return digit &- 48 }
        return digit &- 97 < 6 ? digit &- 87 : nil
    }

    var traits: TextTraits {
        var bytes = ByteSet(UInt8(ascii: "0")...UInt8(ascii: "9"))
        bytes.formUnion(ByteSet(UInt8(ascii: "a")...UInt8(ascii: "f")))
        if self.isUUID { bytes.insert(UInt8(ascii: "-")) }
        return TextTraits(bytes: bytes, lengths: self.textByteCount...self.textByteCount)
    }
}
