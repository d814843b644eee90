internal import LeatCore
internal import LeatQuery
internal import NIOCore
internal import NIOPosix
internal import Synchronization

/// Takes rows from the threads that find and write them to the connection that sends them, as text.
///
/// The thread that puts them here waits while more than `byteCountMax` bytes are not sent yet, so that a slow client
/// makes the scan slow and not the memory large.
final class RowChannel: Sendable {
    private struct State {
        var pieces: [[UInt8]] = []
        var byteCount = 0
        var isClosed = false
    }

    /// Bytes that wait at a time.
    private static let byteCountMax = 8 << 20
    /// A client that takes nothing for so long gets no more.
    private static let patienceMilliseconds = 60_000

    let form: RowsForm
    private let state = Monitor(State())
    private let wake: AsyncStream<Void>.Continuation
    /// Yields when rows wait, when the query has ended, and from time to time.
    let signals: AsyncStream<Void>

    /// A channel for rows in a form that needs neither a header nor an end.
    init(form: RowsForm) {
        self.form = form
        (self.signals, self.wake) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
    }

    /// Whether no rows wait.
    var isEmpty: Bool { self.state.read { $0.pieces.isEmpty } }

    /// Writes the first rows of a slice, and says how many.
    func render(_ slice: RowSlice) -> (piece: [UInt8], rowCount: Int) {
        self.form == .text ? slice.textLines() : slice.jsonLines()
    }

    /// Gives written rows; blocks while too many wait.
    ///
    /// - Returns: Whether more are wanted.
    func put(_ piece: [UInt8]) -> Bool {
        let isWanted = self.state.wait(milliseconds: Self.patienceMilliseconds) { state -> Bool? in
            if state.isClosed { return false }
            guard state.byteCount < Self.byteCountMax else { return nil }
            state.pieces.append(piece)
            state.byteCount += piece.count
            return true
        }
        guard let isWanted else {
            self.close()
            return false
        }
        self.wake.yield()
        return isWanted
    }

    /// Takes what waits.
    func take() -> [[UInt8]] {
        self.state.update { state in
            defer {
                state.pieces = []
                state.byteCount = 0
            }
            return state.pieces
        }
    }

    /// No more rows are wanted.
    func close() { self.state.update { $0.isClosed = true } }

    /// Wakes whoever waits for a signal.
    func nudge() { self.wake.yield() }

    /// Nudges every so often, until the result is cancelled.
    func nudging(everyMilliseconds milliseconds: Int64) -> RepeatedTask {
        let interval = TimeAmount.milliseconds(milliseconds)
        return MultiThreadedEventLoopGroup.singleton.any()
            .scheduleRepeatedTask(initialDelay: interval, delay: interval) { [weak self] _ in self?.nudge() }
    }
}
