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
        // A part of the query may be looked at twice.
        var seen: Set<Diagnostic> = []
        self.diagnostics = places.map(\.element).filter { seen.insert($0).inserted }
            .prefix(SyntaxLimits.errorCountMax).map { $0 }
    }

    public var description: String { self.diagnostics.map(\.description).joined(separator: "\n") }
}
