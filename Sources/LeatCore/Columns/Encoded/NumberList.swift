/// Whole numbers of a column: as an array, in the bits in which they are stored, or those of some rows end to end.
public enum NumberList: Sendable {
    case array([Int64])
    case packed(PackedNumbers)
    /// Any number where a row has none.
    case ranked(RankedNumbers)

    /// How many there are.
    public var count: Int {
        switch self {
        case .array(let values): values.count
        case .packed(let numbers): numbers.count
        case .ranked(let numbers): numbers.rowCount
        }
    }

    @inlinable
    public subscript(index: Int) -> Int64 {
        switch self {
        case .array(let values): values[index]
        case .packed(let numbers): numbers[index]
        case .ranked(let numbers): numbers[index]
        }
    }

    /// All of them; a new array at each call unless they are one.
    public var values: [Int64] {
        switch self {
        case .array(let values): values
        case .packed(let numbers): numbers.unpacked()
        case .ranked(let numbers): numbers.values
        }
    }

    /// A range that holds all of them, perhaps a wider one than needed.
    public var bounds: ClosedRange<Int64> {
        switch self {
        case .array(let values):
            guard var least = values.first else { return 0...0 }
            var most = least
            for value in values {
                least = min(least, value)
                most = max(most, value)
            }
            return least...most
        case .packed(let numbers): return numbers.bounds
        case .ranked(let numbers): return numbers.bounds
        }
    }

    /// Bytes of memory that are held for them, those of a mapped file left out.
    public var byteCount: Int {
        switch self {
        case .array(let values): values.count * 8
        case .packed(let numbers): numbers.byteCount
        case .ranked(let numbers): numbers.byteCount
        }
    }
}

/// The numbers of those rows that have one, end to end, so that the other rows take no memory.
public final class RankedNumbers: Sendable {
    /// The numbers end to end.
    public let dense: NumberList
    private let places: RankedRows

    /// The numbers of the rows whose bit is set, in their order; there are as many.
    public init(_ numbers: NumberList, at rows: Bitmap) {
        self.places = RankedRows(rows)
        self.dense = numbers
        precondition(numbers.count == self.places.valueCount, "\(numbers.count) numbers of other rows")
    }

    public var rowCount: Int { self.places.rowCount }

    /// A bit per row that has a number, the first in the lowest bit of the first word.
    public var rows: [UInt64] { self.places.words }

    public subscript(row: Int) -> Int64 {
        self.places.valueCount == 0 ? 0 : self.dense[self.places.knownValue(of: row)]
    }

    /// Asks for the memory in which the number of a row is.
    func prefetch(_ row: Int) {
        if case .packed(let numbers) = self.dense, numbers.count > 0 {
            numbers.prefetch(self.places.knownValue(of: row))
        }
    }

    /// Per row its number, 0 for rows without.
    var values: [Int64] {
        let dense = self.dense.values
        return [Int64](unsafeUninitializedCapacity: self.rowCount) { target, count in
            target.initialize(repeating: 0)
            var next = 0
            self.places.forEachRow { row in
                target[row] = dense[next]
                next &+= 1
            }
            count = self.rowCount
        }
    }

    /// See `NumberList.bounds`; 0 is among the numbers that rows without one may show.
    var bounds: ClosedRange<Int64> { self.dense.bounds }

    var byteCount: Int { self.dense.byteCount + self.places.byteCount }
}
