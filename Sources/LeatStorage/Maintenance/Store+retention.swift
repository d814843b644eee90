internal import LeatCore
internal import Synchronization

extension Store {
    /// Removes segments that are too old, or the oldest where there are too many bytes.
    func applyRetention() throws(StorageError) {
        try self.expireIDs()
        for repository in self.repositories { try self.applyRetention(of: repository) }
        let space: (free: UInt64, total: UInt64)
        do {
            space = try self.options.fileSystem.space(self.options.path)
        } catch {
            throw .file(error)
        }
        let limit = space.total / 100 * UInt64(self.options.diskPercentMax)
        let all = self.state.withLock { state in state.repositories.values.flatMap(\.segments) }
        try self.remove(Self.oldest(of: all, beyond: limit))
    }

    private func applyRetention(of repository: Repository) throws(StorageError) {
        let segments = self.state.withLock { $0.repositories[repository.name]?.segments ?? [] }
        var expired: [SegmentHandle] = []
        if let age = repository.retention.ageSeconds {
            let limit = self.options.time.now().milliseconds - age * 1000
            expired = segments.filter { $0.record.arrivals.upperBound < limit }
        }
        if let byteCount = repository.retention.byteCount {
            let gone = Set(expired.map(\.record.number))
            expired += Self.oldest(of: segments.filter { !gone.contains($0.record.number) }, beyond: byteCount)
        }
        try self.remove(expired)
    }

    /// The oldest segments without which the others have at most `limit` bytes.
    private static func oldest(of segments: [SegmentHandle], beyond limit: UInt64) -> [SegmentHandle] {
        var total = segments.reduce(0) { $0 + UInt64($1.record.byteCount) }
        var chosen: [SegmentHandle] = []
        for segment in segments.sorted(by: { $0.record.arrivals.upperBound < $1.record.arrivals.upperBound }) {
            guard total > limit else { break }
            total -= UInt64(segment.record.byteCount)
            chosen.append(segment)
        }
        return chosen
    }

    private func remove(_ expired: [SegmentHandle]) throws(StorageError) {
        guard !expired.isEmpty else { return }
        let numbers = Set(expired.map(\.record.number))
        try self.whilePublishing { () throws(StorageError) in
            var change = CatalogChange()
            change.removedSegments = numbers.sorted()
            try self.publish(change)
            self.state.withLock { state in
                for name in state.repositories.keys {
                    state.repositories[name]?.segments.removeAll { numbers.contains($0.record.number) }
                }
                state.counters.expiredSegmentCount += UInt64(expired.count)
                state.counters.expiredRowCount += UInt64(expired.reduce(0) { $0 + $1.record.rowCount })
            }
        }
        for segment in expired { segment.removeWhenUnused() }
    }
}
