/// Every limit of the chunk buffer, with its unit and its reason.
struct BufferLimits: Sendable {
    /// Bytes of events at which a flush does not wait for its time.
    var flushByteCount = 1 << 20

    /// Bytes of events in memory that are not yet on disk, at which inputs stop reading.
    ///
    /// One read may overshoot it.
    var unwrittenByteCountMax = 8 << 20

    /// A chunk that no output has begun to send grows until it has this many bytes, so that a long outage does not
    /// leave a file per flush.
    var chunkByteCountMax = 2 << 20

    /// Bytes of freshly written chunks that stay in memory, so that sending need not read them again.
    var cachedByteCountMax = 6 << 20

    /// Free bytes of the disk below which inputs stop reading: room for cursors, positions and other programs.
    var diskReserveByteCount: UInt64 = 64 << 20

    /// Bytes of all chunks at which inputs stop reading; `nil`: the disk is the limit.
    var chunksByteCountMax: UInt64?

    /// Settled chunks are deleted together, after one write of the positions: at the latest this many at a time.
    var settledChunkCountMax = 64

    /// Chunks that were closed since positions were last written: bounds what a start must read.
    var closedChunkCountMax = 256

    /// Bytes after which the log of a cursor is written anew with only what still counts.
    var cursorByteCountMax = 1 << 20
}
