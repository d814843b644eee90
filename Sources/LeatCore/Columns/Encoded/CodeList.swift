/// Codes of a dictionary, as an array or in the bits in which they are stored.
///
/// Those of a field are an array, since aggregates go over them row by row. Those of a slot of a template stay packed:
/// most searches are answered without them, and a block has dozens of slots.
public enum CodeList: Sendable {
    case array([UInt16])
    /// Numbers from 0 to `UInt16.max`.
    case packed(PackedNumbers)

    /// How many there are.
    public var count: Int {
        switch self {
        case .array(let codes): codes.count
        case .packed(let numbers): numbers.count
        }
    }

    @inlinable
    public subscript(index: Int) -> UInt16 {
        switch self {
        case .array(let codes): codes[index]
        case .packed(let numbers): UInt16(truncatingIfNeeded: numbers[index])
        }
    }

    /// All of them; of packed ones a new array at each call.
    public var array: [UInt16] {
        switch self {
        case .array(let codes): codes
        case .packed(let numbers): numbers.unpackedCodes()
        }
    }

    /// Bytes of memory that are held for them, those of a mapped file left out.
    var byteCount: Int {
        switch self {
        case .array(let codes): codes.count * 2
        case .packed(let numbers): numbers.byteCount
        }
    }
}
