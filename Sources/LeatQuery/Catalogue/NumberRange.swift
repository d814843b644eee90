internal import LeatCore

/// The numbers that a parameter takes.
public struct NumberRange: Hashable, Sendable {
    public let bounds: ClosedRange<Double>
    /// Whether there are numbers between whole ones.
    public let isWhole: Bool
    /// Whether a larger number means the largest, with a warning; the word `max` does without one.
    public let isLimit: Bool

    private init(_ bounds: ClosedRange<Double>, isWhole: Bool, isLimit: Bool) {
        self.bounds = bounds
        self.isWhole = isWhole
        self.isLimit = isLimit
    }

    /// Whole numbers; others are errors.
    static func whole(_ bounds: ClosedRange<Int>) -> NumberRange {
        NumberRange(Double(bounds.lowerBound)...Double(bounds.upperBound), isWhole: true, isLimit: false)
    }

    /// Whole numbers from a least one on.
    static func whole(from least: Int) -> NumberRange {
        NumberRange(Double(least)...Double(Int32.max), isWhole: true, isLimit: false)
    }

    /// Numbers with or without a fraction.
    static func any(_ bounds: ClosedRange<Double>) -> NumberRange {
        NumberRange(bounds, isWhole: false, isLimit: false)
    }

    /// How many of something are wanted, of which there are at most so many.
    static func limit(_ bounds: ClosedRange<Int>) -> NumberRange {
        NumberRange(Double(bounds.lowerBound)...Double(bounds.upperBound), isWhole: true, isLimit: true)
    }

    /// The range in words, as after "a number" or "wants a number".
    var phrase: String {
        let lower = NumberText.text(self.bounds.lowerBound)
        let isOpen = self.bounds.upperBound >= Double(Int32.max)
        return isOpen ? "from \(lower) on" : "from \(lower) to \(NumberText.text(self.bounds.upperBound))"
    }
}

extension NumberRange {
    private static let limits = QueryLimits()

    /// Rows of `head`, `tail`, `sort` and `table`.
    static let rows = NumberRange.limit(0...Self.limits.rowsMax)
    /// Groups, and whatever else is kept per query.
    static let groups = NumberRange.limit(1...Self.limits.groupsMax)
    /// Series of a chart.
    static let series = NumberRange.limit(1...Self.limits.seriesMax)
    /// Rows of a sub-query.
    static let joined = NumberRange.limit(1...Self.limits.joinRows)
    /// Buckets of an interval.
    static let buckets = NumberRange.whole(1...Self.limits.buckets)
}
