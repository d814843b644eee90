internal import Synchronization

/// What requests under way may hold together, decided before anything of a request is stored.
///
/// A repository that holds three quarters of it begins nothing more, so that a busy one leaves room for the others.
final class IngestBudget: Sendable {
    private struct Use {
        var byteCount = 0
        var requestCount = 0
    }

    private struct State {
        var total = Use()
        var ofRepository: [String: Use] = [:]
    }

    private let byteLimit: Int
    private let requestLimit: Int
    private let state = Mutex(State())

    /// - Parameters:
    ///   - byteLimit: Bytes of bodies that may be in memory at a time.
    ///   - requestLimit: Requests that may be under way at a time.
    init(byteLimit: Int, requestLimit: Int) {
        self.byteLimit = byteLimit
        self.requestLimit = requestLimit
    }

    /// Bytes in use.
    var usedByteCount: Int { self.state.withLock { $0.total.byteCount } }

    /// Ingest requests under way.
    var requestCount: Int { self.state.withLock { $0.total.requestCount } }

    /// Begins a request; answers `false` when too many are under way.
    func begin(_ repository: String) -> Bool {
        self.state.withLock { state in
            let own = state.ofRepository[repository] ?? Use()
            guard state.total.requestCount < self.requestLimit,
                own.requestCount == 0 || own.requestCount < self.requestLimit / 4 * 3,
                own.byteCount == 0 || own.byteCount < self.byteLimit / 4 * 3
            else { return false }
            state.total.requestCount += 1
            state.ofRepository[repository, default: own].requestCount += 1
            return true
        }
    }

    /// A request is over, and what it has taken is free.
    func end(_ repository: String, byteCount: Int, isRequest: Bool) {
        self.state.withLock { state in
            state.total.byteCount -= byteCount
            state.ofRepository[repository]?.byteCount -= byteCount
            if isRequest {
                state.total.requestCount -= 1
                state.ofRepository[repository]?.requestCount -= 1
            }
            if let own = state.ofRepository[repository], own.requestCount == 0, own.byteCount == 0 {
                state.ofRepository[repository] = nil
            }
        }
    }

    /// Takes bytes; answers `false`, taking none, when that would pass the limit.
    func take(_ byteCount: Int, _ repository: String) -> Bool {
        self.state.withLock { state in
            // A single request may always go on, however large its limit is.
            guard state.total.byteCount + byteCount <= self.byteLimit || state.total.byteCount == 0 else {
                return false
            }
            state.total.byteCount += byteCount
            state.ofRepository[repository, default: Use()].byteCount += byteCount
            return true
        }
    }
}

/// What one request has taken of the budget; gives it back when it goes.
final class IngestShare: @unchecked Sendable {
    // Sound as Sendable: one request owns it and uses it from one task.
    private let budget: IngestBudget
    private let repository: String
    private let isRequest: Bool
    private var byteCount = 0

    /// Begins a request, or refuses it.
    ///
    /// - Parameters:
    ///   - budget: What there is for all.
    ///   - repository: Where the events go.
    ///   - isStream: Whether it may go on for ever, so that it must not count as one of the requests under way.
    /// - Throws: 429 when too many are under way.
    init(_ budget: IngestBudget, repository: String, isStream: Bool = false) throws(RequestFault) {
        // Before anything is set: what is complete gives back in its end what it never took.
        if !isStream, !budget.begin(repository) {
            throw Self.refusal("too many requests are under way")
        }
        self.budget = budget
        self.repository = repository
        self.isRequest = !isStream
    }

    /// Takes bytes, or refuses the request.
    func take(_ byteCount: Int) throws(RequestFault) {
        guard self.budget.take(byteCount, self.repository) else {
            throw Self.refusal("too many bytes of requests are under way")
        }
        self.byteCount += byteCount
    }

    /// Gives bytes back that were taken.
    func give(_ byteCount: Int) {
        self.budget.end(self.repository, byteCount: byteCount, isRequest: false)
        self.byteCount -= byteCount
    }

    /// Gives back all that was taken so far.
    func giveBack() { self.give(self.byteCount) }

    private static func refusal(_ reason: String) -> RequestFault {
        var fault = RequestFault.elastic(429, "es_rejected_execution_exception", reason + "; send again later")
        fault.headers = [.init(name: "Retry-After", value: "1")]
        return fault
    }

    deinit { self.budget.end(self.repository, byteCount: self.byteCount, isRequest: self.isRequest) }
}
