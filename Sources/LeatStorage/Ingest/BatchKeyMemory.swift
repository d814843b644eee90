internal import LeatCore

/// Which batches with keys were stored; used by the journal's thread alone.
///
/// Numbers are kept as intervals per series. Series that were not used lately are read back from the catalog.
struct BatchKeyMemory {
    /// What to do with a batch.
    enum Verdict {
        case new
        /// Stored before; the refused items of the first time.
        case stored(refused: [RefusedItem])
        /// The number was stored with another body not long ago: it counts as a new batch.
        case differs
    }

    private struct Series {
        var numbers: [ClosedRange<UInt64>]
        /// Batches that the catalog does not know yet.
        var recent: [UInt64: BatchRecord] = [:]
    }

    private let catalog: any Catalog
    private var series: [BatchSeries: Series] = [:]

    init(catalog: any Catalog) { self.catalog = catalog }

    /// Whether a batch was stored; `record` it when it is to be stored now.
    mutating func verdict(_ key: BatchKey, repositoryID: Int64) throws(StorageError) -> Verdict {
        let name = BatchSeries(repositoryID: repositoryID, credential: key.credential, series: key.series)
        let known = try self.load(name)
        guard known.numbers.contains(where: { $0.contains(key.number) }) else { return .new }
        let record: BatchRecord?
        if let recent = known.recent[key.number] {
            record = recent
        } else {
            record = try self.catalog.outcome(of: name, number: key.number)
        }
        guard let record else { return .stored(refused: []) }
        return record.hash == key.hash ? .stored(refused: record.refused) : .differs
    }

    /// Remembers a batch that is being stored; `verdict` was asked just before.
    mutating func record(
        _ key: BatchKey,
        repositoryID: Int64,
        arrivedAtMilliseconds: Int64,
        refused: [RefusedItem]
    ) {
        let name = BatchSeries(repositoryID: repositoryID, credential: key.credential, series: key.series)
        guard var known = self.series[name] else { preconditionFailure("batch recorded without a verdict") }
        known.recent[key.number] = BatchRecord(
            number: key.number,
            hash: key.hash,
            arrivedAtMilliseconds: arrivedAtMilliseconds,
            refused: refused
        )
        known.numbers.insert(key.number)
        self.series[name] = known
    }

    /// Takes a batch back whose writing failed.
    mutating func forget(_ key: BatchKey, repositoryID: Int64) {
        let name = BatchSeries(repositoryID: repositoryID, credential: key.credential, series: key.series)
        self.series[name]?.recent[key.number] = nil
        self.series[name]?.numbers.remove(key.number)
    }

    private mutating func load(_ name: BatchSeries) throws(StorageError) -> Series {
        if let known = self.series[name] { return known }
        if self.series.count >= StorageLimits.seriesInMemoryMax {
            self.series = self.series.filter { !$0.value.recent.isEmpty }
        }
        let loaded = Series(numbers: try self.catalog.storedNumbers(of: name))
        self.series[name] = loaded
        return loaded
    }

    /// What the catalog does not know yet, as part of a change.
    func addUnpublished(to change: inout CatalogChange) {
        for (name, known) in self.series where !known.recent.isEmpty {
            change.storedNumbers[name] = known.numbers
            change.batches[name] = known.recent.values.sorted { $0.number < $1.number }
        }
    }

    /// Notes that a change has been published.
    mutating func published(_ change: CatalogChange) {
        for (name, batches) in change.batches {
            for batch in batches where self.series[name]?.recent[batch.number] == batch {
                self.series[name]?.recent[batch.number] = nil
            }
        }
    }
}

extension [ClosedRange<UInt64>] {
    /// Adds a number to ascending, separate ranges.
    mutating func insert(_ number: UInt64) {
        // Fast path: the next number of the last range.
        if let last = self.last, number > 0, last.upperBound == number - 1 {
            self[self.count - 1] = last.lowerBound...number
            return
        }
        guard !self.contains(where: { $0.contains(number) }) else { return }
        let index = self.firstIndex { $0.lowerBound > number } ?? self.count
        self.insert(number...number, at: index)
        if index + 1 < self.count, self[index + 1].lowerBound - 1 == number {
            self[index] = number...self[index + 1].upperBound
            self.remove(at: index + 1)
        }
        if index > 0, number > 0, self[index - 1].upperBound == number - 1 {
            self[index - 1] = self[index - 1].lowerBound...self[index].upperBound
            self.remove(at: index)
        }
    }

    /// Takes a number out.
    mutating func remove(_ number: UInt64) {
        guard let index = self.firstIndex(where: { $0.contains(number) }) else { return }
        let range = self.remove(at: index)
        if range.upperBound > number { self.insert(number + 1...range.upperBound, at: index) }
        if range.lowerBound < number { self.insert(range.lowerBound...number - 1, at: index) }
    }
}
