internal import ServiceLifecycle

/// Listeners that start together, and above all stop together: a busy one must not keep another open meanwhile.
struct ListenerGroup: Service {
    let listeners: [any Service]

    /// Runs until all have stopped; when one fails, the others are cancelled.
    func run() async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for listener in self.listeners { group.addTask { try await listener.run() } }
            try await group.waitForAll()
        }
    }
}
