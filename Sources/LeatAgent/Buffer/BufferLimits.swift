/// Every limit of the chunk buffer, with its unit and its reason.
struct BufferLimits: Sendable {
    /// Bytes of events at which a flush does not wait for its time.
    var flushByteCount = 1 << 20

    /// The same while inputs have more to read at once: larger flushes and requests cost less for each byte.
    var backlogFlushByteCount = 4 << 20

    /// From this size on a buffer gets the memory of a whole flush at once, instead of doubling it.
    static let largeBufferByteCount = 512 << 10

    /// Bytes of events in memory that are not yet on disk, at which inputs stop reading.
    ///
    /// One read may overshoot it.
    var unwrittenByteCountMax = 8 << 20

    /// A chunk that no output has begun to send grows until it has this many bytes, so that a long outage does not
    /// leave a file per flush.
    var chunkByteCountMax = 4 << 20

    /// Bytes of freshly written chunks that stay in memory, so that sending need not read them again.
    var cachedByteCountMax = 8 << 20

    /// Free bytes of the disk below which inputs stop reading: room for cursors, positions and other programs.
    var diskReserveByteCount: UInt64 = 64 << 20

    /// Bytes of requests on their way, of all outputs together; beyond it each output sends one at a time.
    var sendingByteCountMax = 8 << 20

    /// Bytes of lines and events that wait for their end, per input; beyond it the longest of them is cut.
    var heldByteCountMax = 8 << 20

    /// Settled chunks are deleted together, after one write of the positions: at the latest this many at a time.
    var settledChunkCountMax = 64

    /// Chunks that were closed since positions were last written: bounds what a start must read.
    var closedChunkCountMax = 256

    /// Bytes after which the log of a cursor is written anew with only what still counts.
    var cursorByteCountMax = 1 << 20

    /// Bytes of an output's dead letters; beyond it the oldest half is deleted, counted and logged.
    var deadLetterByteCountMax: UInt64 = 256 << 20

    init() {}

    /// The limits that keep the whole agent within `memoryByteCount`, of which the program itself takes about 14 MiB.
    ///
    /// Less than 24 MiB count as 24, and more than the default's 64 are only used as far as they make flushes larger.
    init(memoryByteCount: Int) {
        let share = Double(max(24 << 20, min(memoryByteCount, 1 << 30)) - (14 << 20)) / Double(50 << 20)
        guard share != 1 else { return }
        let scaled = { (byteCount: Int) in Int(Double(byteCount) * share) }
        self.backlogFlushByteCount = min(scaled(self.backlogFlushByteCount), 8 << 20)
        self.flushByteCount = min(self.flushByteCount, self.backlogFlushByteCount)
        self.chunkByteCountMax = self.backlogFlushByteCount
        self.unwrittenByteCountMax = scaled(self.unwrittenByteCountMax)
        self.cachedByteCountMax = scaled(self.cachedByteCountMax)
        self.sendingByteCountMax = scaled(self.sendingByteCountMax)
        self.heldByteCountMax = scaled(self.heldByteCountMax)
    }
    /// The reserve of disks that are not tiny: what inputs read until a full disk stops them must find room in it.
    private static let smallestReserveByteCount: UInt64 = 512 << 10

    /// Makes everything fit on a small disk, of which chunks get at least half.
    ///
    /// A flush is written whole or not at all, so that it must be much shorter than the disk.
    mutating func fit(diskByteCount: UInt64) {
        guard diskByteCount > 0 else { return }
        let share = { (part: UInt64) in max(4 << 10, diskByteCount / part) }
        let reserve = max(share(8), min(Self.smallestReserveByteCount, share(2)))
        self.diskReserveByteCount = min(self.diskReserveByteCount, reserve)
        self.unwrittenByteCountMax = min(self.unwrittenByteCountMax, Int(share(8)))
        self.backlogFlushByteCount = min(self.backlogFlushByteCount, Int(share(16)))
        self.flushByteCount = min(self.flushByteCount, self.backlogFlushByteCount)
        self.chunkByteCountMax = min(self.chunkByteCountMax, Int(share(16)))
        self.cursorByteCountMax = min(self.cursorByteCountMax, Int(share(64)))
        self.deadLetterByteCountMax = min(self.deadLetterByteCountMax, share(8))
    }
}
