/// Decides what happens to one followed file; does nothing itself.
///
/// The driver reports what it saw, and does what the answer says. A file is *current* while a followed name leads to it,
/// and *detached* after its name has gone to another file or has vanished. A detached file is read to its end, however
/// long that takes, and closed when it has not grown for a while.
struct TailFileState: Hashable, Sendable {
    /// What to do next.
    enum Action: Hashable, Sendable {
        /// Read more at `offset`.
        case read
        /// Wait for news.
        case wait
        /// Begin again at offset 0: the file is not the one that was read.
        case restart
        /// Deliver the bytes after the last newline as a line, then ask again.
        case deliverRest
        /// Close the file for good.
        case close
    }

    /// How long a detached file must be quiet before a last line without newline counts as finished.
    static let restDelayNanoseconds: UInt64 = 2_000_000_000
    /// How long a deleted file must be quiet before it is closed: a writer may still hold it.
    static let deletedDelayNanoseconds: UInt64 = 5_000_000_000
    /// The same for a renamed one, which writers hold longer.
    static let renamedDelayNanoseconds: UInt64 = 60_000_000_000

    /// The first byte that is not done with.
    private(set) var offset: UInt64

    /// Bytes after the last newline that were seen and not taken.
    private(set) var restByteCount: UInt64 = 0

    /// Whether the file was read to its end since it was attached or detached: its successor may begin.
    private(set) var isDrained = false

    private(set) var isDetached = false

    /// Whether the name under which the file was found leads to another one, though some followed name leads here.
    private(set) var isRenamed = false

    private var isDeleted = false
    private var lastChange: UInt64 = 0

    init(offset: UInt64, now: UInt64) {
        self.offset = offset
        self.lastChange = now
    }

    /// The name no longer leads to the file, or leads to it again.
    mutating func detached(_ isDetached: Bool, isDeleted: Bool, now: UInt64) -> Action {
        if self.isDetached == isDetached && self.isDeleted == isDeleted { return .wait }
        self.isDetached = isDetached
        self.isDeleted = isDeleted
        self.isDrained = false
        self.lastChange = now
        return .read
    }

    /// The name under which the file was found leads elsewhere, so that nobody appends to its last line any more; or leads
    /// to it again.
    mutating func renamed(_ isRenamed: Bool, now: UInt64) {
        self.isRenamed = isRenamed
        self.lastChange = now
    }

    /// A detached file has lost its last name.
    mutating func noteDeleted() { self.isDeleted = true }

    /// A read took `consumed` bytes of whole lines, left `rest`, and reached the end or not.
    mutating func didRead(consumed: UInt64, rest: UInt64, reachedEnd: Bool, now: UInt64) -> Action {
        self.offset += consumed
        if consumed > 0 || rest != self.restByteCount { self.lastChange = now }
        self.restByteCount = rest
        guard reachedEnd else { return .read }
        self.isDrained = true
        return self.nextAtEnd(now: now)
    }

    /// The bytes before `offset` are no longer those that were read, or there are fewer.
    mutating func sawOtherContent(now: UInt64) -> Action {
        self.offset = 0
        self.restByteCount = 0
        self.lastChange = now
        self.isDrained = false
        return .restart
    }

    /// The rest was delivered as a line.
    mutating func deliveredRest(now: UInt64) -> Action {
        self.offset += self.restByteCount
        self.restByteCount = 0
        return self.nextAtEnd(now: now)
    }

    /// Time has passed at the end of the file.
    func nextAtEnd(now: UInt64) -> Action {
        guard self.isDetached || self.isRenamed else { return .wait }
        let quiet = now >= self.lastChange ? now - self.lastChange : 0
        if self.restByteCount > 0 { return quiet >= Self.restDelayNanoseconds ? .deliverRest : .wait }
        guard self.isDetached else { return .wait }
        let delay = self.isDeleted ? Self.deletedDelayNanoseconds : Self.renamedDelayNanoseconds
        return quiet >= delay ? .close : .wait
    }
}
