internal import LeatParsing

/// Reads values in the forms that Fluent Bit's configurations use.
enum SettingValue {
    /// `on`, `true`, `yes`, `1` or their opposites, in any case.
    static func flag(_ text: String) -> Bool? {
        switch text.lowercased() {
        case "on", "true", "yes", "1": true
        case "off", "false", "no", "0": false
        default: nil
        }
    }

    /// A size: digits, then nothing, `k`, `M` or `G`, then `b` if one likes; units are powers of 1000, as Fluent Bit has it.
    ///
    /// `false` and `off` mean no limit.
    static func byteCount(_ text: String) -> Int? {
        var rest = Substring(text.lowercased())
        if rest == "false" || rest == "off" { return .max }
        if rest.hasSuffix("b") { rest = rest.dropLast() }
        var factor = 1.0
        switch rest.last {
        case "k": factor = 1000
        case "m": factor = 1_000_000
        case "g": factor = 1_000_000_000
        default: break
        }
        if factor > 1 { rest = rest.dropLast() }
        guard let number = Double(rest.trimmed), number >= 0, number * factor < 9e18 else { return nil }
        return Int(number * factor)
    }

    /// A span of time: a number of seconds, or with `ms`, `s`, `m`, `h`, `d` behind it; fractions are allowed.
    static func nanoseconds(_ text: String) -> Int64? {
        let lower = text.lowercased()
        let number = lower.prefix { $0.isNumber || $0 == "." || $0 == "-" || $0 == "+" }
        guard let value = Double(number), value.isFinite else { return nil }
        let factor: Double
        switch String(lower[number.endIndex...]).trimmed {
        case "", "s", "sec": factor = 1e9
        case "ms": factor = 1e6
        case "us": factor = 1e3
        case "ns": factor = 1
        case "m", "min": factor = 60e9
        case "h": factor = 3600e9
        case "d": factor = 86_400e9
        default: return nil
        }
        return abs(value * factor) < 9e18 ? Int64(value * factor) : nil
    }

    /// The bytes of a text with `\\n`, `\\r`, `\\t`, `\\0`, `\\\\` and `\\xNN` in it; never none.
    static func unescaped(_ text: String) -> [UInt8] {
        var bytes: [UInt8] = []
        var rest = Array(text.utf8)[...]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "\\"), let next = rest.popFirst() else {
                bytes.append(byte)
                continue
            }
            switch next {
            case UInt8(ascii: "n"): bytes.append(0x0A)
            case UInt8(ascii: "r"): bytes.append(0x0D)
            case UInt8(ascii: "t"): bytes.append(0x09)
            case UInt8(ascii: "0"): bytes.append(0)
            case UInt8(ascii: "x") where rest.count >= 2:
                guard let value = UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16) else { fallthrough }
                bytes.append(value)
                rest = rest.dropFirst(2)
            default: bytes.append(next)
            }
        }
        return bytes.isEmpty ? [0x0A] : bytes
    }

    /// The items between commas, without white space around them; empty ones are left out.
    static func list(_ text: String) -> [String] {
        text.split(separator: ",").map(\.trimmed).filter { !$0.isEmpty }
    }

    /// Words divided by white space; text in double quotes is one word, without the quotes.
    ///
    /// With `limit`, the last word takes the rest of the text as it is.
    static func words(_ text: String, limit: Int = .max) -> [String] {
        var words: [String] = []
        var rest = Substring(text)
        while true {
            rest = rest.drop { $0 == " " || $0 == "\t" }
            guard let first = rest.first else { return words }
            if words.count + 1 >= limit {
                return words + [Self.unquoted(rest.trimmed)]
            }
            if first == "\"", let end = rest.dropFirst().firstIndex(of: "\"") {
                words.append(String(rest[rest.index(after: rest.startIndex)..<end]))
                rest = rest[rest.index(after: end)...]
            } else {
                let word = rest.prefix { $0 != " " && $0 != "\t" }
                words.append(String(word))
                rest = rest[word.endIndex...]
            }
        }
    }

    private static func unquoted(_ text: String) -> String {
        guard text.count >= 2, text.hasPrefix("\""), text.hasSuffix("\"") else { return text }
        let inner = text.dropFirst().dropLast()
        return inner.contains("\"") ? text : String(inner)
    }
}
