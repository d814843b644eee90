internal import LeatCore

/// What is known of the data folder besides the bytes of segments and journal.
///
/// Every change is atomic and durable when the call returns. One process writes at a time; a change names the version
/// that it builds on, so that a second writer is refused instead of mixed in. Calls block.
protocol Catalog: AnyObject, Sendable {
    /// Everything that a store keeps in memory.
    func contents() throws(StorageError) -> CatalogContents

    /// Applies a change that builds on `version`; returns the new version.
    func publish(_ change: CatalogChange, expecting version: Int64) throws(StorageError) -> Int64

    /// The numbers of a series that were stored, ascending and apart.
    func storedNumbers(of series: BatchSeries) throws(StorageError) -> [ClosedRange<UInt64>]

    /// What became of a batch, if it is worth remembering still.
    func outcome(of series: BatchSeries, number: UInt64) throws(StorageError) -> BatchRecord?

    /// Documents of one kind, by name.
    func documents(kind: String) throws(StorageError) -> [String: [UInt8]]

    func setDocument(_ content: [UInt8]?, kind: String, name: String) throws(StorageError)

    func close() throws(StorageError)
}

/// A sender's series in a repository.
struct BatchSeries: Hashable, Sendable {
    var repositoryID: Int64
    var credential: String
    var series: UInt128
}

/// A batch with a key that was stored.
struct BatchRecord: Hashable, Sendable {
    var number: UInt64
    var hash: UInt128
    var arrivedAtMilliseconds: Int64
    var refused: [RefusedItem]
}

/// A repository as the catalog keeps it.
struct RepositoryRecord: Hashable, Sendable {
    /// Never used twice, unlike the name.
    var id: Int64
    var repository: Repository
    /// Row numbers below it may be in segments.
    var nextRow: Int64
}

/// A segment as the catalog keeps it.
struct SegmentRecord: Hashable, Sendable {
    /// Names the file; never used twice.
    var number: Int64
    var repositoryID: Int64
    var byteCount: Int64
    var rowCount: Int64
    var plainByteCount: Int64
    /// Event times in nanoseconds.
    var times: ClosedRange<Int64>
    /// Arrivals in milliseconds.
    var arrivals: ClosedRange<Int64>

    var key: String { StorageFileNames.segment(repositoryID: self.repositoryID, number: self.number) }
}

struct CatalogContents: Sendable {
    var version: Int64 = 0
    var nextSegment: Int64 = 1
    var nextRepository: Int64 = 1
    /// The last frame of the journal in a file that was removed.
    var journalRemovedThrough: UInt64 = 0
    var repositories: [RepositoryRecord] = []
    var segments: [SegmentRecord] = []
    /// Per repository and datasource the last row that is in a segment, or was in one that is gone.
    var sealedThrough: [Int64: [DatasourceTags: Int64]] = [:]
}

/// Changes that belong together.
struct CatalogChange: Sendable {
    var putRepositories: [RepositoryRecord] = []
    var removedRepositories: [Int64] = []
    var addedSegments: [SegmentRecord] = []
    var removedSegments: [Int64] = []
    var sealedThrough: [Int64: [DatasourceTags: Int64]] = [:]
    /// Per series all numbers that were stored.
    var storedNumbers: [BatchSeries: [ClosedRange<UInt64>]] = [:]
    var batches: [BatchSeries: [BatchRecord]] = [:]
    var journalRemovedThrough: UInt64 = 0
    /// Batches without refused items that arrived earlier are forgotten, in milliseconds since 1970.
    var forgetsBatchesBefore: Int64?

    init() {}
}
