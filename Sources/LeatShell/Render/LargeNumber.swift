/// A number in digits three rows high, for answers that are one value.
enum LargeNumber {
    private static let glyphs: [Character: [String]] = [
        "0": ["█▀█", "█ █", "▀▀▀"], "1": ["▄█ ", " █ ", "▀▀▀"], "2": ["▀▀█", "█▀▀", "▀▀▀"],
        "3": ["▀▀█", " ▀█", "▀▀▀"], "4": ["█ █", "▀▀█", "  ▀"], "5": ["█▀▀", "▀▀█", "▀▀▀"],
        "6": ["█▀▀", "█▀█", "▀▀▀"], "7": ["▀▀█", "  █", "  ▀"], "8": ["█▀█", "█▀█", "▀▀▀"],
        "9": ["█▀█", "▀▀█", "▀▀▀"], ".": [" ", " ", "▄"], "-": ["  ", "▀▀", "  "], " ": [" ", " ", " "],
    ]

    /// The value with its label below; `nil` when it is no plain number or does not fit.
    static func draw(_ value: String, label: String, terminal: Terminal) -> String? {
        guard terminal.isTerminal, Double(value) != nil, value.allSatisfy({ Self.glyphs[$0] != nil }) else {
            return nil
        }
        let grouped = Self.grouped(value)
        var result = ""
        if terminal.isUnicode, grouped.count * 4 <= terminal.width {
            for row in 0..<3 {
                let line = grouped.compactMap { Self.glyphs[$0]?[row] }.joined(separator: " ")
                result += Self.styled(line.trimmedAtEnd, .bold, terminal) + "\n"
            }
            result += "\n"
        }
        let plain = Array("\(label) = \(value)".utf8)
        var shown: [UInt8] = []
        plain.withUnsafeBytes { _ = ShownText.append($0, to: &shown, columnsMax: terminal.width, terminal: terminal) }
        return result + String(decoding: shown, as: UTF8.self) + "\n"
    }

    /// The digits before the point in groups of three.
    private static func grouped(_ value: String) -> String {
        let digits = value.prefix { $0 != "." }
        var result = ""
        for (index, digit) in digits.enumerated() {
            let rest = digits.count - index
            if index > 0, rest % 3 == 0, result != "-" { result.append(" ") }
            result.append(digit)
        }
        return result + value.dropFirst(digits.count)
    }

    private static func styled(_ text: String, _ style: Style, _ terminal: Terminal) -> String {
        var bytes: [UInt8] = []
        bytes.append(text, style, if: terminal.hasColor)
        return String(decoding: bytes, as: UTF8.self)
    }
}
