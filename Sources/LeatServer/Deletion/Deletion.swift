internal import LeatCore
internal import LeatStorage

/// A wish that some events go for ever; kept in the catalog until it is fulfilled, and a while longer to be read.
struct Deletion: Hashable, Sendable {
    enum State: String, Sendable {
        case running, done
        /// Some files could not be read; whatever was found in the others is gone.
        case incomplete
        /// The query could not be run.
        case failed
    }

    let id: String
    let repository: String
    let queryString: String
    /// First moment of the interval; `nil`: from the first event.
    let start: Timestamp?
    /// First moment after the interval; `nil`: to the last event.
    let end: Timestamp?
    let createdAt: Timestamp
    /// Events that are stored later, with this number or a later one, stay.
    let bound: Int64
    var state = State.running
    var deletedCount = 0
    /// Why it failed, or what could not be read.
    var reasons: [String] = []

    init(
        id: String,
        repository: String,
        queryString: String,
        start: Timestamp?,
        end: Timestamp?,
        createdAt: Timestamp,
        bound: Int64
    ) {
        self.id = id
        self.repository = repository
        self.queryString = queryString
        self.start = start
        self.end = end
        self.createdAt = createdAt
        self.bound = bound
    }

    /// From a document of the catalog.
    init?(document: JSONValue) {
        guard let id = document["id"]?.string, let repository = document["repository"]?.string,
            let queryString = document["queryString"]?.string,
            let createdAt = document["created"]?.integer, let bound = document["bound"]?.integer,
            let state = document["state"]?.string.flatMap(State.init(rawValue:))
        else { return nil }
        self.id = id
        self.repository = repository
        self.queryString = queryString
        self.start = document["start"]?.integer.map { Timestamp(nanoseconds: $0) }
        self.end = document["end"]?.integer.map { Timestamp(nanoseconds: $0) }
        self.createdAt = Timestamp(nanoseconds: createdAt)
        self.bound = bound
        self.state = state
        self.deletedCount = document["deleted"]?.integer.map { Int($0) } ?? 0
        self.reasons = document["reasons"]?.array?.compactMap(\.string) ?? []
    }

    /// For the catalog.
    var document: JSONValue {
        [
            "id": .string(self.id), "repository": .string(self.repository), "queryString": .string(self.queryString),
            "start": self.start.map { .number("\($0.nanoseconds)") } ?? .null,
            "end": self.end.map { .number("\($0.nanoseconds)") } ?? .null,
            "created": .number("\(self.createdAt.nanoseconds)"), "bound": .number("\(self.bound)"),
            "state": .string(self.state.rawValue), "deleted": JSONValue(self.deletedCount),
            "reasons": .array(self.reasons.map { .string($0) }),
        ]
    }

    /// For whoever asks: times in milliseconds.
    var description: JSONValue {
        [
            "id": .string(self.id), "repository": .string(self.repository), "queryString": .string(self.queryString),
            "start": self.start.map { .number("\($0.milliseconds)") } ?? .null,
            "end": self.end.map { .number("\($0.milliseconds)") } ?? .null,
            "created": .number("\(self.createdAt.milliseconds)"),
            "state": .string(self.state.rawValue), "deletedEvents": JSONValue(self.deletedCount),
            "reasons": .array(self.reasons.map { .string($0) }),
        ]
    }
}
