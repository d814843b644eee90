internal import LeatCore

/// A request that is refused as a whole; nothing of it is stored.
struct RequestFault: Error, Hashable, Sendable, CustomStringConvertible {
    /// How the answer is worded, which depends on the API that was called.
    enum Style: Hashable, Sendable {
        /// Elasticsearch's error object.
        case elastic
        /// A sentence as plain text, as Humio answers.
        case text
        /// Splunk's `{"text":…,"code":…}`, with `invalid-event-number` when one event of several is at fault.
        case splunk(code: Int, event: Int? = nil)
    }

    let status: Int
    /// Elasticsearch's error type; for other APIs a word for the metrics.
    let type: String
    /// For people; names what was wrong and what to do.
    let reason: String
    var style: Style
    /// Further headers of the answer.
    var headers: [Header] = []

    /// One header of an answer.
    struct Header: Hashable, Sendable {
        let name: String
        let value: String
    }

    var description: String { self.reason }

    /// A refusal in Elasticsearch's words.
    static func elastic(_ status: Int, _ type: String, _ reason: String) -> RequestFault {
        RequestFault(status: status, type: type, reason: reason, style: .elastic)
    }

    /// A refusal in a sentence.
    static func text(_ status: Int, _ type: String, _ reason: String) -> RequestFault {
        RequestFault(status: status, type: type, reason: reason, style: .text)
    }

    /// A refusal of a Splunk endpoint.
    static func splunk(_ status: Int, code: Int, _ reason: String, event: Int? = nil) -> RequestFault {
        RequestFault(status: status, type: "splunk_\(code)", reason: reason, style: .splunk(code: code, event: event))
    }

    /// The body of the answer and its media type.
    var body: (bytes: [UInt8], mediaType: String) {
        switch self.style {
        case .elastic: (self.elasticBody.bytes, "application/json")
        case .text: (Array(self.reason.utf8), "text/plain; charset=utf-8")
        case .splunk(let code, let event): (self.splunkBody(code, event).bytes, "application/json")
        }
    }

    private func splunkBody(_ code: Int, _ event: Int?) -> JSONValue {
        var members: [JSONValue.Member] = [.init("text", .string(self.reason)), .init("code", JSONValue(code))]
        if let event { members.append(.init("invalid-event-number", JSONValue(event))) }
        return .object(members)
    }

    /// Elasticsearch's error object.
    var elasticBody: JSONValue {
        let cause: [JSONValue.Member] = [.init("type", .string(self.type)), .init("reason", .string(self.reason))]
        let error = [.init("root_cause", .array([.object(cause)]))] + cause
        return .object([.init("error", .object(error)), .init("status", JSONValue(self.status))])
    }
}
