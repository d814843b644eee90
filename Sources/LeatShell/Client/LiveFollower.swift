internal import LeatCore
internal import Synchronization

/// Follows a live query over lost connections: begins again where the last event was, and says what happened.
struct LiveFollower: Sendable {
    let text: String
    let settings: ShellSettings
    /// How far back the first events lie; `nil`: only new ones.
    let since: String?

    /// What was shown; the same place for the next query goes on from there.
    let place: TailPlace

    init(text: String, settings: ShellSettings, since: String?, place: TailPlace = TailPlace()) {
        self.text = text
        self.settings = settings
        self.since = since
        self.place = place
    }

    /// Calls `onRow` with each event until the task is cancelled.
    ///
    /// - Throws: What stands in the way of the first connection; later failures are told by `onNote`.
    func run(
        onRow: (UnsafeRawBufferPointer) throws -> Void,
        onPause: () throws -> Void,
        onNote: (String) -> Void
    ) async throws {
        let client = self.settings.client
        var request = QueryRequest(
            repository: self.settings.repository,
            text: self.text,
            start: self.since.map { Moment.forServer($0) },
            isLive: true
        )
        var backoff = Backoff.connection
        var isConnected = false
        var wasConnected = false
        var lostAt = ContinuousClock.now
        let row = AnswerRow()
        while true {
            do {
                try await client.query(request) { bytes in
                    let isEvent = row.read(bytes)
                    let (time, id) = isEvent ? (row.integer("@timestamp"), row.text("@id")) : (nil, nil)
                    if self.place.isNew(time: time, id: id) { try onRow(bytes) }
                    return true
                } onEvent: { event in
                    if wasConnected, !isConnected { onNote(Self.welcome(after: lostAt.duration(to: .now), request)) }
                    isConnected = true
                    wasConnected = true
                    backoff.reset()
                    try Self.act(on: event, onNote)
                } onPause: {
                    try onPause()
                }
                onNote("-- the server has ended the live tail; connecting again --")
            } catch let error as CommandError where error.status == .serverUnreachable && wasConnected {
                if isConnected { onNote("-- \(error.reason); trying again --") }
            }
            if isConnected { lostAt = .now }
            isConnected = false
            // A server that has gone is back in a moment when it is restarted, and later if at all otherwise.
            try await Task.sleep(for: backoff.next())
            // Before the first connection nothing is missing.
            if wasConnected {
                request.start = String(self.place.resumeMilliseconds(lostAt: lostAt, isSameQuery: true))
            }
        }
    }

    /// What is said once the connection is back: for how long it was away, and from where on events are shown.
    private static func welcome(after gap: Duration, _ request: QueryRequest) -> String {
        let seconds = (Double(gap.components.attoseconds) / 1e18 + Double(gap.components.seconds)) * 10
        let start = request.start.flatMap { Int64($0) }.map {
            "; events since \(ShownTime.text(milliseconds: $0)) follow"
        }
        return "-- connected again after \(seconds.rounded() / 10) s\(start ?? "") --"
    }

    private static func act(on event: QueryStreamEvent, _ onNote: (String) -> Void) throws {
        switch event {
        case .skipped(let count): onNote("-- \(count) events were missed: too many at once --")
        case .failed(let reason): throw CommandError(.badData, "the live tail failed: \(reason)")
        case .progress, .preview, .heartbeat, .done: break
        }
    }
}

/// Where a live tail stands: which events were shown, and from when on it goes on after an interruption.
final class TailPlace: Sendable {
    private struct State {
        var ids: Set<String> = []
        var order: [String] = []
        var newestMilliseconds: Int?
    }

    /// Ids of the newest events, so that none is shown twice after a new connection.
    private static let rememberedCountMax = 10_000
    /// Events arrive later than they happen: so far before an interruption those are asked for that came meanwhile.
    private static let overlapMilliseconds = 5_000

    private let state = Mutex(State())

    /// Whether an event was not seen before; remembers it.
    func isNew(time: Int?, id: String?) -> Bool {
        self.state.withLock { state in
            if let time { state.newestMilliseconds = max(time, state.newestMilliseconds ?? time) }
            guard let id else { return true }
            guard state.ids.insert(id).inserted else { return false }
            state.order.append(id)
            if state.order.count > Self.rememberedCountMax * 2 {
                for old in state.order.prefix(Self.rememberedCountMax) { state.ids.remove(old) }
                state.order.removeFirst(Self.rememberedCountMax)
            }
            return true
        }
    }

    /// The moment from which on events may be missing when the stream ended then, in milliseconds since 1970.
    ///
    /// The same query goes on from its newest event if that is older; another one would show all since then.
    func resumeMilliseconds(lostAt: ContinuousClock.Instant, isSameQuery: Bool) -> Int {
        let (seconds, attoseconds) = lostAt.duration(to: .now).components
        let away = Int(seconds) * 1_000 + Int(attoseconds / 1_000_000_000_000_000)
        let lost = Int(SystemTime().now().milliseconds) - away - Self.overlapMilliseconds
        guard isSameQuery else { return lost }
        return min(lost, self.state.withLock { $0.newestMilliseconds } ?? lost)
    }
}
