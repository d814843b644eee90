/// What an input has done so far, for monitoring.
final class InputCounters {
    /// The name in logs and metrics.
    let name: String

    init(name: String) { self.name = name }

    var events: UInt64 = 0
    /// Bytes of the records.
    var bytes: UInt64 = 0
    /// Bytes read from files or connections.
    var readBytes: UInt64 = 0
    var filesOpened: UInt64 = 0
    var filesClosed: UInt64 = 0
    var filesRotated: UInt64 = 0
    var longLinesCut: UInt64 = 0
    var longLinesSkipped: UInt64 = 0
    var invalidTexts: UInt64 = 0
    /// Bytes that a truncation destroyed before they were read, as far as can be known.
    var lostBytes: UInt64 = 0
    var filteredEvents: UInt64 = 0
    var isPaused = false
    /// Whether what the input hands on is printed, for whoever looks for its events.
    var isTraced = false
    /// Whether events reach outputs.
    var isRoutable = true

    /// What is kept of the events until they are delivered, when the oldest are to be dropped.
    var ring: ChunkRing?

    /// `Mem_Buf_Limit`: most bytes of events that are not on disk; `nil` for no limit of the input's own.
    var unwrittenByteCountMax: Int?
    /// Bytes of events that no flush has taken, and of those that one has.
    private(set) var unwrittenByteCount = 0
    private var flushingByteCount = 0

    /// Bytes of events that are not known to be on disk.
    var memoryByteCount: Int { self.unwrittenByteCount + self.flushingByteCount }

    /// Whether the input's own limit lets it read on; one read may overshoot it.
    var hasRoom: Bool {
        self.unwrittenByteCountMax.map { self.memoryByteCount < $0 } ?? true
    }

    func noteAccepted(byteCount: Int) { self.unwrittenByteCount += byteCount }

    func flushBegan() {
        self.flushingByteCount += self.unwrittenByteCount
        self.unwrittenByteCount = 0
    }

    func flushEnded(isDurable: Bool) {
        if !isDurable { self.unwrittenByteCount += self.flushingByteCount }
        self.flushingByteCount = 0
    }
}
