/// A unit of measure as it is written: a prefix such as `k`, `Mi` or `m`, and a name; `KiB`, `Mi bytes`, `ms`, `G`.
struct MeasureUnit: Hashable, Sendable {
    /// How many plain units one is.
    let factor: Double
    /// The plain unit: `B` for bytes, `s` for lengths of time, else the name as written; empty for a mere prefix.
    let name: String

    private static let times: [String: Double] = [
        "ns": 1e-9, "nanosecond": 1e-9, "us": 1e-6, "µs": 1e-6, "microsecond": 1e-6, "ms": 1e-3, "milli": 1e-3,
        "millisecond": 1e-3, "s": 1, "sec": 1, "second": 1, "m": 60, "min": 60, "minute": 60, "h": 3600, "hr": 3600,
        "hour": 3600, "d": 86_400, "day": 86_400, "w": 604_800, "week": 604_800, "month": 2_592_000,
        "y": 31_536_000, "year": 31_536_000,
    ]

    private static let bytes: Set<String> = ["b", "byte", "bytes", "B"]

    /// Prefixes that are powers of 1000, or of 1024 with an `i` behind them.
    private static let largePrefixes: [(text: String, power: Int)] = [
        ("k", 1), ("K", 1), ("M", 2), ("G", 3), ("T", 4), ("P", 5), ("E", 6), ("Z", 7), ("Y", 8),
    ]

    private static let smallPrefixes: [(text: String, factor: Double)] = [
        ("da", 10), ("h", 100), ("d", 1e-1), ("c", 1e-2), ("m", 1e-3), ("u", 1e-6), ("µ", 1e-6), ("n", 1e-9),
        ("p", 1e-12), ("f", 1e-15), ("a", 1e-18), ("z", 1e-21), ("y", 1e-24),
    ]

    /// Names before which a letter is a prefix without doubt; `count` does not begin with centi.
    private static let names: Set<String> = [
        "", "B", "b", "byte", "bytes", "bit", "bits", "bps", "s", "g", "m", "l", "L", "W", "Wh", "V", "A", "Hz", "J",
        "Pa",
        "N", "mol", "cd", "K", "Ω",
    ]

    /// Reads a unit; with `isBinary` the large prefixes are powers of 1024 even without an `i`.
    init(_ text: String, isBinary: Bool) {
        let singular = text.count > 3 && text.hasSuffix("s") ? String(text.dropLast()) : text
        if let seconds = Self.times[singular] {
            (self.factor, self.name) = (seconds, "s")
            return
        }
        if !Self.names.contains(text), let (factor, rest) = Self.prefix(of: text, isBinary: isBinary) {
            (self.factor, self.name) = (factor, Self.plain(rest))
            return
        }
        (self.factor, self.name) = (1, Self.plain(text))
    }

    init(factor: Double, name: String) {
        self.factor = factor
        self.name = name
    }

    private static func plain(_ name: String) -> String { Self.bytes.contains(name) ? "B" : name }

    /// The factor of the prefix of a text, and what follows it; `nil` when it has none.
    static func prefix(of text: String, isBinary: Bool) -> (factor: Double, rest: String)? {
        for (prefix, power) in Self.largePrefixes where text.hasPrefix(prefix) {
            var rest = text.dropFirst(prefix.count)
            let hasMark = rest.hasPrefix("i")
            if hasMark { rest = rest.dropFirst() }
            let name = String(rest.drop { $0 == " " })
            guard hasMark || rest.hasPrefix(" ") || Self.names.contains(name) else { continue }
            let step: Double = isBinary || hasMark ? 1024 : 1000
            return ((0..<power).reduce(1) { factor, _ in factor * step }, name)
        }
        for (prefix, factor) in Self.smallPrefixes where text.hasPrefix(prefix) {
            let name = String(text.dropFirst(prefix.count).drop { $0 == " " })
            if Self.names.contains(name) { return (factor, name) }
        }
        return nil
    }
}
