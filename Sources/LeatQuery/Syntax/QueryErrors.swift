public import LeatCore

/// Everything that is wrong with a query, in the order of its text; never empty.
public struct QueryErrors: Error, Hashable, Sendable, CustomStringConvertible {
    public let diagnostics: [Diagnostic]

    public init(_ diagnostics: [Diagnostic]) {
        precondition(!diagnostics.isEmpty, "errors without an error")
        let places = diagnostics.enumerated().sorted { left, right in
            (left.element.line, left.element.column, left.offset)
                < (right.element.line, right.element.column, right.offset)
        }
        self.diagnostics = places.prefix(SyntaxLimits.errorCountMax).map(\.element)
    }

    public var description: String { self.diagnostics.map(\.description).joined(separator: "\n") }
}
