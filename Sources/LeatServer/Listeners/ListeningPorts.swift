internal import Synchronization

/// Gathers the ports of all listeners, and tells them once the last one listens.
final class ListeningPorts: Sendable {
    private struct State {
        let names: [String]
        var known: [String: ServerProgram.Listening] = [:]
    }

    private let state: Mutex<State>
    private let onComplete: @Sendable ([ServerProgram.Listening]) -> Void

    /// - Parameters:
    ///   - names: The listeners, in the order in which they are told.
    ///   - onComplete: Called once.
    init(_ names: [String], onComplete: @escaping @Sendable ([ServerProgram.Listening]) -> Void) {
        self.state = Mutex(State(names: names))
        self.onComplete = onComplete
    }

    /// A listener listens.
    func report(_ name: String, at address: ListenAddress) {
        let all = self.state.withLock { state -> [ServerProgram.Listening]? in
            state.known[name] = ServerProgram.Listening(name: name, address: address)
            return state.known.count == state.names.count ? state.names.compactMap { state.known[$0] } : nil
        }
        if let all { self.onComplete(all) }
    }
}
