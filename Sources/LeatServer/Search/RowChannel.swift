internal import Glibc
internal import LeatCore
internal import LeatQuery
internal import NIOCore
internal import NIOPosix
internal import Synchronization

/// Takes rows from the thread that finds them to the connection that sends them, as text.
///
/// The thread waits while more than `byteCountMax` bytes are not sent yet, so that a slow client makes the scan slow and
/// not the memory large.
final class RowChannel: Sendable {
    private struct State {
        var pieces: [[UInt8]] = []
        var byteCount = 0
        var isClosed = false
    }

    /// Bytes that wait at a time.
    private static let byteCountMax = 4 << 20
    /// Between two looks whether there is room.
    private static let pauseMicroseconds: UInt32 = 500

    private let form: RowsForm
    private let columns: [String]?
    private let state = Mutex(State())
    private let wake: AsyncStream<Void>.Continuation
    /// Yields when rows wait, when the query has ended, and from time to time.
    let signals: AsyncStream<Void>

    init(form: RowsForm, columns: [String]?) {
        self.form = form
        self.columns = columns
        (self.signals, self.wake) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
    }

    /// Whether no rows wait.
    var isEmpty: Bool { self.state.withLock { $0.pieces.isEmpty } }

    /// Gives rows; blocks while too many wait.
    ///
    /// - Returns: Whether more are wanted.
    /// - Throws: When a stored block turns out to be damaged.
    func put(_ rows: QueryRows) throws(DamagedBlock) -> Bool {
        var text = RowsText(rows, columns: self.columns, form: self.form)
        while let piece = try text.piece() {
            guard self.waitForRoom() else { return false }
            self.state.withLock { state in
                state.pieces.append(piece)
                state.byteCount += piece.count
            }
            self.wake.yield()
        }
        return !self.state.withLock { $0.isClosed }
    }

    /// Whether there is room; a client that takes nothing for a minute gets no more.
    private func waitForRoom() -> Bool {
        for _ in 0..<(60_000_000 / Self.pauseMicroseconds) {
            let (isFull, isClosed) = self.state.withLock { ($0.byteCount > Self.byteCountMax, $0.isClosed) }
            if isClosed { return false }
            if !isFull { return true }
            usleep(Self.pauseMicroseconds)
        }
        self.close()
        return false
    }

    /// Takes what waits.
    func take() -> [[UInt8]] {
        self.state.withLock { state in
            defer {
                state.pieces = []
                state.byteCount = 0
            }
            return state.pieces
        }
    }

    /// No more rows are wanted.
    func close() { self.state.withLock { $0.isClosed = true } }

    /// Wakes whoever waits for a signal.
    func nudge() { self.wake.yield() }

    /// Nudges every so often, until the result is cancelled.
    func nudging(everyMilliseconds milliseconds: Int64) -> RepeatedTask {
        let interval = TimeAmount.milliseconds(milliseconds)
        return MultiThreadedEventLoopGroup.singleton.any()
            .scheduleRepeatedTask(initialDelay: interval, delay: interval) { [weak self] _ in self?.nudge() }
    }
}
