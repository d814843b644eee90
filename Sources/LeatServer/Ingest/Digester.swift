internal import LeatCore
internal import LeatStorage
internal import Synchronization

/// Takes the rows of requests into storage and past the live queries; returns when they may be acknowledged.
final class Digester: Sendable {
    private let store: Store
    private let live: LiveQueries
    private let parsers: ParserStore
    private let knownRepositories = Mutex<Set<String>>([])

    init(store: Store, live: LiveQueries, parsers: ParserStore) {
        self.store = store
        self.live = live
        self.parsers = parsers
    }

    /// Stores a batch; on return it is durable, searchable and has been offered to every live query.
    ///
    /// The repository is created if it does not exist.
    ///
    /// - Parameters:
    ///   - batch: The events.
    ///   - parser: The parser that they run through, if any.
    ///   - isOwn: Whether they are the server's own events; nobody else writes to its repository.
    /// - Returns: What became of them.
    /// - Throws: What storage refuses.
    func digest(_ batch: IngestBatch, parser: ParserChoice, isOwn: Bool = false) async throws -> AppendOutcome {
        guard isOwn || batch.repository != RepositoryNames.own else {
            throw RequestFault.elastic(
                403,
                "security_exception",
                "only the server itself writes to '\(RepositoryNames.own)'"
            )
        }
        return try await self.keep(batch, parser)
    }

    private func keep(_ batch: IngestBatch, _ parser: ParserChoice) async throws -> AppendOutcome {
        try await self.ensureRepository(batch.repository)
        let batch = self.parsed(batch, parser)
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

    private func parsed(_ batch: IngestBatch, _ choice: ParserChoice) -> IngestBatch {
        switch choice {
        case .unparsed: return batch
        case .byType(let other):
            let fallback = other.flatMap { self.parsers.script($0) }
            return batch.parsed { part in part.tags["#type"].flatMap { self.parsers.script($0) } ?? fallback }
        case .named(let name):
            guard !batch.parts.isEmpty else { return batch }
            guard let script = self.parsers.script(name) else { return Self.unparsed(batch, name) }
            return batch.parsed { _ in script }
        }
    }

    /// An unknown parser loses nothing: the events are stored as they came, and say so.
    private static func unparsed(_ batch: IngestBatch, _ parser: String) -> IngestBatch {
        var batch = batch
        for index in batch.parts.indices {
            let count = batch.parts[index].batch.rowCount
            for (name, value) in [("@error", "true"), ("@error_msg", "unknown parser '\(parser)'")] {
                batch.parts[index].batch.set(
                    name,
                    to: .constant(ConstantColumn(value: ByteSlice(value), rowCount: count))
                )
            }
        }
        return batch
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

/// Which parser the events of a request run through.
enum ParserChoice: Hashable, Sendable {
    /// None: they are stored as they came.
    case unparsed
    /// That of the token, the request or the listener.
    case named(String)
    /// Per event that which the sender's type names, Humio's `type` or Splunk's `sourcetype`; of unknown types the other
    /// one, or none.
    case byType(orElse: String?)

    /// The parser of that name, if there is a name.
    init(_ name: String?) { self = name.map { .named($0) } ?? .unparsed }
}
