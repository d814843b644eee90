public import LeatCore

/// Why a query ended without an answer.
public enum QueryFailure: Error, Hashable, Sendable, CustomStringConvertible {
    /// A regular expression needed more steps than it may take on one value.
    case tooExpensive(String)
    /// The state of the query grew beyond its limit.
    case outOfMemory(limit: Int)
    /// A function would have made texts beyond a limit.
    case textTooLong(limit: Int)
    /// Two aggregates gave different values to one field.
    case conflict(field: String)
    /// Stored bytes are damaged.
    case damaged(String)
    /// Somebody ended the query.
    case cancelled
    /// The events do not allow what the query asks.
    case unanswerable(String)
    /// The events do not allow what a part of the query asks, such as too many buckets.
    case refused(Diagnostic)

    public var description: String {
        switch self {
        case .tooExpensive(let what): "query too expensive: \(what)"
        case .outOfMemory(let limit):
            "the query needs more than \(limit >> 20) MiB of state; narrow it or group by less"
        case .textTooLong(let limit): "the query makes texts of more than \(limit >> 20) MiB"
        case .conflict(let field): "two aggregates give different values to the field '\(field)'; name one with 'as='"
        case .damaged(let what): what
        case .cancelled: "query cancelled"
        case .unanswerable(let why): why
        case .refused(let diagnostic): diagnostic.description
        }
    }
}
