/// The time of day and a clock that never goes back, so that tests can set both.
public protocol TimeSource: Sendable {
    /// The time of day.
    func now() -> Timestamp

    /// Nanoseconds since some fixed moment; never goes back, whatever happens to the time of day.
    func monotonicNanoseconds() -> UInt64
}
