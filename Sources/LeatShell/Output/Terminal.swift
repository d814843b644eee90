internal import Glibc

/// What a command may do with its outputs: decided once, from flags, environment and what they are.
public struct Terminal: Hashable, Sendable {
    /// When to use colours.
    public enum ColorChoice: String, Hashable, Sendable, CaseIterable {
        case auto, always, never
    }

    /// Whether answers go to a terminal: they are cut to its width then, and long ones to some rows.
    public var isTerminal: Bool
    /// Whether notes and progress go to a terminal.
    public var errorIsTerminal: Bool
    /// Whether answers may have colours.
    public var hasColor: Bool
    /// Columns of the terminal.
    public var width: Int
    /// Rows of the terminal.
    public var height: Int
    /// Whether blocks, lines and arrows beyond ASCII can be shown.
    public var isUnicode: Bool

    public init(
        isTerminal: Bool,
        errorIsTerminal: Bool = false,
        hasColor: Bool = false,
        width: Int = 80,
        height: Int = 24,
        isUnicode: Bool = true
    ) {
        self.isTerminal = isTerminal
        self.errorIsTerminal = errorIsTerminal
        self.hasColor = hasColor
        self.width = width
        self.height = height
        self.isUnicode = isUnicode
    }

    /// A pipe: nothing is coloured, cut or left out.
    public static let pipe = Terminal(isTerminal: false)

    /// The decision.
    ///
    /// Precedence for colours: the flag, `NO_COLOR`, `TERM=dumb`, then whether it is a terminal.
    public static func decide(
        color: ColorChoice,
        environment: [String: String],
        outputIsTerminal: Bool,
        errorIsTerminal: Bool,
        size: (width: Int, height: Int)?
    ) -> Terminal {
        let isDumb = environment["TERM"] == "dumb"
        let hasColor: Bool
        switch color {
        case .always: hasColor = true
        case .never: hasColor = false
        case .auto: hasColor = outputIsTerminal && environment["NO_COLOR", default: ""].isEmpty && !isDumb
        }
        let locale = ["LC_ALL", "LC_CTYPE", "LANG"].lazy.compactMap { environment[$0] }.first { !$0.isEmpty } ?? ""
        // Most containers set no locale at all and understand UTF-8; one that is set to something else does not.
        let isUnicode = locale.isEmpty || locale.lowercased().replacing("-").contains("utf8")
        return Terminal(
            isTerminal: outputIsTerminal,
            errorIsTerminal: errorIsTerminal && !isDumb,
            hasColor: hasColor,
            width: max(1, size?.width ?? environment["COLUMNS"].flatMap { Int($0) } ?? 80),
            height: max(1, size?.height ?? environment["LINES"].flatMap { Int($0) } ?? 24),
            isUnicode: isUnicode
        )
    }

    /// The decision for this process.
    public static func current(color: ColorChoice = .auto) -> Terminal {
        Self.decide(
            color: color,
            environment: Environment.current(),
            outputIsTerminal: isatty(STDOUT_FILENO) == 1,
            errorIsTerminal: isatty(STDERR_FILENO) == 1,
            size: Self.size(of: STDOUT_FILENO)
        )
    }

    /// Columns and rows of the terminal behind a descriptor; `nil` when there is none, or it does not say.
    static func size(of descriptor: Int32) -> (width: Int, height: Int)? {
        var size = winsize()
        guard ioctl(descriptor, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0, size.ws_row > 0 else { return nil }
        return (Int(size.ws_col), Int(size.ws_row))
    }
}

extension String {
    /// The text without any `-`.
    fileprivate func replacing(_ unwanted: Character) -> String { self.filter { $0 != unwanted } }
}

/// The environment of the process.
public enum Environment {
    /// All variables.
    public static func current() -> [String: String] {
        var result: [String: String] = [:]
        var entry = environ
        while let text = entry.pointee {
            let parts = String(cString: text).split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            if parts.count == 2 { result[String(parts[0])] = String(parts[1]) }
            entry += 1
        }
        return result
    }
}
