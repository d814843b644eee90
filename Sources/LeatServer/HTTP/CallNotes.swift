internal import Synchronization

/// What handlers say about a request for the audit log.
final class CallNotes: Sendable {
    private let notes = Mutex<[(name: String, value: String)]>([])

    /// Adds a note, such as the text of a query.
    func add(_ name: String, _ value: String) { self.notes.withLock { $0.append((name, value)) } }

    var all: [(name: String, value: String)] { self.notes.withLock { $0 } }
}
