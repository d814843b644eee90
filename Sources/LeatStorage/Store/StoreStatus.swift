/// Figures of a store at one moment, for the status page and the metrics.
public struct StoreStatus: Sendable {
    public var repositories: [RepositoryStatus] = []
    public var counters = StoreCounters()
    /// Bytes of journal files.
    public var journalByteCount: UInt64 = 0
    /// Rows that are not in a segment yet, as plain text, in bytes.
    public var unsealedByteCount = 0
    /// Files, or parts of files, that did not pass their check.
    public var damaged: [String] = []
    /// What opening the store did that its owner should know, in words.
    public var notices: [String] = []
    /// Why nothing is accepted at the moment; `nil` when all is well.
    public var fault: String?

    public init() {}
}

/// Figures of one repository.
public struct RepositoryStatus: Sendable {
    public var repository: Repository
    public var rowCount = 0
    /// Rows that are not in a segment yet.
    public var openRowCount = 0
    public var segmentCount = 0
    /// Bytes of the segments on disk.
    public var byteCount: UInt64 = 0
    /// Bytes of the values as they arrived.
    public var plainByteCount: UInt64 = 0
    public var datasourceCount = 0
    /// What the owner of the repository should know, in words.
    public var warnings: [String] = []
    /// First and last event time; `nil` when there are no events.
    public var timeRange: ClosedRange<Int64>?

    public init(repository: Repository) { self.repository = repository }
}

/// Counts since the store was opened.
public struct StoreCounters: Hashable, Sendable {
    public var appendedBatchCount: UInt64 = 0
    public var appendedRowCount: UInt64 = 0
    /// Bytes of values in appended rows.
    public var appendedByteCount: UInt64 = 0
    public var repeatedBatchCount: UInt64 = 0
    public var repeatedIDCount: UInt64 = 0
    public var journalFrameCount: UInt64 = 0
    public var journalByteCount: UInt64 = 0
    public var syncCount: UInt64 = 0
    public var syncFailureCount: UInt64 = 0
    /// Time spent in journal syncs, in nanoseconds.
    public var syncNanoseconds: UInt64 = 0
    /// Journal syncs by duration: up to 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000 ms, and longer.
    public var syncHistogram = [UInt64](repeating: 0, count: 11)
    public var sealedSegmentCount: UInt64 = 0
    public var sealedRowCount: UInt64 = 0
    public var sealNanoseconds: UInt64 = 0
    public var mergedSegmentCount: UInt64 = 0
    public var mergeNanoseconds: UInt64 = 0
    /// Segments removed by retention.
    public var expiredSegmentCount: UInt64 = 0
    public var expiredRowCount: UInt64 = 0
    /// Rows removed because somebody asked for it.
    public var deletedRowCount: UInt64 = 0
    /// Frames, blocks and files that did not pass their check.
    public var damagedCount: UInt64 = 0

    public init() {}

    /// Upper bounds of `syncHistogram`, in milliseconds.
    public static let syncHistogramBounds: [UInt64] = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000]
}
