/// What became of a block of a scan.
public enum BlockFate: Int, Hashable, Sendable, CaseIterable {
    /// Its times lie outside the interval.
    case outOfTime
    /// The prefilter says that no row of it passes.
    case pruned
    /// What is known of it without reading it was the answer.
    case answered
    /// Nothing in it could change the answer any more.
    case unneeded
    /// It was read.
    case read
    /// It could not be read.
    case damaged
}

/// How far a scan is and what it took so far; read while it runs.
public struct ScanProgress: Hashable, Sendable {
    /// Blocks done, skipped ones included.
    public var blocksDone = 0
    /// Of these, how many had which fate; by `BlockFate.rawValue`.
    public private(set) var fates = [Int](repeating: 0, count: BlockFate.allCases.count)
    /// Rows of the blocks done.
    public var rowsDone = 0
    /// Uncompressed bytes of the blocks done.
    public var bytesDone = 0
    /// Uncompressed bytes of all blocks.
    public var bytesTotal = 0
    public var blocksTotal = 0
    /// Stored bytes that were read.
    public var storedBytesRead = 0
    /// Nanoseconds of all workers: deciding what to do with a block, reading it, working on its rows.
    public var decideNanoseconds: UInt64 = 0
    public var readNanoseconds: UInt64 = 0
    public var consumeNanoseconds: UInt64 = 0

    public init() {}

    /// How many blocks had a fate.
    public func count(_ fate: BlockFate) -> Int { self.fates[fate.rawValue] }

    /// Blocks that were not read.
    public var blocksSkipped: Int { self.blocksDone - self.count(.read) - self.count(.damaged) }

    /// Counts a block that is done.
    mutating func note(_ block: any BlockSource, _ fate: BlockFate) {
        self.blocksDone += 1
        self.fates[fate.rawValue] += 1
        self.rowsDone += block.rowCount
        self.bytesDone += block.byteCount
    }
}
