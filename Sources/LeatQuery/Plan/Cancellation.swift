internal import Synchronization

/// Whether somebody has ended the runs of a plan, for what works on values and sees no run: regular expressions.
final class Cancellation: Sendable {
    private let flag = Atomic<Bool>(false)

    func cancel() { self.flag.store(true, ordering: .relaxed) }

    /// Throws when somebody has ended the runs.
    @inline(__always)
    func check() throws(QueryFailure) {
        if self.flag.load(ordering: .relaxed) { throw .cancelled }
    }
}
