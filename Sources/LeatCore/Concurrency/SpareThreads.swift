internal import Synchronization

/// Threads for work that computes long or waits: each piece has one at once, whatever the others do.
///
/// Some threads without work stay for what comes next, since starting a thread takes as long as a small query. How many
/// pieces there are at a time is up to the callers.
public final class SpareThreads: Sendable {
    private let idle: IdleThreads
    private let name: String

    /// Threads of that name; at most `idleCountMax` of them wait for work.
    public init(name: String, idleCountMax: Int) {
        self.name = name
        self.idle = IdleThreads(countMax: idleCountMax)
    }

    deinit { self.idle.close() }

    /// Runs `work` on a thread of its own; nobody waits.
    public func start(_ work: @escaping @Sendable () -> Void) {
        if let seat = self.idle.take() {
            seat.update { $0 = .work(work) }
            return
        }
        let idle = self.idle
        let seat = IdleThreads.Seat(.work(work))
        _ = WorkerThread(name: self.name) { idle.work(at: seat) }
    }
}

/// The threads that have nothing to do.
private final class IdleThreads: Sendable {
    typealias Work = @Sendable () -> Void

    enum Order {
        case wait
        case work(Work)
        case end
    }

    /// Where one thread gets its orders.
    typealias Seat = Monitor<Order>

    private struct State {
        var seats: [Seat] = []
        var isClosed = false
    }

    private let countMax: Int
    private let state = Mutex(State())

    init(countMax: Int) { self.countMax = countMax }

    /// The thread that has waited for the shortest time: its stack is in the caches.
    func take() -> Seat? { self.state.withLock { $0.seats.popLast() } }

    /// What a thread does: one piece of work after the other, until there are enough idle threads without it.
    func work(at seat: Seat) {
        repeat {
            guard let work = self.nextWork(at: seat) else { return }
            work()
        } while self.keep(seat)
    }

    private func nextWork(at seat: Seat) -> Work? {
        seat.wait { (order: inout Order) -> Work?? in
            switch order {
            case .wait: return nil
            case .end: return .some(nil)
            case .work(let work):
                // Whatever the work holds goes when it is done.
                order = .wait
                return .some(work)
            }
        }
    }

    private func keep(_ seat: Seat) -> Bool {
        self.state.withLock { state in
            guard !state.isClosed, state.seats.count < self.countMax else { return false }
            state.seats.append(seat)
            return true
        }
    }

    /// Lets the threads go.
    func close() {
        let seats = self.state.withLock { state in
            defer { state.seats = [] }
            state.isClosed = true
            return state.seats
        }
        for seat in seats { seat.update { $0 = .end } }
    }
}
