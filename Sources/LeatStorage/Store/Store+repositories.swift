internal import LeatCore
internal import Synchronization

extension Store {
    /// Creates a repository; it is durable on return.
    @discardableResult
    public func createRepository(
        _ name: String,
        retention: Retention = .standard
    ) throws(StorageError) -> Repository {
        guard Repository.isValid(name: name) else { throw .invalidRepositoryName(name) }
        return try self.whilePublishing { () throws(StorageError) in
            let found = self.state.withLock { state in
                defer { state.nextRepository += 1 }
                return (isKnown: state.repositories[name] != nil, isClosed: state.isClosed, id: state.nextRepository)
            }
            guard !found.isKnown else { throw StorageError.repositoryExists(name: name) }
            guard !found.isClosed else { throw StorageError.closed }
            let repository = Repository(name: name, createdAt: self.options.time.now(), retention: retention)
            let record = RepositoryRecord(id: found.id, repository: repository, nextRow: 0)
            var change = CatalogChange()
            change.putRepositories = [record]
            try self.publish(change)
            self.state.withLock { $0.repositories[name] = RepositoryState(record: record) }
            return repository
        }
    }

    public func setRetention(_ retention: Retention, of name: String) throws(StorageError) {
        try self.whilePublishing { () throws(StorageError) in
            guard var record = self.state.withLock({ $0.repositories[name]?.record }) else { throw self.unknown(name) }
            record.repository.retention = retention
            var change = CatalogChange()
            change.putRepositories = [record]
            try self.publish(change)
            self.state.withLock { $0.repositories[name]?.record = record }
        }
    }

    /// Removes a repository and all its events.
    public func deleteRepository(_ name: String) throws(StorageError) {
        try self.whilePublishing { () throws(StorageError) in
            guard let known = self.state.withLock({ $0.repositories[name] }) else { throw self.unknown(name) }
            var change = CatalogChange()
            change.removedRepositories = [known.record.id]
            try self.publish(change)
            self.state.withLock { state in
                guard let removed = state.repositories.removeValue(forKey: name) else { return }
                for datasource in removed.datasources.values {
                    state.openByteCount -= (datasource.growing + datasource.frozen).reduce(0) { $0 + $1.byteCount }
                    state.encodedByteCount -= datasource.encoded.reduce(0) { $0 + $1.encoded.bytes.count }
                }
            }
            for segment in known.segments { segment.removeWhenUnused() }
        }
        self.wakeWaiting()
    }

    /// Runs `body` while nobody else seals, merges or publishes.
    func whilePublishing<Value>(_ body: () throws(StorageError) -> Value) throws(StorageError) -> Value {
        let result: Result<Value, StorageError> = self.publishing.withLock { _ in
            do throws(StorageError) { return .success(try body()) } catch { return .failure(error) }
        }
        return try result.get()
    }
}
