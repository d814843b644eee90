internal import Synchronization

/// Whether a connection's client is still there.
///
/// The connection's handler says when it is gone; a query that runs for nobody is ended.
final class ClientPresence: Sendable {
    private struct State {
        var isGone = false
        var callbacks: [@Sendable () -> Void] = []
    }

    private let state = Mutex(State())

    /// Whether the client has closed its side.
    var isGone: Bool { self.state.withLock { $0.isGone } }

    /// Calls `body` once the client is gone, at once if it is already.
    func onGone(_ body: @escaping @Sendable () -> Void) {
        let isGone = self.state.withLock { state in
            if !state.isGone { state.callbacks.append(body) }
            return state.isGone
        }
        if isGone { body() }
    }

    /// The client has closed its side.
    func leave() {
        let callbacks = self.state.withLock { state in
            state.isGone = true
            defer { state.callbacks = [] }
            return state.callbacks
        }
        for callback in callbacks { callback() }
    }

    /// Forgets callbacks: the next request on the connection begins.
    func beginRequest() { self.state.withLock { $0.callbacks = [] } }
}
