/// How a piece of output looks; the sequences are written only when the terminal has colours.
public struct Style: Hashable, Sendable {
    /// The parameters of the SGR sequence, such as `1;31`.
    let code: String

    static let plain = Style(code: "")
    static let bold = Style(code: "1")
    static let dim = Style(code: "2")
    static let error = Style(code: "1;31")
    static let fatal = Style(code: "1;37;41")
    static let warning = Style(code: "33")
    static let info = Style(code: "32")
    static let debug = Style(code: "36")
    static let header = Style(code: "1;4")
    static let escape = Style(code: "2;7")
    static let keyword = Style(code: "1;35")
    static let function = Style(code: "34")
    static let string = Style(code: "32")
    static let number = Style(code: "36")
    static let comment = Style(code: "2")
    static let field = Style(code: "33")
    static let match = Style(code: "1;7")

    /// The colours that sources get: readable on light and dark ground, none of them those of levels.
    static let sources = [
        "36", "35", "34", "38;5;30", "38;5;96", "38;5;68", "38;5;130", "38;5;64", "38;5;132", "38;5;67", "38;5;101",
        "38;5;61",
    ].map { Style(code: $0) }

    /// The colour of a source: the same name has the same colour in every run (FNV-1a of its bytes).
    static func source(_ name: UnsafeRawBufferPointer) -> Style {
        var hash: UInt32 = 0x811C_9DC5
        for byte in name { hash = (hash ^ UInt32(byte)) &* 0x0100_0193 }
        return Self.sources[Int(hash % UInt32(Self.sources.count))]
    }

    /// The colour of a level word such as `error` or `WARN`, in any case; `nil` when it is none.
    static func level(_ word: UnsafeRawBufferPointer) -> Style? {
        guard (1...11).contains(word.count) else { return nil }
        switch String(decoding: word, as: UTF8.self).lowercased() {
        case "fatal", "panic", "emerg", "emergency", "alert", "crit", "critical", "severe": return .fatal
        case "error", "err", "eror", "fail", "failed": return .error
        case "warn", "warning", "wrn": return .warning
        case "info", "information", "notice", "inf": return .info
        case "debug", "dbg", "trace", "trc", "verbose", "fine", "finer", "finest": return .debug
        default: return nil
        }
    }
}

extension [UInt8] {
    /// Begins a style.
    mutating func begin(_ style: Style, if hasColor: Bool) {
        guard hasColor, !style.code.isEmpty else { return }
        self.append(contentsOf: "\u{1B}[\(style.code)m".utf8)
    }

    /// Ends all styles.
    mutating func end(_ style: Style, if hasColor: Bool) {
        guard hasColor, !style.code.isEmpty else { return }
        self.append(contentsOf: "\u{1B}[0m".utf8)
    }

    /// Appends text in a style.
    mutating func append(_ text: String, _ style: Style, if hasColor: Bool) {
        self.begin(style, if: hasColor)
        self.append(contentsOf: text.utf8)
        self.end(style, if: hasColor)
    }
}
