internal import Synchronization

/// Counts of what the server did since its start.
final class ServerMetrics: Sendable {
    /// Requests of one endpoint.
    struct Endpoint: Sendable {
        var countByStatus: [Int: UInt64] = [:]
        var nanoseconds: UInt64 = 0
    }

    /// What one protocol brought to one repository.
    struct Ingest: Sendable {
        var requestCount: UInt64 = 0
        var itemCount: UInt64 = 0
        /// Bytes of bodies after decompression.
        var byteCount: UInt64 = 0
        var refusedByReason: [String: UInt64] = [:]
    }

    /// Protocol and repository.
    struct IngestKey: Hashable, Sendable {
        let name: String
        let repository: String
    }

    struct Counts: Sendable {
        var endpoints: [String: Endpoint] = [:]
        var ingest: [IngestKey: Ingest] = [:]
        /// Refused requests by reason.
        var refused: [String: UInt64] = [:]
        /// Refused ingest requests by protocol and repository, then by reason.
        var refusedIngest: [IngestKey: [String: UInt64]] = [:]
        var queryCount: UInt64 = 0
        var queryNanoseconds: UInt64 = 0
        var scannedByteCount: UInt64 = 0
        /// Rows that a slow live client did not get.
        var liveDroppedCount: UInt64 = 0
        var textCutCount: UInt64 = 0
        /// Per protocol the time from a request's head, or a piece's arrival, to its acknowledgement.
        var acks: [String: Histogram] = [:]
        /// Listeners of protocols that are no HTTP.
        var streams: [String: Stream] = [:]
    }

    /// What a listener of a protocol that is no HTTP has seen.
    struct Stream: Sendable {
        var openCount = 0
        var connectionCount: UInt64 = 0
        var faults: [String: UInt64] = [:]
    }

    /// Durations by size.
    struct Histogram: Sendable {
        /// Upper bounds, in milliseconds; longer ones have a last bucket.
        static let bounds: [UInt64] = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000]
        var counts = [UInt64](repeating: 0, count: Self.bounds.count + 1)
        var nanoseconds: UInt64 = 0

        mutating func add(_ nanoseconds: UInt64) {
            self.nanoseconds += nanoseconds
            self.counts[Self.bounds.firstIndex { nanoseconds <= $0 * 1_000_000 } ?? Self.bounds.count] += 1
        }
    }

    private let counts = Mutex(Counts())
    private let runningCount = Atomic<Int>(0)

    /// Requests that are being answered.
    var running: Int { self.runningCount.load(ordering: .relaxed) }

    /// All counts at this moment.
    var snapshot: Counts { self.counts.withLock { $0 } }

    func requestBegan() { self.runningCount.add(1, ordering: .relaxed) }
    func requestEnded() { self.runningCount.subtract(1, ordering: .relaxed) }

    func answered(_ route: Route, status: Int, nanoseconds: UInt64) {
        self.counts.withLock { counts in
            counts.endpoints[route.label, default: Endpoint()].countByStatus[status, default: 0] += 1
            counts.endpoints[route.label]?.nanoseconds += nanoseconds
            if status < 300, route.isIngest { counts.acks[route.label, default: Histogram()].add(nanoseconds) }
        }
    }

    /// Counts the time that an acknowledged request of an ingest protocol took.
    func acknowledged(_ name: String, nanoseconds: UInt64) {
        self.counts.withLock { $0.acks[name, default: Histogram()].add(nanoseconds) }
    }

    /// A listener has a new connection.
    func connected(_ name: String) {
        self.counts.withLock { counts in
            counts.streams[name, default: Stream()].openCount += 1
            counts.streams[name]?.connectionCount += 1
        }
    }

    /// A connection of a listener is over.
    func disconnected(_ name: String) { self.counts.withLock { $0.streams[name]?.openCount -= 1 } }

    /// The open connections of a listener.
    func openConnections(_ name: String) -> Int { self.counts.withLock { $0.streams[name]?.openCount ?? 0 } }

    /// Counts what went wrong at a listener.
    func streamFault(_ name: String, _ reason: String, count: Int = 1) {
        self.counts.withLock { $0.streams[name, default: Stream()].faults[reason, default: 0] += UInt64(count) }
    }

    /// Counts a refused request; `repository` is where its events would have gone, `nil` when nobody may know.
    ///
    /// - Returns: How many requests of this protocol and repository were refused for this reason; 0 when it brought no
    ///   events.
    @discardableResult
    func refused(_ route: Route, repository: String?, reason: String) -> UInt64 {
        self.counts.withLock { counts in
            counts.refused[reason, default: 0] += 1
            guard route.isIngest else { return 0 }
            var key = IngestKey(name: route.label, repository: repository ?? "")
            if counts.refusedIngest[key] == nil, counts.refusedIngest.count >= ServerLimits.refusedRepositoryCountMax {
                key = IngestKey(name: route.label, repository: "")
            }
            let count = (counts.refusedIngest[key]?[reason] ?? 0) + 1
            counts.refusedIngest[key, default: [:]][reason] = count
            return count
        }
    }

    /// Counts a stored request of an ingest protocol.
    func ingested(_ key: IngestKey, items: Int, bytes: Int, refused: [String]) {
        self.counts.withLock { counts in
            var ingest = counts.ingest[key] ?? Ingest()
            ingest.requestCount += 1
            ingest.itemCount += UInt64(items)
            ingest.byteCount += UInt64(bytes)
            for reason in refused { ingest.refusedByReason[reason, default: 0] += 1 }
            counts.ingest[key] = ingest
        }
    }

    /// Counts a query that has ended.
    func queried(nanoseconds: UInt64, scannedByteCount: Int) {
        self.counts.withLock { counts in
            counts.queryCount += 1
            counts.queryNanoseconds += nanoseconds
            counts.scannedByteCount += UInt64(scannedByteCount)
        }
    }

    func liveRowsDropped(_ count: Int) {
        self.counts.withLock { $0.liveDroppedCount += UInt64(count) }
    }

    func textsCut(_ count: Int) {
        self.counts.withLock { $0.textCutCount += UInt64(count) }
    }
}

extension Route {
    /// Whether a good answer acknowledges events.
    var isIngest: Bool {
        switch self {
        case .elastic(.bulk, _), .elastic(.document, _), .elastic(.create, _): true
        case .ingest(let name, _): name != .splunkHealth && name != .splunkAck && name != .journald
        default: false
        }
    }

    /// A short name for the metrics.
    var label: String {
        switch self {
        case .elastic(.bulk, _): "bulk"
        case .elastic(.document, _), .elastic(.create, _), .elastic(.update, _): "document"
        case .elastic: "elastic"
        case .ingest(let name, _): name.rawValue
        case .query: "query"
        case .queryJobs, .queryJob: "queryjobs"
        case .repositories, .repository, .fields, .deletions, .tokens, .token, .users, .parsers, .compact: "admin"
        case .files, .savedQueries: "library"
        case .graphQL: "graphql"
        case .health: "health"
        case .status: "status"
        case .metrics: "metrics"
        case .unknown: "unknown"
        }
    }
}
