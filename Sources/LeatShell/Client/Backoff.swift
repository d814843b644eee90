internal import LeatCore

/// How long to wait between attempts: twice as long each time, up to a limit.
///
/// Each wait is shortened by chance by up to a quarter, so that the shells that have lost a server do not all come back at
/// the same moment.
struct Backoff: Sendable {
    private let milliseconds: ClosedRange<UInt64>
    private var following: UInt64

    /// Waits from the first to the longest.
    init(milliseconds: ClosedRange<UInt64>) {
        self.milliseconds = milliseconds
        self.following = milliseconds.lowerBound
    }

    /// For a connection that is to last: soon, as the server may only be restarting.
    static let connection = Backoff(milliseconds: 200...5_000)

    /// The next wait; `random` is any number.
    mutating func next(random: UInt64 = SystemRandom.uint64()) -> Duration {
        let longest = self.following
        self.following = min(longest * 2, self.milliseconds.upperBound)
        return .milliseconds(longest - random % (longest / 4 + 1))
    }

    /// An attempt has succeeded: the next wait is the first again.
    mutating func reset() { self.following = self.milliseconds.lowerBound }
}
