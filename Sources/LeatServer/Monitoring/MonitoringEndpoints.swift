internal import LeatCore
internal import LeatStorage
internal import Synchronization

/// Health, status and metrics.
final class MonitoringEndpoints: Sendable {
    private let store: Store
    private let metrics: ServerMetrics
    private let budget: IngestBudget
    private let live: LiveQueries
    private let ownLog: OwnLog
    private let time: any TimeSource
    private let startedAt: UInt64
    private let isDraining = Atomic<Bool>(false)

    init(
        store: Store,
        metrics: ServerMetrics,
        budget: IngestBudget,
        live: LiveQueries,
        ownLog: OwnLog,
        time: any TimeSource
    ) {
        self.ownLog = ownLog
        self.store = store
        self.metrics = metrics
        self.budget = budget
        self.live = live
        self.time = time
        self.startedAt = time.monotonicNanoseconds()
    }

    func beginDraining() { self.isDraining.store(true, ordering: .relaxed) }

    /// 200 when requests are served, 503 while the server stops.
    func health(_ form: Route.HealthForm) -> Reply {
        let isReady = !self.isDraining.load(ordering: .relaxed)
        let fault = self.store.status().fault
        let word = !isReady ? "DOWN" : fault == nil ? "OK" : "WARN"
        switch form {
        case .text: return Reply(isReady ? 200 : 503, text: fault.map { "\(word): \($0)\n" } ?? "\(word)\n")
        case .ready: return Reply(isReady ? 200 : 503, text: isReady ? "ready\n" : "stopping\n")
        case .nodeUp: return Reply(isReady ? 200 : 503, text: isReady ? "true" : "false")
        case .json:
            let check: JSONValue = [
                "name": "storage", "status": .string(fault == nil ? "OK" : "WARN"),
                "statusMessage": .string(fault ?? ""), "fields": .object([]),
            ]
            return Reply(
                isReady ? 200 : 503,
                json: [
                    "status": .string(word), "statusMessage": .string(fault ?? ""),
                    "uptime": .string("\(self.uptimeSeconds)s"), "version": .string(Self.version),
                    "oks": fault == nil ? [check] : [], "warnings": fault == nil ? [] : [check], "down": [],
                ]
            )
        }
    }

    /// Splunk's form of health: 503 while events are refused, so that its senders go elsewhere.
    func splunkHealth() -> Reply {
        guard let fault = self.fault else { return Reply(200, json: ["text": "HEC is healthy", "code": 17]) }
        return Reply(503, json: ["text": .string("HEC is unhealthy, queues are full: \(fault)"), "code": 18])
    }

    /// Why events are refused, or will be; `nil` when all is well.
    var fault: String? { self.store.status().fault }

    /// Humio's clients take the part before the first dash as the version of the API.
    static let version = "1.129.0--leat-" + LeatVersion.text

    private var uptimeSeconds: UInt64 { (self.time.monotonicNanoseconds() - self.startedAt) / 1_000_000_000 }

    /// Figures for people; who shows no token learns that the server is there, who may see one repository that one's.
    func status(for credential: Credential) -> Reply {
        let status = self.store.status()
        var members: [JSONValue.Member] = [
            .init("status", .string(status.fault == nil ? "OK" : "WARN")), .init("version", .string(Self.version)),
            .init("leatVersion", .string(LeatVersion.text)),
            .init("uptimeSeconds", JSONValue(Int(self.uptimeSeconds))),
        ]
        if credential != .nobody {
            members += [
                .init("fault", status.fault.map { .string($0) } ?? .null),
                .init("damaged", .array(status.damaged.map { .string($0) })),
                .init("journalBytes", JSONValue(Int(status.journalByteCount))),
                .init("unsealedBytes", JSONValue(status.unsealedByteCount)),
                .init("liveQueries", JSONValue(self.live.count)),
                .init("requestsRunning", JSONValue(self.metrics.running)),
                .init("repositories", Self.value(status, for: credential)),
            ]
        }
        return Reply(200, json: .object(members))
    }

    /// The repositories that somebody may see.
    static func value(_ status: StoreStatus, for credential: Credential) -> JSONValue {
        .array(status.repositories.filter { credential.sees($0.repository.name) }.map(Self.value))
    }

    static func value(_ status: RepositoryStatus) -> JSONValue {
        [
            "name": .string(status.repository.name), "events": JSONValue(status.rowCount),
            "openEvents": JSONValue(status.openRowCount), "segments": JSONValue(status.segmentCount),
            "bytes": JSONValue(Int(status.byteCount)), "plainBytes": JSONValue(Int(status.plainByteCount)),
            "datasources": JSONValue(status.datasourceCount),
            "warnings": .array(status.warnings.map { .string($0) }),
            "firstEvent": status.timeRange.map { .number("\($0.lowerBound / 1_000_000)") } ?? .null,
            "lastEvent": status.timeRange.map { .number("\($0.upperBound / 1_000_000)") } ?? .null,
            "retentionSeconds": status.repository.retention.ageSeconds.map { .number("\($0)") } ?? .null,
            "retentionBytes": status.repository.retention.byteCount.map { .number("\($0)") } ?? .null,
        ]
    }

    /// Prometheus text, or OpenMetrics when asked for.
    func metrics(_ call: Call) async throws -> Reply {
        let isOpen = call.header("accept")?.contains("application/openmetrics-text") ?? false
        var text = MetricsText(isOpenMetrics: isOpen)
        self.metrics.write(to: &text)
        text.gauge("leat_ingest_memory_bytes", "bytes of request bodies in memory", self.budget.usedByteCount)
        text.gauge("leat_ingest_requests_running", "ingest requests under way", self.budget.requestCount)
        text.counter(
            "leat_own_events_lost_total",
            "events of the server's own log that were lost",
            self.ownLog.lostCount
        )
        text.gauge("leat_live_queries", "live queries that are open", self.live.count)
        text.gauge("leat_uptime_seconds", "time since the start", Int(self.uptimeSeconds))
        text.write(self.store.status())
        return Reply(200, text.finish(), mediaType: text.mediaType)
    }
}

/// The version of the program.
public enum LeatVersion {
    public static let text = "0.1.0"
}
