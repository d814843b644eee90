internal import LeatCore

/// Joins the lines of one stream into events by the rules of a machine.
///
/// A line that begins no event passes through uncopied. A line that announces a trace (`ERROR request failed`) is an
/// event, the trace behind it another. Lines that may belong to an event are held until that is known, or until the
/// flush timeout has passed since the last of them.
public struct MultilineJoiner {
    /// Lines that are held on suspicion; one more, and they do not belong to the event.
    static let tentativeCountMax = 32

    private let machine: MultilineMachine
    private let byteCountMax: Int
    private let timeoutNanoseconds: UInt64

    /// The event under way.
    private var bytes: [UInt8] = []
    private var first: JoinedLine?
    private var state = MultilineMachine.start
    private var partCount = 0
    private var isTruncated = false
    /// When the last line of the event came, on the clock that never goes back.
    private var lastAdded: UInt64 = 0
    /// Lines that belong to the event only if a further one does.
    private var tentative: [HeldLine] = []

    /// A joiner for events of at most `byteCountMax` bytes, which end when no line follows within the timeout.
    public init(_ machine: MultilineMachine, byteCountMax: Int, timeoutNanoseconds: UInt64) {
        self.machine = machine
        self.byteCountMax = byteCountMax
        self.timeoutNanoseconds = timeoutNanoseconds
    }

    /// Where the first line that is held begins; `nil` when none is.
    public var unfinishedOffset: UInt64? { self.first?.offset }

    /// When the event under way must be handed out, on the clock that never goes back; `nil` when there is none.
    public var deadline: UInt64? { self.first == nil ? nil : self.lastAdded &+ self.timeoutNanoseconds }

    /// Bytes that are held.
    public var pendingByteCount: Int { self.bytes.count + self.tentative.reduce(0) { $0 + $1.bytes.count } }

    /// Takes a line without its newline; calls `emit` for each event that is complete, in order.
    ///
    /// The bytes given to `emit` are valid only during the call.
    public mutating func add(
        _ line: UnsafeRawBufferPointer,
        nanoseconds: Int64,
        offset: UInt64,
        now: UInt64,
        emit: (JoinedLine, UnsafeRawBufferPointer) -> Void
    ) {
        let held = HeldLine.Place(nanoseconds: nanoseconds, offset: offset)
        if self.first != nil {
            switch self.machine.judge(line, in: self.state) {
            case .joins(let next, let isTentative):
                if !isTentative || self.tentative.count < Self.tentativeCountMax {
                    self.continueEvent(line, held, next, isTentative, now)
                    return
                }
            case .ends:
                self.continueEvent(line, held, MultilineMachine.start, false, now)
                self.emitEvent(emit)
                return
            case .breaks: break
            }
            self.flush(now: now, emit: emit)
            // Lines given back may have begun an event that this line belongs to.
            if self.first != nil {
                self.add(line, nanoseconds: nanoseconds, offset: offset, now: now, emit: emit)
                return
            }
        }
        self.begin(line, held, now: now, emit: emit)
    }

    /// Hands out the event under way if its time has come.
    public mutating func flushIfDue(now: UInt64, emit: (JoinedLine, UnsafeRawBufferPointer) -> Void) {
        guard let deadline = self.deadline, now >= deadline else { return }
        self.finish(now: now, emit: emit)
    }

    /// Hands out everything that is held, at the end of a stream or when the timeout has passed.
    public mutating func finish(now: UInt64, emit: (JoinedLine, UnsafeRawBufferPointer) -> Void) {
        // What is given back is shorter each time.
        while self.first != nil { self.flush(now: now, emit: emit) }
    }

    /// A line outside of any event.
    private mutating func begin(
        _ line: UnsafeRawBufferPointer,
        _ place: HeldLine.Place,
        now: UInt64,
        emit: (JoinedLine, UnsafeRawBufferPointer) -> Void
    ) {
        switch self.machine.judge(line, in: MultilineMachine.start) {
        case .joins(let next, _) where line.count <= self.byteCountMax:
            self.first = JoinedLine(
                nanoseconds: place.nanoseconds,
                offset: place.offset,
                partCount: 1,
                isTruncated: false
            )
            self.continueEvent(line, place, next, false, now)
        default:
            // Fast path: a line that stands alone.
            emit(
                JoinedLine(nanoseconds: place.nanoseconds, offset: place.offset, partCount: 1, isTruncated: false),
                line
            )
        }
    }

    private mutating func continueEvent(
        _ line: UnsafeRawBufferPointer,
        _ place: HeldLine.Place,
        _ next: Int,
        _ isTentative: Bool,
        _ now: UInt64
    ) {
        self.state = next
        self.lastAdded = now
        if isTentative {
            self.tentative.append(HeldLine(bytes: Array(line), place: place))
            return
        }
        for held in self.tentative { held.bytes.withUnsafeBytes { self.append($0) } }
        self.tentative.removeAll(keepingCapacity: true)
        self.append(line)
    }

    private mutating func append(_ line: UnsafeRawBufferPointer) {
        let separator = self.partCount > 0 && self.machine.joinsWithNewline ? 1 : 0
        self.partCount += 1
        guard !self.isTruncated else { return }
        let room = self.byteCountMax - self.bytes.count - separator
        guard room >= 0 else {
            self.isTruncated = true
            return
        }
        if separator == 1 { self.bytes.append(UInt8(ascii: "\n")) }
        let kept = ByteSearch.utf8Boundary(in: line, atMost: room)
        self.bytes.append(contentsOf: line.slice(0..<kept))
        self.isTruncated = kept < line.count
    }

    /// Hands out the event and takes the lines that were held on suspicion anew.
    private mutating func flush(now: UInt64, emit: (JoinedLine, UnsafeRawBufferPointer) -> Void) {
        let returned = self.tentative
        self.tentative.removeAll(keepingCapacity: true)
        self.emitEvent(emit)
        for line in returned {
            line.bytes.withUnsafeBytes { bytes in
                self.add(bytes, nanoseconds: line.place.nanoseconds, offset: line.place.offset, now: now, emit: emit)
            }
        }
    }

    private mutating func emitEvent(_ emit: (JoinedLine, UnsafeRawBufferPointer) -> Void) {
        guard let first = self.first else { return }
        let line = JoinedLine(
            nanoseconds: first.nanoseconds,
            offset: first.offset,
            partCount: self.partCount,
            isTruncated: self.isTruncated
        )
        self.bytes.withUnsafeBytes { emit(line, $0) }
        self.first = nil
        self.partCount = 0
        self.isTruncated = false
        self.state = MultilineMachine.start
        // Idle streams hold no memory to speak of.
        self.bytes.removeAll(keepingCapacity: self.bytes.capacity <= 32_768)
    }
}

/// A line whose belonging is not known yet.
private struct HeldLine {
    struct Place {
        let nanoseconds: Int64
        let offset: UInt64
    }

    let bytes: [UInt8]
    let place: Place
}
