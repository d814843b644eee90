internal import LeatCore

/// A conversion of the numbers of a time bucket, `bytes/span to Mi bytes/day` (9.2).
///
/// Each side is a number, a prefix and a name, and may be a rate over a time; without one it is meant per bucket.
struct BucketUnit: Hashable, Sendable {
    private struct Side: Hashable {
        /// How many of the plain unit one is.
        var factor: Double
        var name: String
        /// The time over which it is a rate.
        var time: Time
    }

    private enum Time: Hashable {
        /// The length of a bucket.
        case bucket
        case seconds(Double)

        func seconds(bucket: Double) -> Double {
            switch self {
            case .bucket: bucket
            case .seconds(let seconds): seconds
            }
        }
    }

    private let source: Side
    private let target: Side

    /// A conversion; `nil` for texts that only say what the numbers are, such as `No conversion`.
    ///
    /// - Throws: When the two sides do not measure the same.
    init?(_ text: String, at range: SourceRange) throws(CallProblem) {
        guard let middle = text.firstRange(of: " to ") else { return nil }
        guard let source = Self.side(text[..<middle.lowerBound]), let target = Self.side(text[middle.upperBound...])
        else {
            throw CallProblem(
                "'\(text)' is no conversion",
                at: range,
                hint: "for example \"bytes/span to Mi bytes/day\""
            )
        }
        guard source.name == target.name else {
            throw CallProblem("cannot convert '\(source.name)' to '\(target.name)'", at: range)
        }
        self.source = source
        self.target = target
    }

    /// By what a number is multiplied when buckets are so long.
    func factor(bucketNanoseconds: Int64) -> Double {
        let bucket = Double(bucketNanoseconds) / 1e9
        let rate = self.target.time.seconds(bucket: bucket) / self.source.time.seconds(bucket: bucket)
        return self.source.factor / self.target.factor * rate
    }

    private static func side(_ text: Substring) -> Side? {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false).map { $0.trimmingSpaces }
        guard let first = parts.first, !first.isEmpty, parts.count <= 2 else { return nil }
        let (count, rest) = Self.number(first)
        let unit = MeasureUnit(rest, isBinary: false)
        var side = Side(factor: (count ?? 1) * unit.factor, name: unit.name, time: .bucket)
        if parts.count == 2 {
            guard let time = Self.time(parts[1]) else { return nil }
            side.time = time
        }
        return side
    }

    /// The number at the start of a text, and what follows it.
    private static func number(_ text: String) -> (value: Double?, rest: String) {
        let digits = text.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
        return (Double(digits), text.dropFirst(digits.count).trimmingSpaces)
    }

    /// `[number] unit`, where the unit is any beginning of a name of time, or `ms`; or the bucket itself.
    private static func time(_ text: String) -> Time? {
        let (count, name) = Self.number(text)
        if name.isEmpty { return nil }
        if name == "span" || name == "bucket" { return count == nil || count == 1 ? .bucket : nil }
        if name == "ms" { return .seconds((count ?? 1) * 1e-3) }
        // Minutes before milliseconds, so that `m` is a minute.
        let units: [(name: String, seconds: Double)] = [
            ("seconds", 1), ("minutes", 60), ("milliseconds", 1e-3), ("hours", 3600), ("days", 86_400),
        ]
        let unit = units.first { $0.name.hasPrefix(name.lowercased()) }
        return unit.map { .seconds((count ?? 1) * $0.seconds) }
    }
}

extension StringProtocol {
    /// The text without spaces at its ends.
    fileprivate var trimmingSpaces: String {
        let start = self.drop { $0 == " " }
        return start.lastIndex { $0 != " " }.map { String(start[...$0]) } ?? ""
    }
}
