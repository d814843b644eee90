internal import NIOCore
internal import NIOPosix
internal import Synchronization

/// A value that another thread will give, once.
final class Outcome<Value: Sendable>: Sendable {
    private struct State {
        var value: Value?
        var waiters: [Int: CheckedContinuation<Void, Never>] = [:]
        var nextNumber = 0
    }

    private let state = Mutex(State())

    /// The value, if it is there.
    var value: Value? { self.state.withLock { $0.value } }

    /// Gives the value; whoever waits goes on.
    func fulfil(_ value: Value) {
        let waiters = self.state.withLock { state in
            if state.value == nil { state.value = value }
            defer { state.waiters = [:] }
            return state.waiters
        }
        for waiter in waiters.values { waiter.resume() }
    }

    /// Waits for the value, at most `milliseconds`; `nil` when it has not come.
    func wait(milliseconds: Int64) async -> Value? {
        await withCheckedContinuation { continuation in
            let number: Int? = self.state.withLock { state in
                guard state.value == nil else { return nil }
                state.nextNumber += 1
                state.waiters[state.nextNumber] = continuation
                return state.nextNumber
            }
            guard let number else { return continuation.resume() }
            MultiThreadedEventLoopGroup.singleton.any().scheduleTask(in: .milliseconds(milliseconds)) {
                self.state.withLock { $0.waiters.removeValue(forKey: number) }?.resume()
            }
        }
        return self.value
    }
}
