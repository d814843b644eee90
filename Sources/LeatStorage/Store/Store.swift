internal import LeatCore
internal import Synchronization

/// The events of all repositories of one data folder.
///
/// Calls come from any thread. `append` waits without blocking its thread; the other calls may read files and belong off
/// the cooperative pool.
public final class Store: Sendable {
    private struct State {
        var repositories: [String: Repository] = [:]
        var documents: [String: [String: [UInt8]]] = [:]
    }

    private let options: StoreOptions
    private let state = Mutex(State())

    private init(options: StoreOptions) { self.options = options }

    /// Opens the data folder, creating it when absent, and recovers what the last process left.
    public static func open(_ options: StoreOptions) throws(StorageError) -> Store {
        Store(options: options)
    }

    /// Stores a batch; returns once it is durable and snapshots show it.
    public func append(_ batch: IngestBatch) async throws(StorageError) -> AppendOutcome {
        throw StorageError.closed
    }

    /// The rows of a repository as they are now.
    ///
    /// `timeRange` is of event time, in nanoseconds; blocks that lie outside it are left out.
    public func snapshot(
        repository: String,
        timeRange: ClosedRange<Int64>? = nil
    ) throws(StorageError) -> Snapshot {
        guard self.repository(named: repository) != nil else { throw self.unknown(repository) }
        return Snapshot(blocks: [], damaged: [])
    }

    /// Seals all open rows; returns when they are in segments.
    public func seal() throws(StorageError) {}

    /// Seals and merges until nothing is due, and applies the retention.
    public func compact() throws(StorageError) {}

    /// Seals the open rows, removes the journal and closes the files; appends that come later are refused.
    public func close() throws(StorageError) {}

    /// All repositories, sorted by name.
    public var repositories: [Repository] {
        self.state.withLock { state in state.repositories.values.sorted { $0.name < $1.name } }
    }

    public func repository(named name: String) -> Repository? {
        self.state.withLock { $0.repositories[name] }
    }

    @discardableResult
    public func createRepository(
        _ name: String,
        retention: Retention = .standard
    ) throws(StorageError) -> Repository {
        guard Repository.isValid(name: name) else { throw .invalidRepositoryName(name) }
        let repository = Repository(name: name, createdAt: self.options.time.now(), retention: retention)
        let isNew = self.state.withLock { state in
            guard state.repositories[name] == nil else { return false }
            state.repositories[name] = repository
            return true
        }
        guard isNew else { throw .repositoryExists(name: name) }
        return repository
    }

    public func setRetention(_ retention: Retention, of name: String) throws(StorageError) {
        let isKnown = self.state.withLock { state in
            state.repositories[name]?.retention = retention
            return state.repositories[name] != nil
        }
        guard isKnown else { throw self.unknown(name) }
    }

    /// Removes a repository and all its events.
    public func deleteRepository(_ name: String) throws(StorageError) {
        let removed = self.state.withLock { $0.repositories.removeValue(forKey: name) }
        guard removed != nil else { throw self.unknown(name) }
    }

    public func status() -> StoreStatus { StoreStatus() }

    /// Documents of one kind that the server keeps in the catalog, such as tokens and parsers, by name.
    ///
    /// What is in them is the caller's business.
    public func documents(kind: String) throws(StorageError) -> [String: [UInt8]] {
        self.state.withLock { $0.documents[kind] ?? [:] }
    }

    /// Writes a document (durable on return), or removes it (`nil`).
    public func setDocument(_ content: [UInt8]?, kind: String, name: String) throws(StorageError) {
        self.state.withLock { $0.documents[kind, default: [:]][name] = content }
    }

    private func unknown(_ name: String) -> StorageError {
        let names = self.repositories.map(\.name)
        return .unknownRepository(name: name, nearest: NearestName.find(name, among: names))
    }
}
