internal import LeatCore
internal import LeatQuery
internal import Synchronization

/// Hands the rows of every stored request to the live queries of its repository, before the request is acknowledged.
final class LiveQueries: Sendable {
    private struct State {
        var queries: [String: [Int: LiveQuery]] = [:]
        var nextNumber = 0
        var isDraining = false
    }

    private let state = Mutex(State())

    /// Live queries that are open.
    var count: Int { self.state.withLock { $0.queries.values.reduce(0) { $0 + $1.count } } }

    /// Opens a live query; `nil` when the server is stopping.
    func open(_ query: LiveQuery, repository: String) -> Int? {
        self.state.withLock { state in
            guard !state.isDraining else { return nil }
            state.nextNumber += 1
            state.queries[repository, default: [:]][state.nextNumber] = query
            return state.nextNumber
        }
    }

    /// Closes a live query.
    func close(_ number: Int, repository: String) {
        let query = self.state.withLock { $0.queries[repository]?.removeValue(forKey: number) }
        query?.end()
    }

    /// Lets all live queries look whether their clients are still allowed.
    func nudge() {
        for query in self.state.withLock({ $0.queries.values.flatMap(\.values) }) { query.nudge() }
    }

    /// Ends all live queries, and refuses new ones: the server stops.
    func drain() {
        let queries = self.state.withLock { state in
            state.isDraining = true
            return state.queries.values.flatMap(\.values)
        }
        for query in queries { query.end() }
    }

    /// Gives stored rows to the repository's live queries.
    func offer(_ batches: [Batch], repository: String) {
        let queries = self.state.withLock { $0.queries[repository].map { Array($0.values) } ?? [] }
        for query in queries {
            for batch in batches { query.offer(batch) }
        }
    }
}
