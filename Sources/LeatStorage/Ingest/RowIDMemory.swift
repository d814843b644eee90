internal import LeatCore

/// The `_id`s that senders gave lately, as 128-bit digests.
///
/// Ids are kept in generations; the oldest generation goes when all its ids are older than 24 h, or when there are more
/// than 10 million in a repository.
struct RowIDMemory {
    private struct Generation {
        var ids: Set<UInt128> = []
        var lastArrival: Int64 = .min
    }

    private var generations: [Int64: [Generation]] = [:]

    /// Ids that are in the journal alone.
    private var unsaved: [Int64: RowIDRun] = [:]

    init() {}

    /// Records the ids of rows (0: none) and returns the rows whose id was there before.
    mutating func record(_ ids: [UInt128], repositoryID: Int64, arrivedAtMilliseconds: Int64) -> [Int] {
        guard ids.contains(where: { $0 != 0 }) else { return [] }
        // Taken out, so that the sets are changed in place.
        var list = self.generations.removeValue(forKey: repositoryID) ?? []
        Self.makeRoom(in: &list, arrivedAtMilliseconds)
        var unsaved = self.unsaved.removeValue(forKey: repositoryID) ?? RowIDRun(repositoryID: repositoryID)
        var repeated: [Int] = []
        let last = list.count - 1
        for (row, id) in ids.enumerated() where id != 0 {
            let isKnown = list.dropLast().contains { $0.ids.contains(id) }
            if isKnown || !list[last].ids.insert(id).inserted {
                repeated.append(row)
            } else {
                unsaved.ids.append(id)
            }
        }
        list[last].lastArrival.raise(to: arrivedAtMilliseconds)
        unsaved.lastArrival.raise(to: arrivedAtMilliseconds)
        self.generations[repositoryID] = list
        self.unsaved[repositoryID] = unsaved
        return repeated
    }

    private static func makeRoom(in list: inout [Generation], _ now: Int64) {
        list.removeAll { $0.lastArrival != .min && $0.lastArrival < now - StorageLimits.idMilliseconds }
        if list.last.map({ $0.ids.count >= StorageLimits.idGenerationCountMax }) ?? true { list.append(Generation()) }
        if list.count > StorageLimits.idGenerationsMax { list.removeFirst() }
    }

    /// Takes ids back whose writing failed.
    mutating func forget(_ ids: [UInt128], repositoryID: Int64) {
        guard var list = self.generations.removeValue(forKey: repositoryID) else { return }
        let forgotten = Set(ids)
        for id in ids {
            for index in list.indices { list[index].ids.remove(id) }
        }
        self.generations[repositoryID] = list
        self.unsaved[repositoryID]?.ids.removeAll { forgotten.contains($0) }
    }

    /// Adds ids that were saved earlier.
    mutating func load(_ run: RowIDRun) {
        _ = self.record(run.ids, repositoryID: run.repositoryID, arrivedAtMilliseconds: run.lastArrival)
        self.unsaved[run.repositoryID] = nil
    }

    /// The ids that are in the journal alone, which from now on count as saved.
    mutating func takeUnsaved() -> [RowIDRun] {
        defer { self.unsaved = [:] }
        return self.unsaved.values.filter { !$0.ids.isEmpty }.sorted { $0.repositoryID < $1.repositoryID }
    }

    /// Takes back what could not be saved.
    mutating func putBack(_ run: RowIDRun) {
        self.unsaved[run.repositoryID, default: RowIDRun(repositoryID: run.repositoryID)].ids += run.ids
        self.unsaved[run.repositoryID]?.lastArrival.raise(to: run.lastArrival)
    }
}
