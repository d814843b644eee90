/// Sizes as people write them.
public enum ByteCountText {
    private static let units: [(suffix: String, factor: Int)] = [
        ("kib", 1 << 10), ("mib", 1 << 20), ("gib", 1 << 30), ("tib", 1 << 40),
        ("kb", 1 << 10), ("mb", 1 << 20), ("gb", 1 << 30), ("tb", 1 << 40),
        ("k", 1 << 10), ("m", 1 << 20), ("g", 1 << 30), ("t", 1 << 40), ("b", 1), ("", 1),
    ]

    /// Bytes in a text such as `64MiB`, `10M`, `5 MB` or `1024`; units are powers of 1024 and ignore case.
    public static func parse(_ text: String) -> Int? {
        let lower = text.lowercased()
        let digits = lower.prefix { ("0"..."9").contains($0) }
        let unit = lower[digits.endIndex...].drop { $0 == " " }
        guard let number = Int(digits), let factor = Self.units.first(where: { $0.suffix == unit })?.factor else {
            return nil
        }
        let (product, overflow) = number.multipliedReportingOverflow(by: factor)
        return overflow ? nil : product
    }
}
