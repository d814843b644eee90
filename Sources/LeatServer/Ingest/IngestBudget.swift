internal import Synchronization

/// The memory that requests under way may hold together; decided before anything of a request is stored.
final class IngestBudget: Sendable {
    private let limit: Int
    private let used = Mutex(0)

    /// - Parameter limit: Bytes of decompressed bodies that may be in memory at a time.
    init(limit: Int) { self.limit = limit }

    /// Bytes in use.
    var usedByteCount: Int { self.used.withLock { $0 } }

    /// Takes bytes; answers `false`, taking none, when that would pass the limit.
    func take(_ byteCount: Int) -> Bool {
        self.used.withLock { used in
            // A single request may always go on, however large its limit is.
            guard used + byteCount <= self.limit || used == 0 else { return false }
            used += byteCount
            return true
        }
    }

    /// Gives bytes back.
    func give(_ byteCount: Int) { self.used.withLock { $0 -= byteCount } }
}

/// What one request has taken of the budget; gives it back when it goes.
final class IngestShare: @unchecked Sendable {
    // Sound as Sendable: one request owns it and uses it from one task.
    private let budget: IngestBudget
    private var byteCount = 0

    init(_ budget: IngestBudget) { self.budget = budget }

    /// Takes bytes, or refuses the request.
    func take(_ byteCount: Int) throws(RequestFault) {
        guard self.budget.take(byteCount) else {
            throw .elastic(
                429,
                "es_rejected_execution_exception",
                "too many bytes of requests are under way; send again later"
            )
        }
        self.byteCount += byteCount
    }

    deinit { self.budget.give(self.byteCount) }
}
