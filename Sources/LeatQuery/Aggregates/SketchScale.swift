internal import Glibc

/// The buckets of a sketch for one accuracy, found without a logarithm per number.
///
/// The first bits of a number as it lies in memory choose a cell; a cell knows its first bucket and where that ends, so
/// that a number lies in it or in one of the next.
struct SketchScale: Sendable {
    /// What is known of the numbers that begin with the same bits.
    private struct Cell {
        /// The largest number of `bucket`.
        var border: Double
        /// A bucket that is not behind that of the least number.
        var bucket: Int32
    }

    let gamma: Double
    private let inverseLogGamma: Double
    /// Empty for accuracies that would need large tables.
    private let cells: [Cell]
    /// Per bucket from `firstBucket` on the largest number in it.
    private let borders: [Double]
    /// The bucket of the least number that has a cell.
    let firstBucket: Int

    /// Bits of a number that are not part of its cell: all but sign, exponent and eight of the fraction.
    private static let cellShift: UInt64 = 44
    private static let cellRange = (0x1p-20).bitPattern >> Self.cellShift..<(0x1p44).bitPattern >> Self.cellShift
    /// Finer scales compute each logarithm.
    private static let accuracyMin = 0.000_5

    init(accuracy: Double) {
        let gamma = (1 + accuracy) / (1 - accuracy)
        let inverse = 1 / log(gamma)
        self.gamma = gamma
        self.inverseLogGamma = inverse
        guard accuracy >= Self.accuracyMin else {
            self.cells = []
            self.borders = []
            self.firstBucket = 0
            return
        }
        // One less, as a logarithm may be a rounding too large.
        let start = Int((log(0x1p-20) * inverse).rounded(.up)) - 1
        let end = Int((log(0x1p44) * inverse).rounded(.up)) + 2
        let borders = (start..<end).map { pow(gamma, Double($0)) }
        var bucket = start
        self.cells = Self.cellRange.map { cell in
            let least = Double(bitPattern: cell << Self.cellShift)
            while least > borders[bucket - start] { bucket += 1 }
            return Cell(border: borders[bucket - start], bucket: Int32(bucket))
        }
        self.borders = borders
        self.firstBucket = start
    }

    /// How many buckets the numbers that have cells lie in; 0 when none has.
    var bucketCount: Int { self.borders.count }

    /// The place of a number's bucket among those from `firstBucket` on; `nil` for numbers without a cell.
    @inline(__always)
    func place(of value: Double) -> Int? {
        let index = value.bitPattern >> Self.cellShift &- Self.cellRange.lowerBound
        guard index < UInt64(self.cells.count) else { return nil }
        let cell = self.cells[Int(index)]
        var place = Int(cell.bucket) &- self.firstBucket
        // Fast path: most cells lie in one bucket.
        if value <= cell.border { return place }
        repeat { place &+= 1 } while value > self.borders[place]
        return place
    }

    /// Where a number is counted.
    enum Bucket: Hashable {
        /// Only numbers that are not negative have a place in a sketch (12).
        case none
        case zero
        case number(Int)
    }

    /// The bucket of any number.
    func bucket(of value: Double) -> Bucket {
        guard value >= 0, value < .infinity else { return .none }
        if let place = self.place(of: value) { return .number(self.firstBucket + place) }
        let bucket = NumberSketch.bucket(of: value, inverseLogGamma: self.inverseLogGamma)
        return bucket.map { .number(Int(Int32(clamping: $0))) } ?? .zero
    }
}
