internal import LeatCore

/// Follows a live query over lost connections: begins again where the last event was, and says what happened.
struct LiveFollower: Sendable {
    let text: String
    let settings: ShellSettings
    /// How far back the first events lie; `nil`: only new ones.
    let since: String?

    /// Waits between attempts, doubled from the first to the last, in milliseconds.
    private static let retryMilliseconds = 200...5_000
    /// Ids of the newest events, so that none is shown twice after a new connection.
    private static let rememberedCountMax = 10_000

    /// Calls `onRow` with each event until the task is cancelled.
    ///
    /// - Throws: What stands in the way of the first connection; later failures are told by `onNote`.
    func run(
        onRow: (UnsafeRawBufferPointer) throws -> Void,
        onPause: () throws -> Void,
        onNote: (String) -> Void
    ) async throws {
        let client = ServerClient(address: self.settings.server, token: self.settings.token)
        var request = QueryRequest(
            repository: self.settings.repository,
            text: self.text,
            start: self.since.map { Moment.forServer($0) },
            isLive: true
        )
        var seen = SeenEvents(countMax: Self.rememberedCountMax)
        var wait = Self.retryMilliseconds.lowerBound
        var isConnected = false
        var wasConnected = false
        while true {
            do {
                try await client.query(request) { bytes in
                    if seen.isNew(bytes) { try onRow(bytes) }
                    return true
                } onEvent: { event in
                    if wasConnected, !isConnected { onNote("-- connected again --") }
                    isConnected = true
                    wasConnected = true
                    wait = Self.retryMilliseconds.lowerBound
                    try Self.act(on: event, onNote)
                } onPause: {
                    try onPause()
                }
                onNote("-- the server has ended the live tail; connecting again --")
            } catch let error as CommandError where error.status == .serverUnreachable && wasConnected {
                if isConnected { onNote("-- \(error.message); trying again --") }
            }
            isConnected = false
            try await Task.sleep(for: .milliseconds(wait))
            wait = min(wait * 2, Self.retryMilliseconds.upperBound)
            request.start = seen.newestMilliseconds.map { String($0) } ?? request.start
        }
    }

    private static func act(on event: QueryStreamEvent, _ onNote: (String) -> Void) throws {
        switch event {
        case .skipped(let count): onNote("-- \(count) events were missed: too many at once --")
        case .failed(let reason): throw CommandError(.badData, "the live tail failed: \(reason)")
        case .progress, .heartbeat, .done: break
        }
    }
}

/// Remembers which events were shown.
private struct SeenEvents {
    private let countMax: Int
    private var ids: Set<String> = []
    private var order: [String] = []
    private let row = AnswerRow()
    /// The time of the newest event, in milliseconds.
    private(set) var newestMilliseconds: Int?

    init(countMax: Int) { self.countMax = countMax }

    /// Whether an event was not seen before; remembers it.
    mutating func isNew(_ bytes: UnsafeRawBufferPointer) -> Bool {
        guard self.row.read(bytes) else { return true }
        if let time = self.row.integer("@timestamp") {
            self.newestMilliseconds = max(time, self.newestMilliseconds ?? time)
        }
        guard let id = self.row.text("@id") else { return true }
        guard self.ids.insert(id).inserted else { return false }
        self.order.append(id)
        if self.order.count > self.countMax * 2 {
            for old in self.order.prefix(self.countMax) { self.ids.remove(old) }
            self.order.removeFirst(self.countMax)
        }
        return true
    }
}
