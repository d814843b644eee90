internal import LeatCore
internal import Synchronization

/// Counts failed logins per address, so that nobody tries tokens by the thousand.
///
/// Only requests that fail are counted and slowed down: a right token is served whatever came before it.
final class FailedLogins: Sendable {
    private struct Window {
        var startedAt: UInt64
        var count: Int
    }

    private let time: any TimeSource
    private let windows = Mutex<[String: Window]>([:])

    private static let windowNanoseconds: UInt64 = 60_000_000_000

    init(time: any TimeSource) { self.time = time }

    /// Counts a failure; whether the address has had too many within a minute.
    func isTooMany(from address: String) -> Bool {
        let now = self.time.monotonicNanoseconds()
        return self.windows.withLock { windows in
            if windows.count >= ServerLimits.failedLoginAddressCountMax {
                windows = windows.filter { now - $0.value.startedAt < Self.windowNanoseconds }
                if windows.count >= ServerLimits.failedLoginAddressCountMax { windows = [:] }
            }
            var window = windows[address] ?? Window(startedAt: now, count: 0)
            if now - window.startedAt >= Self.windowNanoseconds { window = Window(startedAt: now, count: 0) }
            window.count += 1
            windows[address] = window
            return window.count > ServerLimits.failedLoginCountMax
        }
    }
}
