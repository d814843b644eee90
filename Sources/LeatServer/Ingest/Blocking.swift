internal import LeatCore

/// Runs calls that block, such as reading files, on threads of their own instead of the cooperative pool.
enum Blocking {
    private static let pool = BlockingPool(name: "blocking", threadCount: 4)

    /// The result of `body`, which runs on another thread.
    static func run<Success: Sendable, Failure: Error>(
        _ body: @escaping @Sendable () throws(Failure) -> Success
    ) async throws(Failure) -> Success {
        try await self.pool.run(body)
    }
}
