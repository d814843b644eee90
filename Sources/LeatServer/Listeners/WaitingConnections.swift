internal import NIOCore
internal import Synchronization

/// Connections that were accepted and wait for somebody who serves them.
///
/// The listener accepts more only when these are taken, so that a flood of connections cannot keep everything else, such
/// as the server's stop, waiting. None is ever forgotten, also not one that comes while the server stops: a `NIOAsyncChannel` that is forgotten without
/// being run ends the process.
final class WaitingConnections: Sendable {
    private struct State {
        var isOpen = true
        var waiting: [StreamConnection] = []
    }

    private let state = Mutex(State())
    private let wake: AsyncStream<Void>.Continuation
    /// Yields when connections wait, and when the listener may accept more.
    let signals: AsyncStream<Void>

    init() { (self.signals, self.wake) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1)) }

    /// Makes a connection on a channel that was just accepted; to be called on its event loop.
    ///
    /// - Throws: After `close`; then the channel is to be closed.
    func add(_ channel: any Channel) throws {
        try self.state.withLock { state in
            guard state.isOpen else { throw ChannelError.ioOnClosedChannel }
            state.waiting.append(try StreamConnection(wrappingChannelSynchronously: channel))
        }
        self.wake.yield()
    }

    /// The listener has accepted what there was, or failed to.
    func acceptingPaused() { self.wake.yield() }

    /// Those that wait, in the order in which they came.
    func take() -> [StreamConnection] {
        self.state.withLock { state in
            defer { state.waiting = [] }
            return state.waiting
        }
    }

    /// Refuses further connections and gives the last that wait.
    func close() -> [StreamConnection] {
        self.state.withLock { $0.isOpen = false }
        return self.take()
    }
}

/// Tells when a listener that accepts on demand has done so.
final class AcceptNotifier: ChannelInboundHandler, Sendable {
    typealias InboundIn = any Channel

    private let waiting: WaitingConnections

    init(_ waiting: WaitingConnections) { self.waiting = waiting }

    func channelReadComplete(context: ChannelHandlerContext) {
        self.waiting.acceptingPaused()
        context.fireChannelReadComplete()
    }
}
