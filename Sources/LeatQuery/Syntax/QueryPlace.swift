internal import LeatCore

/// A part of a query that may turn out to be impossible while the query runs.
struct QueryPlace: Sendable {
    let source: SourceText
    let range: SourceRange

    /// What is wrong there.
    func diagnostic(_ message: String, hint: String? = nil) -> Diagnostic {
        self.source.diagnostic(message, at: self.range, hint: hint)
    }
}
