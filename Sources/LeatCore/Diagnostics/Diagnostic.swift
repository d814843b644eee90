/// Something that the user wrote wrong, with the place and what to do about it.
///
/// One renderer serves all three programs and the server's JSON.
public struct Diagnostic: Error, Hashable, Sendable {
    public enum Severity: String, Hashable, Sendable {
        case error, warning
    }

    /// The name of what was read: a path, or `query`, or a flag.
    public let source: String
    /// Line, from 1.
    public let line: Int
    /// Column in Unicode scalars, from 1.
    public let column: Int
    /// How many Unicode scalars to underline, at least 1.
    public let length: Int
    /// The text of that line, without its newline.
    public let lineText: String
    public let severity: Severity
    /// Lower case, no final stop; names the value and the place.
    public let message: String
    /// What to do next.
    public let hint: String?

    /// A diagnostic for the scalars `range` of `text`.
    public init(
        source: String,
        text: String,
        range: Range<Int>,
        severity: Severity = .error,
        message: String,
        hint: String? = nil
    ) {
        var line = 1
        var lineStart = 0
        var position = 0
        var current = String.UnicodeScalarView()
        for scalar in text.unicodeScalars {
            if scalar == "\n" {
                if current.last == "\r" { current.removeLast() }
                if position >= range.lowerBound { break }
                line += 1
                lineStart = position + 1
                current.removeAll()
            } else {
                current.append(scalar)
            }
            position += 1
        }
        let column = min(range.lowerBound - lineStart, current.count) + 1
        self.init(
            source: source,
            line: line,
            column: column,
            length: max(1, min(range.count, current.count - column + 1)),
            lineText: String(current),
            severity: severity,
            message: message,
            hint: hint
        )
    }

    public init(
        source: String,
        line: Int,
        column: Int,
        length: Int = 1,
        lineText: String,
        severity: Severity = .error,
        message: String,
        hint: String? = nil
    ) {
        self.source = source
        self.line = line
        self.column = column
        self.length = max(1, length)
        self.lineText = lineText
        self.severity = severity
        self.message = message
        self.hint = hint
    }

    /// The same with another severity.
    public func with(severity: Severity) -> Diagnostic {
        Diagnostic(
            source: self.source,
            line: self.line,
            column: self.column,
            length: self.length,
            lineText: self.lineText,
            severity: severity,
            message: self.message,
            hint: self.hint
        )
    }
}

extension Diagnostic: CustomStringConvertible {
    /// The diagnostic as shown to people: place and message, the line, the caret, the hint.
    public var description: String {
        var margin = ""
        for scalar in self.lineText.unicodeScalars.prefix(self.column - 1) {
            margin.unicodeScalars.append(scalar == "\t" ? "\t" : " ")
        }
        var text = "\(self.source):\(self.line):\(self.column): \(self.severity.rawValue): \(self.message)"
        text += "\n  \(self.lineText)\n  \(margin)^\(String(repeating: "~", count: self.length - 1))"
        if let hint = self.hint { text += "\nhint: \(hint)" }
        return text
    }
}
