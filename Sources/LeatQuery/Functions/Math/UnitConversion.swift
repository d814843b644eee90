internal import LeatCore

/// `unit:convert`: a number of one unit as a number of another.
///
/// A unit is an optional prefix (`k`, `M`, `Ki`, …) and a name; both sides must be of one kind. Lengths of time are kinds
/// of their own, all other names must be equal on both sides.
enum UnitConversion {
    private struct Unit {
        /// How many base units one is.
        let factor: Double
        let base: String
    }

    private static let times: [String: Double] = [
        "ns": 1e-9, "nanosecond": 1e-9, "us": 1e-6, "µs": 1e-6, "microsecond": 1e-6, "ms": 1e-3, "milli": 1e-3,
        "millisecond": 1e-3, "s": 1, "sec": 1, "second": 1, "m": 60, "min": 60, "minute": 60, "h": 3600, "hr": 3600,
        "hour": 3600, "d": 86_400, "day": 86_400, "w": 604_800, "week": 604_800, "month": 2_592_000,
        "y": 31_536_000, "year": 31_536_000,
    ]

    private static let prefixes: [(text: String, power: Int)] = [
        ("k", 1), ("K", 1), ("M", 2), ("G", 3), ("T", 4), ("P", 5), ("E", 6),
    ]

    private static let bytes: Set<String> = ["b", "byte", "bytes", "B"]

    static func make(_ call: BoundCall) throws(CallProblem) -> RowFunctionKind {
        var fromText = call.text("from")
        var toText = call.text("to")
        if let both = call.text("unit") {
            let parts = both.split(separator: " ").map(String.init)
            if let middle = parts.firstIndex(of: "to") {
                fromText = parts[..<middle].joined(separator: " ")
                toText = parts[(middle + 1)...].joined(separator: " ")
            } else if toText == nil {
                toText = both
            } else {
                fromText = both
            }
        }
        let isBinary = call.isTrue("binary")
        let from = Self.unit(fromText ?? "", isBinary: isBinary)
        let keepsUnit = call.isTrue("keepUnit")
        guard let toText else { return Self.readable(call, from: from, keepsUnit: keepsUnit, isBinary: isBinary) }
        let to = Self.unit(toText, isBinary: isBinary)
        guard from.base == to.base || from.base.isEmpty || to.base.isEmpty else {
            throw call.problem(
                "cannot convert '\(fromText ?? "")' to '\(toText)'",
                of: call.isGiven("unit") ? "unit" : "to"
            )
        }
        let factor = from.factor / to.factor
        return .function(
            ValueFunction([call.field("field")], as: call.outputName) { inputs in
                guard let value = inputs.number(0) else { return nil }
                let text = NumberText.text(value * factor)
                return Array((keepsUnit ? "\(text) \(toText)" : text).utf8)
            }
        )
    }

    /// Without a target, the largest prefix that leaves a number of at least 1.
    private static func readable(
        _ call: BoundCall,
        from: Unit,
        keepsUnit: Bool,
        isBinary: Bool
    ) -> RowFunctionKind {
        .function(
            ValueFunction([call.field("field")], as: call.outputName) { inputs in
                guard var value = inputs.number(0) else { return nil }
                value *= from.factor
                var prefix = ""
                let step: Double = isBinary ? 1024 : 1000
                for candidate in ["k", "M", "G", "T", "P", "E"] where value.magnitude >= step {
                    value /= step
                    prefix = candidate
                }
                let unit = prefix + (isBinary && !prefix.isEmpty ? "i" : "") + from.base
                return Array((unit.isEmpty ? NumberText.text(value) : "\(NumberText.text(value)) \(unit)").utf8)
            }
        )
    }

    private static func unit(_ text: String, isBinary: Bool) -> Unit {
        let singular = text.count > 3 && text.hasSuffix("s") ? String(text.dropLast()) : text
        if let seconds = Self.times[singular] { return Unit(factor: seconds, base: "time") }
        let name = Self.bytes.contains(text) ? "B" : text
        for (prefix, power) in Self.prefixes where text.hasPrefix(prefix) {
            var rest = text.dropFirst(prefix.count)
            var step: Double = isBinary ? 1024 : 1000
            if rest.hasPrefix("i") {
                rest = rest.dropFirst()
                step = 1024
            }
            let known = Self.bytes.contains(String(rest)) || rest.isEmpty || rest.hasPrefix(" ") || rest == "bit"
            guard known else { continue }
            var factor = 1.0
            for _ in 0..<power { factor *= step }
            let base = rest.drop { $0 == " " }
            return Unit(factor: factor, base: Self.bytes.contains(String(base)) ? "B" : String(base))
        }
        return Unit(factor: 1, base: name)
    }
}
