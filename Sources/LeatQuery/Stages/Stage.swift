internal import LeatCore
internal import Synchronization

/// A step of a plan that changes rows batch by batch: keeps, drops, alters or multiplies them.
///
/// A stage has no state of its own and is shared by all workers; `apply` sees every batch once, in any order.
protocol Stage: Sendable {
    /// Changes `rows` in place.
    func apply(_ rows: inout EventRows, _ context: StageContext) throws(QueryFailure)

    /// The columns of the rows that leave, given those of the rows that come; `nil`: each row has its own.
    func columns(after columns: [String]?) -> [String]?
}

extension Stage {
    func columns(after columns: [String]?) -> [String]? { columns }
}

extension [String] {
    /// These columns and those of `names` that are new.
    func adding(_ names: [String]) -> [String] {
        self + names.filter { !self.contains($0) }
    }
}

/// What stages share during one execution.
final class StageContext: Sendable {
    let options: QueryOptions
    private let cancelled = Atomic<Bool>(false)
    private let messages = Mutex<[String]>([])

    /// Times of the first and last event, where the interval leaves an end open.
    let dataRange: ClosedRange<Int64>?
    /// Where sub-queries look for events when the options name no provider.
    let blocks: [any BlockSource]

    init(options: QueryOptions, dataRange: ClosedRange<Int64>? = nil, blocks: [any BlockSource] = []) {
        self.options = options
        self.blocks = blocks
        self.dataRange = dataRange
    }

    /// Says something to the reader of the answer, once.
    func warn(_ message: String) {
        self.messages.withLock { messages in
            if !messages.contains(message) { messages.append(message) }
        }
    }

    var warnings: [String] { self.messages.withLock { $0 } }

    func cancel() { self.cancelled.store(true, ordering: .relaxed) }

    var isCancelled: Bool { self.cancelled.load(ordering: .relaxed) }

    /// Throws when somebody ended the query.
    func check() throws(QueryFailure) {
        if self.isCancelled { throw .cancelled }
    }
}
