internal import Glibc
internal import LeatCore

/// A condition that did not come true in time.
public struct NeverHappened: Error, CustomStringConvertible {
    public let description: String
}

/// Waits until `condition` is true, and throws when that takes longer than `limit`.
///
/// The condition is asked again every few milliseconds. For threads of our own; tests of async code use the other one.
public func eventually(
    within limit: Duration = .seconds(180),
    _ what: String = "the condition",
    file: String = #fileID,
    line: Int = #line,
    _ condition: () throws -> Bool
) throws {
    let clock = SystemTime()
    let deadline = clock.deadline(in: limit)
    while try !condition() {
        if clock.hasPassed(deadline) {
            throw NeverHappened(description: "\(what) did not come true within \(limit) (\(file):\(line))")
        }
        usleep(2000)
    }
}

/// Waits until `condition` is true, and throws when that takes longer than `limit`.
public func eventually(
    within limit: Duration = .seconds(180),
    _ what: String = "the condition",
    file: String = #fileID,
    line: Int = #line,
    isolation: isolated (any Actor)? = #isolation,
    _ condition: () async throws -> Bool
) async throws {
    let clock = SystemTime()
    let deadline = clock.deadline(in: limit)
    while try await !condition() {
        if clock.hasPassed(deadline) {
            throw NeverHappened(description: "\(what) did not come true within \(limit) (\(file):\(line))")
        }
        try await Task.sleep(for: .milliseconds(2))
    }
}
