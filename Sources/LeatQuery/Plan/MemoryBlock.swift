public import LeatCore

/// A batch in memory as a block to scan: local files, tests, results of sub-queries.
public struct MemoryBlock: BlockSource {
    private let batch: Batch
    public let timeRange: ClosedRange<Int64>
    public let byteCount: Int

    /// A block of a batch that has at least one row; `byteCount` is only for progress.
    public init(_ batch: Batch, byteCount: Int = 0) {
        self.batch = batch
        let first = batch.timestamps.min() ?? 0
        self.timeRange = first...max(first, batch.timestamps.max() ?? 0)
        self.byteCount = byteCount
    }

    public var rowCount: Int { self.batch.rowCount }

    public var exactRowCount: Int? { self.batch.selection == nil ? self.rowCount : nil }

    public func mayMatch(_ prefilter: Prefilter) -> Bool { prefilter != .none }

    public func read() -> Batch { self.batch }
}
