/// A set of byte values.
public struct ByteSet: Hashable, Sendable {
    private var low: SIMD4<UInt64>

    /// The empty set.
    public init() { self.low = SIMD4<UInt64>(repeating: 0) }

    public init(_ range: ClosedRange<UInt8>) {
        self.init()
        for byte in range { self.insert(byte) }
    }

    /// The bytes that occur in an area.
    public init(of bytes: UnsafeRawBufferPointer) {
        self.init()
        let seen = [Bool](unsafeUninitializedCapacity: 256) { seen, count in
            seen.initialize(repeating: false)
            for index in 0..<bytes.count { seen[Int(bytes[index])] = true }
            count = 256
        }
        for byte in UInt8.min...UInt8.max where seen[Int(byte)] { self.insert(byte) }
    }

    /// All bytes.
    public static let all = ByteSet(0...255)

    public mutating func insert(_ byte: UInt8) { self.low[Int(byte >> 6)] |= 1 << UInt64(byte & 63) }

    public func contains(_ byte: UInt8) -> Bool { self.low[Int(byte >> 6)] >> UInt64(byte & 63) & 1 != 0 }

    public mutating func formUnion(_ other: ByteSet) { self.low |= other.low }

    /// The bytes that are not in the set.
    public var inverted: ByteSet {
        var result = self
        result.low = ~self.low
        return result
    }

    /// The bytes in ascending order.
    public var bytes: [UInt8] { (0...255).filter { self.contains($0) } }
}

/// What is known of all texts of a column without looking at each.
public struct TextTraits: Hashable, Sendable {
    /// No text has another byte.
    public var bytes: ByteSet
    /// No text is shorter or longer.
    public var lengths: ClosedRange<Int>

    public init(bytes: ByteSet, lengths: ClosedRange<Int>) {
        self.bytes = bytes
        self.lengths = lengths
    }

    /// What is true of the texts of both, one behind the other.
    func followed(by other: TextTraits) -> TextTraits {
        var bytes = self.bytes
        bytes.formUnion(other.bytes)
        let first = self.lengths.lowerBound + other.lengths.lowerBound
        return TextTraits(bytes: bytes, lengths: first...(self.lengths.upperBound + other.lengths.upperBound))
    }

    /// What is true of the texts of either.
    func united(with other: TextTraits) -> TextTraits {
        var bytes = self.bytes
        bytes.formUnion(other.bytes)
        let least = min(self.lengths.lowerBound, other.lengths.lowerBound)
        return TextTraits(bytes: bytes, lengths: least...max(self.lengths.upperBound, other.lengths.upperBound))
    }
}

extension ByteStrings {
    /// Traits of the strings; all bytes are looked at.
    var traits: TextTraits {
        guard self.count > 0 else { return TextTraits(bytes: ByteSet(), lengths: 0...0) }
        var least = UInt32.max
        var most: UInt32 = 0
        for index in 0..<self.count {
            let length = self.offsets[index + 1] - self.offsets[index]
            least = min(least, length)
            most = max(most, length)
        }
        let bytes = self.bytes.withUnsafeBytes { ByteSet(of: $0) }
        return TextTraits(bytes: bytes, lengths: Int(least)...Int(most))
    }
}

extension Column {
    /// Traits of the texts of all rows that have the field.
    ///
    /// Dictionaries and plain texts are looked at byte by byte, so keep what this gives.
    public var traits: TextTraits {
        switch self {
        case .constant(let column):
            return column.value.withUnsafeBytes {
                TextTraits(bytes: ByteSet(of: $0), lengths: $0.count...$0.count)
            }
        case .dictionary(let column): return column.values.traits
        case .integer(let column): return NumberForm.integer.traits(of: NumberList.array(column.values).bounds)
        case .plain(let column): return column.values.traits
        case .number(let column): return column.form.traits(of: column.numbers.bounds)
        case .identifier(let column): return column.traits
        case .prefixed(let column):
            let prefix = Column.constant(ConstantColumn(value: column.prefix, rowCount: 1)).traits
            return prefix.followed(by: column.rest.traits)
        case .reference(let column): return column.traits
        case .template(let column): return column.texts.traits
        }
    }
}
