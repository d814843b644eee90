/// Tries again for a while what a predecessor that is going may still hold: a port, or the data folder.
enum PredecessorPatience {
    /// The result of `body`, which is tried again while `isTaken` says so of its error.
    static func run<Result: Sendable>(
        isTaken: @Sendable (any Error) -> Bool,
        isolation: isolated (any Actor)? = #isolation,
        _ body: () async throws -> Result
    ) async throws -> Result {
        let end = ContinuousClock.now + .seconds(ServerLimits.retrySeconds)
        while true {
            do {
                return try await body()
            } catch  where isTaken(error) && ContinuousClock.now < end {
                // Nobody tells when another process gives up a port or a lock: asking again is the only way.
                try await Task.sleep(for: .milliseconds(ServerLimits.retryPauseMilliseconds))
            }
        }
    }
}
