internal import LeatCore

/// All limits of the module.
enum StorageLimits {
    /// Series of batch keys in memory; more would be an attack, each costs some hundred bytes.
    static let seriesInMemoryMax = 10_000

    /// Milliseconds that the hash of a batch is kept; a sender that repeats later repeats the same bytes.
    static let batchHashMilliseconds: Int64 = 24 * 3_600_000

    /// Datasources of a repository with tags of their own (design section 2.3).
    static let datasourceCountMax = 1_000

    /// Datasources that further tags share.
    static let overflowDatasourceCount = 16

    /// A journal file of so many bytes gets no more frames: replay reads whole files, and they go one by one.
    static let journalFileByteCountMax: UInt64 = 64 << 20

    /// Frames that share one sync, in bytes: about what a disk writes in the time of a sync.
    static let groupByteCountMax = 32 << 20

    /// Values of a block, in bytes, beyond which it gets no more rows: decoding a column must stay cheap.
    static let blockByteCountMax = 64 << 20

    /// Columns that are kept in memory for the next query, in bytes: two fifths of what querying may take (design section 9).
    static let columnCacheByteCountMax = 200 << 20

    /// What rows on their way to a segment, kept footers and kept columns take together, in bytes: rows that come in fast
    /// take what queries have left in memory (`docs/decisions/0012-memory-while-ingesting.md`).
    static let sharedMemoryByteCountMax = 256 << 20

    /// Memory per byte of rows that are not encoded yet: their requests, their columns, and what encoding them needs.
    static let memoryPerOpenByte = 3

    /// What the footers of segments say, kept in memory for the next query, in bytes: that of a terabyte of events, since
    /// a query that had to read them anew would take four times as long.
    static let footerCacheByteCountMax = 192 << 20

    /// Segments whose footers are kept at most: each is a mapped file, of which a process may have 32,768.
    static let footerCacheCountMax = 16_384

    /// Encoded blocks of a repository that wait for a segment file, in bytes.
    static let segmentByteCountTarget = 32 << 20

    /// Open batches of one size class that are joined to one: keeps single-row requests from piling up.
    static let joinedBatchCount = 16

    /// Rows from which open batches are no longer joined.
    static let joinedRowCountMax = 4_096

    /// Milliseconds that `append` waits for room before it gives up.
    static let roomWaitMilliseconds = 10_000
}

extension StorageLimits {
    /// Milliseconds that an `_id` is remembered (design section 5).
    static let idMilliseconds: Int64 = 24 * 3_600_000

    /// Ids of one generation; with `idGenerationsMax` of them a repository remembers ten million.
    static let idGenerationCountMax = 1_250_000

    /// Generations of a repository.
    static let idGenerationsMax = 8
}

extension StorageLimits {
    /// Time between looks for something to merge or to remove, in milliseconds.
    static let mergeIntervalMilliseconds = 10_000

    /// Segments from this size on, in bytes, are not merged any more: their blocks are full already.
    static let mergedByteCountMin: Int64 = 16 << 20

    /// The most bytes that one merge reads; it holds about as many in memory.
    static let mergeInputByteCountMax: Int64 = 48 << 20

    /// Segments of one size class that are merged to one: each row is rewritten a logarithmic number of times.
    static let mergedSegmentCount = 8

    /// Blocks of fewer rows are encoded anew when their segment is merged.
    static let smallBlockRowCount = Batch.rowCountMax / 2
}

extension StorageLimits {
    /// Seconds that a reader of the catalog waits for a writer of another process.
    static let catalogWaitSeconds = 10

    /// Times that a backup begins anew because a merge took a segment away that it was about to link.
    static let backupAttemptCountMax = 20

    /// Bytes of a file that a backup copies at a time.
    static let backupPieceByteCount = 8 << 20
}
