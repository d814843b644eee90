internal import LeatCore
internal import Synchronization

/// A catalog that lives as long as the object; with faults on request, for tests.
final class MemoryCatalog: Catalog {
    private struct State {
        var contents = CatalogContents()
        var numbers: [BatchSeries: [ClosedRange<UInt64>]] = [:]
        var batches: [BatchSeries: [UInt64: BatchRecord]] = [:]
        var documents: [String: [String: [UInt8]]] = [:]
        var fault: (@Sendable () -> StorageError?)?
    }

    private let state = Mutex(State())

    init() {}

    /// A catalog with the contents of another one, as a backup has it.
    init(copying other: MemoryCatalog) {
        let copy = other.state.withLock { $0 }
        self.state.withLock { state in
            state = copy
            state.fault = nil
        }
    }

    /// Asks `fault` before every change; an error that it returns is thrown and nothing changes.
    func setFault(_ fault: (@Sendable () -> StorageError?)?) { self.state.withLock { $0.fault = fault } }

    func contents() -> CatalogContents { self.state.withLock { $0.contents } }

    func publish(_ change: CatalogChange, expecting version: Int64) throws(StorageError) -> Int64 {
        let result: Result<Int64, StorageError> = self.state.withLock { state in
            if let error = state.fault?() { return .failure(error) }
            guard state.contents.version == version else {
                return .failure(.catalog("another writer published version \(state.contents.version)"))
            }
            state.contents.apply(change)
            for (series, numbers) in change.storedNumbers { state.numbers[series] = numbers }
            for (series, batches) in change.batches {
                for batch in batches { state.batches[series, default: [:]][batch.number] = batch }
            }
            for id in change.removedRepositories {
                state.numbers = state.numbers.filter { $0.key.repositoryID != id }
                state.batches = state.batches.filter { $0.key.repositoryID != id }
            }
            if let limit = change.forgetsBatchesBefore {
                for series in state.batches.keys {
                    state.batches[series] = state.batches[series]?.filter {
                        !$0.value.refused.isEmpty || $0.value.arrivedAtMilliseconds >= limit
                    }
                }
            }
            return .success(state.contents.version)
        }
        return try result.get()
    }

    func storedNumbers(of series: BatchSeries) -> [ClosedRange<UInt64>] {
        self.state.withLock { $0.numbers[series] ?? [] }
    }

    func outcome(of series: BatchSeries, number: UInt64) -> BatchRecord? {
        self.state.withLock { $0.batches[series]?[number] }
    }

    func documents(kind: String) -> [String: [UInt8]] { self.state.withLock { $0.documents[kind] ?? [:] } }

    func setDocument(_ content: [UInt8]?, kind: String, name: String) throws(StorageError) {
        let error = self.state.withLock { state -> StorageError? in
            if let error = state.fault?() { return error }
            state.documents[kind, default: [:]][name] = content
            return nil
        }
        if let error { throw error }
    }

    func close() {}
}

extension CatalogContents {
    /// The contents after a change.
    mutating func apply(_ change: CatalogChange) {
        self.version += 1
        self.journalRemovedThrough = max(self.journalRemovedThrough, change.journalRemovedThrough)
        for record in change.putRepositories {
            self.nextRepository = max(self.nextRepository, record.id + 1)
            self.repositories.removeAll { $0.id == record.id }
            self.repositories.append(record)
        }
        for record in change.addedSegments { self.nextSegment = max(self.nextSegment, record.number + 1) }
        let removed = Set(change.removedSegments)
        self.segments = (self.segments + change.addedSegments).filter { !removed.contains($0.number) }
        for (id, rows) in change.sealedThrough {
            self.sealedThrough[id, default: [:]].merge(rows) { max($0, $1) }
        }
        for id in change.removedRepositories {
            self.repositories.removeAll { $0.id == id }
            self.segments.removeAll { $0.repositoryID == id }
            self.sealedThrough[id] = nil
        }
    }
}
