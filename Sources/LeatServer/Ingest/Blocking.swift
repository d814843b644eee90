internal import NIOPosix

/// Runs calls that block, such as reading files, on threads of their own instead of the cooperative pool.
enum Blocking {
    /// The result of `body`, which runs on another thread.
    static func run<Result: Sendable>(_ body: @escaping @Sendable () throws -> Result) async throws -> Result {
        try await NIOThreadPool.singleton.runIfActive(body)
    }
}
