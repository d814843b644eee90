public import LeatCore

/// Where a word of a configuration was written.
public struct SourceMark: Hashable, Sendable {
    /// The path of the file, or `command line`.
    public let source: String
    /// Line, from 1.
    public let line: Int
    /// Column in Unicode scalars, from 1.
    public let column: Int
    /// Length in Unicode scalars, at least 1.
    public let length: Int
    /// The whole line, without its newline.
    public let lineText: String

    public init(source: String, line: Int, column: Int, length: Int, lineText: String) {
        self.source = source
        self.line = line
        self.column = column
        self.length = max(1, length)
        self.lineText = lineText
    }

    /// Something to say about this word.
    public func diagnostic(
        _ message: String,
        hint: String? = nil,
        severity: Diagnostic.Severity = .error
    ) -> Diagnostic {
        Diagnostic(
            source: self.source,
            line: self.line,
            column: self.column,
            length: self.length,
            lineText: self.lineText,
            severity: severity,
            message: message,
            hint: hint
        )
    }
}
