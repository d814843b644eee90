/// Decides after a crash which reads are whole, from what was found of their frames, read by read.
struct ReadCheck {
    /// What was found of a read.
    struct Found {
        let head: EventFrameHead
        var frameCount = 0
        /// Whether an output has begun a chunk with a frame of it, so that all its frames were durable once.
        var isBegun = false
        /// What it changed of the events that filters hold back.
        var held: HeldSection?

        init(head: EventFrameHead) { self.head = head }
    }

    /// Numbers of the reads whose frames must be cut out of the chunks.
    private(set) var cut: Set<UInt64> = []

    private let positions: Positions
    /// Per source how far the whole reads go.
    private var offsets: [UInt64: UInt64]
    /// Sources of which a read was cut.
    private var brokenSources: Set<UInt64> = []
    /// The newest read that changed what filters hold, and was not cut.
    private var heldRead: UInt64

    /// `positions` is what the file says.
    init(_ positions: Positions) {
        self.positions = positions
        self.offsets = positions.sources.mapValues(\.offset)
        self.heldRead = positions.held.read
    }

    /// Takes what was found of a read; reads come in the order of their numbers.
    mutating func take(_ read: UInt64, _ found: Found) {
        guard !self.isOld(read, found.head) else { return }
        // Inputs without a file cannot read again: what survived stays, unless it would be handed on a second time.
        guard found.head.position != nil || found.head.changesHeld else { return }
        let isWhole = found.isBegun || self.isWhole(found)
        guard isWhole else {
            self.cut.insert(read)
            if let position = found.head.position { self.brokenSources.insert(position.source) }
            return
        }
        if let position = found.head.position { self.offsets[position.source] = position.offset }
        if found.held != nil { self.heldRead = read }
    }

    /// Whether the positions already say what the read changed.
    private func isOld(_ read: UInt64, _ head: EventFrameHead) -> Bool {
        if read <= self.positions.wholeRead { return true }
        guard let position = head.position else { return read <= self.positions.held.read }
        return self.positions.sources[position.source].map { read <= $0.read } ?? false
    }

    private func isWhole(_ found: Found) -> Bool {
        guard found.frameCount >= found.head.frameCount else { return false }
        if let position = found.head.position {
            if self.brokenSources.contains(position.source) { return false }
            // A gap is a read that an interrupted recovery had cut, one of which no frame is there, or one without events,
            // which may come again.
            if found.head.startOffset > self.offsets[position.source] ?? found.head.durableOffset { return false }
        }
        return found.held.map { $0.after == self.heldRead } ?? true
    }
}
