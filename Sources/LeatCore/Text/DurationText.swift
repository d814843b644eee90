/// Lengths of time as people write them in configurations.
public enum DurationText {
    private static let units: [(suffix: String, nanoseconds: Double)] = [
        ("ns", 1), ("us", 1e3), ("ms", 1e6), ("s", 1e9), ("m", 60e9), ("h", 3600e9), ("d", 86_400e9), ("w", 604_800e9),
        ("", 1e9),
    ]

    /// Nanoseconds in a text such as `500ms`, `1.5s`, `5m`, `24h`, `30d` or `10` (seconds); not negative.
    public static func nanoseconds(_ text: String) -> Int64? {
        let lower = text.lowercased()
        let digits = lower.prefix { ("0"..."9").contains($0) || $0 == "." }
        let unit = lower[digits.endIndex...].drop { $0 == " " }
        guard let number = Double(digits), let factor = Self.units.first(where: { $0.suffix == unit })?.nanoseconds
        else { return nil }
        let product = (number * factor).rounded()
        return product < 9.2e18 ? Int64(product) : nil
    }
}
