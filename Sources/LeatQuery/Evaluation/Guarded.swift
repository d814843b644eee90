internal import Synchronization

/// A value that one thread at a time may touch, whatever it is made of.
///
/// `Mutex` cannot hold aggregate states, whose references the compiler cannot follow.
final class Guarded<Value>: @unchecked Sendable {
    // Sound as Sendable: `value` is only touched while `lock` is held, and callers let no reference escape.
    private let lock = Mutex<Void>(())
    private var value: Value

    init(_ value: Value) { self.value = value }

    func withLock<Result, Failure: Error>(
        _ body: (inout Value) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        self.lock._unsafeLock()
        defer { self.lock._unsafeUnlock() }
        return try body(&self.value)
    }
}
