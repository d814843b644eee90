internal import LeatCore
internal import LeatStorage
internal import Synchronization

/// Takes the rows of requests into storage and past the live queries; returns when they may be acknowledged.
final class Digester: Sendable {
    private let store: Store
    private let live: LiveQueries
    private let knownRepositories = Mutex<Set<String>>([])

    init(store: Store, live: LiveQueries) {
        self.store = store
        self.live = live
    }

    /// Stores a batch; on return it is durable, searchable and has been offered to every live query.
    ///
    /// The repository is created if it does not exist.
    func digest(_ batch: IngestBatch) async throws -> AppendOutcome {
        try await self.ensureRepository(batch.repository)
        let outcome: AppendOutcome
        do {
            outcome = try await self.store.append(batch)
        } catch StorageError.unknownRepository {
            // It was deleted since we last looked.
            self.forget(batch.repository)
            try await self.ensureRepository(batch.repository)
            outcome = try await self.store.append(batch)
        }
        self.live.offer(outcome.stored, repository: batch.repository)
        return outcome
    }

    /// Forgets that a repository exists.
    func forget(_ repository: String) { self.knownRepositories.withLock { _ = $0.remove(repository) } }

    private func ensureRepository(_ name: String) async throws {
        if self.knownRepositories.withLock({ $0.contains(name) }) { return }
        let store = self.store
        try await Blocking.run {
            if store.repository(named: name) != nil { return }
            do {
                try store.createRepository(name)
            } catch StorageError.repositoryExists {
                // Another request was faster.
            }
        }
        self.knownRepositories.withLock { _ = $0.insert(name) }
    }
}
