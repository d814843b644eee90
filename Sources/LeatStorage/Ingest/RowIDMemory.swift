/// The `_id`s that senders gave lately; used by the journal's thread alone.
///
/// Ids are kept as 128-bit digests in generations; the oldest generation goes when all its ids are older than 24 h, or
/// when there are more than 10 million in a repository.
struct RowIDMemory {
    private struct Generation {
        var ids: Set<UInt128> = []
        var lastArrival: Int64 = .min
    }

    private var generations: [Int64: [Generation]] = [:]

    init() {}

    /// Records the ids of rows (0: none) and returns the rows whose id was there before.
    mutating func record(_ ids: [UInt128], repositoryID: Int64, arrivedAtMilliseconds: Int64) -> [Int] {
        guard ids.contains(where: { $0 != 0 }) else { return [] }
        // Taken out, so that the sets are changed in place.
        var list = self.generations.removeValue(forKey: repositoryID) ?? [Generation()]
        list.removeAll {
            $0.lastArrival != .min && $0.lastArrival < arrivedAtMilliseconds - StorageLimits.idMilliseconds
        }
        if list.isEmpty { list = [Generation()] }
        if list[list.count - 1].ids.count >= StorageLimits.idGenerationCountMax {
            list.append(Generation())
            if list.count > StorageLimits.idGenerationsMax { list.removeFirst() }
        }
        var repeated: [Int] = []
        let last = list.count - 1
        for (row, id) in ids.enumerated() where id != 0 {
            let isKnown = list.dropLast().contains { $0.ids.contains(id) }
            if isKnown || !list[last].ids.insert(id).inserted { repeated.append(row) }
        }
        list[last].lastArrival = max(list[last].lastArrival, arrivedAtMilliseconds)
        self.generations[repositoryID] = list
        return repeated
    }

    /// Takes ids back whose writing failed.
    mutating func forget(_ ids: [UInt128], repositoryID: Int64) {
        guard var list = self.generations.removeValue(forKey: repositoryID) else { return }
        for id in ids {
            for index in list.indices { list[index].ids.remove(id) }
        }
        self.generations[repositoryID] = list
    }
}
