/// A moment, in nanoseconds since 1970-01-01T00:00:00 UTC; reaches from the year 1677 to 2262.
public struct Timestamp: Hashable, Comparable, Sendable {
    public var nanoseconds: Int64

    @inlinable
    public init(nanoseconds: Int64) { self.nanoseconds = nanoseconds }

    /// The moment `milliseconds` after 1970, held at the ends of the range.
    public init(milliseconds: Int64) {
        let (product, overflow) = milliseconds.multipliedReportingOverflow(by: 1_000_000)
        self.nanoseconds = overflow ? (milliseconds < 0 ? .min : .max) : product
    }

    /// The moment `milliseconds` and some nanoseconds (0...999,999) after 1970; `nil` outside of the range.
    public init?(milliseconds: Int64, nanoseconds: Int64) {
        let (product, overflow) = milliseconds.multipliedReportingOverflow(by: 1_000_000)
        let (sum, outside) = product.addingReportingOverflow(nanoseconds)
        if overflow || outside { return nil }
        self.nanoseconds = sum
    }

    /// Whole milliseconds since 1970, rounded down.
    public var milliseconds: Int64 {
        let (quotient, remainder) = self.nanoseconds.quotientAndRemainder(dividingBy: 1_000_000)
        return remainder < 0 ? quotient - 1 : quotient
    }

    @inlinable
    public static func < (left: Timestamp, right: Timestamp) -> Bool { left.nanoseconds < right.nanoseconds }
}
