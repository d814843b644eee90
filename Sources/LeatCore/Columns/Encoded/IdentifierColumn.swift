internal import CLeatKernels

/// See `Column.identifier`.
public struct IdentifierColumn: Sendable {
    /// Two digits a byte, the same number of bytes for every value; the values in the order of their rows.
    public let bytes: ByteSlice
    /// Whether the texts have dashes where UUIDs have them; `width` is 16 then.
    public let isUUID: Bool
    /// Bytes per row, at least 1.
    public let width: Int
    public let rowCount: Int
    public let presence: Bitmap?
    /// Which rows have a value in `bytes`; `nil` when all have.
    let places: RankedRows?

    /// Identifiers of which every row has one.
    public init(bytes: ByteSlice, width: Int, isUUID: Bool = false, presence: Bitmap? = nil) {
        precondition(width > 0 && bytes.count % width == 0, "\(bytes.count) bytes of identifiers of \(width)")
        precondition(!isUUID || width == 16, "a UUID of \(width) bytes")
        self.bytes = bytes
        self.width = width
        self.isUUID = isUUID
        self.rowCount = bytes.count / width
        self.presence = presence
        self.places = nil
    }

    private init(_ other: IdentifierColumn, places: RankedRows?, presence: Bitmap?) {
        self.bytes = other.bytes
        self.isUUID = other.isUUID
        self.width = other.width
        self.rowCount = places?.rowCount ?? other.rowCount
        self.presence = presence
        self.places = places
    }

    func with(presence: Bitmap?) -> IdentifierColumn {
        IdentifierColumn(self, places: self.places, presence: presence)
    }

    /// The identifiers, one for every row here, as those of the rows of `presence`; their bytes stay where they are.
    public func spread(over presence: Bitmap) -> IdentifierColumn {
        precondition(self.places == nil && presence.setCount == self.rowCount, "rows without an identifier")
        precondition(self.rowCount > 0, "no identifier at all")
        return IdentifierColumn(self, places: RankedRows(presence), presence: presence)
    }

    /// The place of a row's value in `bytes`.
    @inline(__always)
    private func value(of row: Int) -> Int { self.places?.knownValue(of: row) ?? row }

    /// The row of the value at a place in `bytes`.
    public func row(ofValue value: Int) -> Int { self.places?.row(of: value) ?? value }

    /// Bytes of memory besides those of the values.
    var byteCount: Int { self.places?.byteCount ?? 0 }

    /// Length of every text.
    public var textByteCount: Int { self.isUUID ? 36 : self.width * 2 }

    /// The stored bytes of a row; valid while the column lives.
    public subscript(row: Int) -> UnsafeRawBufferPointer {
        let start = self.value(of: row) * self.width
        return UnsafeRawBufferPointer(rebasing: self.bytes.unsafeBytes[start..<start + self.width])
    }

    /// Writes the text of a row, `textByteCount` bytes.
    @inline(__always)
    public func write(_ row: Int, to target: UnsafeMutablePointer<UInt8>) {
        guard let base = self.bytes.unsafeBytes.baseAddress else { return }
        _ = Self.write(base + self.value(of: row) * self.width, width: self.width, isUUID: self.isUUID, to: target)
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
