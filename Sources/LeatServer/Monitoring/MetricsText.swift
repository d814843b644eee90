internal import LeatStorage

/// Writes metrics in Prometheus' text format 0.0.4, or OpenMetrics 1.0.
struct MetricsText {
    private let isOpenMetrics: Bool
    private var text = ""

    init(isOpenMetrics: Bool) { self.isOpenMetrics = isOpenMetrics }

    var mediaType: String {
        self.isOpenMetrics
            ? "application/openmetrics-text; version=1.0.0; charset=utf-8" : "text/plain; version=0.0.4; charset=utf-8"
    }

    /// One sample of a family: its labels and its value.
    typealias Sample = (labels: [(String, String)], value: String)

    /// A counter; `name` ends with `_total`.
    mutating func counter(_ name: String, _ help: String, _ samples: [Sample]) {
        // OpenMetrics names a counter's family without the suffix of its samples.
        let family = self.isOpenMetrics && name.hasSuffix("_total") ? String(name.dropLast(6)) : name
        self.head(family, help, "counter")
        for sample in samples { self.sample(name, sample) }
    }

    mutating func counter(_ name: String, _ help: String, _ value: UInt64) {
        self.counter(name, help, [([], String(value))])
    }

    mutating func gauge(_ name: String, _ help: String, _ samples: [Sample]) {
        self.head(name, help, "gauge")
        for sample in samples { self.sample(name, sample) }
    }

    mutating func gauge(_ name: String, _ help: String, _ value: Int) {
        self.gauge(name, help, [([], String(value))])
    }

    /// A histogram from counts per bucket, the last without an upper bound.
    mutating func histogram(_ name: String, _ help: String, bounds: [String], counts: [UInt64], sum: String) {
        self.head(name, help, "histogram")
        var total: UInt64 = 0
        for (bound, count) in zip(bounds + ["+Inf"], counts) {
            total += count
            self.sample(name + "_bucket", ([("le", bound)], String(total)))
        }
        self.sample(name + "_sum", ([], sum))
        self.sample(name + "_count", ([], String(total)))
    }

    /// Histograms that differ in one label.
    mutating func histograms(
        _ name: String,
        _ help: String,
        label: String,
        _ histograms: [(key: String, value: ServerMetrics.Histogram)]
    ) {
        self.head(name, help, "histogram")
        let bounds = ServerMetrics.Histogram.bounds.map { "\(Double($0) / 1000)" } + ["+Inf"]
        for (value, histogram) in histograms {
            var total: UInt64 = 0
            for (bound, count) in zip(bounds, histogram.counts) {
                total += count
                self.sample(name + "_bucket", ([(label, value), ("le", bound)], String(total)))
            }
            self.sample(name + "_sum", ([(label, value)], "\(Double(histogram.nanoseconds) / 1e9)"))
            self.sample(name + "_count", ([(label, value)], String(total)))
        }
    }

    /// The whole text.
    mutating func finish() -> [UInt8] {
        if self.isOpenMetrics { self.text += "# EOF\n" }
        return Array(self.text.utf8)
    }

    private mutating func head(_ name: String, _ help: String, _ type: String) {
        self.text += "# HELP \(name) \(help)\n# TYPE \(name) \(type)\n"
    }

    private mutating func sample(_ name: String, _ sample: Sample) {
        self.text += name
        if !sample.labels.isEmpty {
            self.text += "{" + sample.labels.map { "\($0.0)=\"\(Self.escaped($0.1))\"" }.joined(separator: ",") + "}"
        }
        self.text += " \(sample.value)\n"
    }

    private static func escaped(_ value: String) -> String {
        value.map { $0 == "\\" ? "\\\\" : $0 == "\"" ? "\\\"" : $0 == "\n" ? "\\n" : String($0) }.joined()
    }
}

extension MetricsText {
    /// The figures of storage.
    mutating func write(_ status: StoreStatus) {
        let counters = status.counters
        self.counter("leat_storage_rows_total", "rows stored", counters.appendedRowCount)
        self.counter("leat_storage_bytes_total", "bytes of values in stored rows", counters.appendedByteCount)
        self.counter("leat_storage_batches_total", "batches stored", counters.appendedBatchCount)
        self.counter(
            "leat_storage_repeated_batches_total",
            "batches that were stored before",
            counters.repeatedBatchCount
        )
        self.counter("leat_storage_repeated_ids_total", "items whose _id was stored before", counters.repeatedIDCount)
        self.counter("leat_journal_bytes_total", "bytes written to the journal", counters.journalByteCount)
        self.counter("leat_journal_sync_failures_total", "failed syncs of the journal", counters.syncFailureCount)
        let bounds = StoreCounters.syncHistogramBounds.map { "\(Double($0) / 1000)" }
        self.histogram(
            "leat_journal_sync_seconds",
            "time of journal syncs",
            bounds: bounds,
            counts: counters.syncHistogram,
            sum: "\(Double(counters.syncNanoseconds) / 1e9)"
        )
        self.counter("leat_segments_sealed_total", "segments sealed", counters.sealedSegmentCount)
        self.counter("leat_segments_merged_total", "segments merged", counters.mergedSegmentCount)
        self.counter("leat_events_deleted_total", "events removed on request", counters.deletedRowCount)
        self.counter("leat_segments_expired_total", "segments removed by retention", counters.expiredSegmentCount)
        self.counter(
            "leat_storage_damaged_total",
            "frames, blocks and files that failed their check",
            counters.damagedCount
        )
        self.gauge("leat_journal_size_bytes", "bytes of journal files", Int(status.journalByteCount))
        self.gauge("leat_unsealed_bytes", "bytes of rows that are not in a segment yet", status.unsealedByteCount)
        self.gauge("leat_storage_up", "1 when rows are accepted", status.fault == nil ? 1 : 0)
        let repositories = status.repositories
        func perRepository(_ value: (RepositoryStatus) -> Int) -> [Sample] {
            repositories.map { ([("repository", $0.repository.name)], String(value($0))) }
        }
        self.gauge("leat_repository_rows", "rows of a repository", perRepository(\.rowCount))
        self.gauge("leat_repository_bytes", "bytes of a repository's segments", perRepository { Int($0.byteCount) })
        self.gauge("leat_repository_segments", "segments of a repository", perRepository(\.segmentCount))
    }
}

extension ServerMetrics {
    /// The figures of requests, ingest and queries.
    func write(to text: inout MetricsText) {
        let counts = self.snapshot
        var requests: [MetricsText.Sample] = []
        var seconds: [MetricsText.Sample] = []
        for (name, endpoint) in counts.endpoints.sorted(by: { $0.key < $1.key }) {
            for (status, count) in endpoint.countByStatus.sorted(by: { $0.key < $1.key }) {
                requests.append(([("endpoint", name), ("status", String(status))], String(count)))
            }
            seconds.append(([("endpoint", name)], "\(Double(endpoint.nanoseconds) / 1e9)"))
        }
        text.counter("leat_http_requests_total", "requests answered", requests)
        text.counter("leat_http_request_seconds_total", "time until answers began", seconds)
        text.gauge("leat_http_requests_running", "requests being answered", self.running)
        let ingest = Self.sorted(counts.ingest)
        func perProtocol(_ value: (Ingest) -> UInt64) -> [MetricsText.Sample] {
            ingest.map { ([("protocol", $0.key.name), ("repository", $0.key.repository)], String(value($0.value))) }
        }
        text.counter("leat_ingest_requests_total", "ingest requests stored", perProtocol(\.requestCount))
        text.counter("leat_ingest_items_total", "items stored", perProtocol(\.itemCount))
        text.counter("leat_ingest_bytes_total", "bytes of bodies after decompression", perProtocol(\.byteCount))
        Self.writeRefusals(counts, to: &text)
        text.histograms(
            "leat_ingest_ack_seconds",
            "time until events were acknowledged",
            label: "protocol",
            counts.acks.sorted { $0.key < $1.key }
        )
        let streams = counts.streams.sorted { $0.key < $1.key }
        text.gauge(
            "leat_listener_open_connections",
            "open connections of a listener that is no HTTP",
            streams.map { ([("listener", $0.key)], String($0.value.openCount)) }
        )
        text.counter(
            "leat_listener_connections_total",
            "connections that a listener accepted",
            streams.map { ([("listener", $0.key)], String($0.value.connectionCount)) }
        )
        text.counter(
            "leat_listener_faults_total",
            "what went wrong at a listener",
            streams.flatMap { name, stream in
                stream.faults.sorted { $0.key < $1.key }
                    .map { ([("listener", name), ("reason", $0.key)], String($0.value)) }
            }
        )
        text.counter("leat_ingest_cut_texts_total", "events whose text was cut", counts.textCutCount)
        text.counter("leat_queries_total", "queries run", counts.queryCount)
        text.counter(
            "leat_query_seconds_total",
            "time of queries",
            [([], "\(Double(counts.queryNanoseconds) / 1e9)")]
        )
        text.counter("leat_query_scanned_bytes_total", "bytes that queries went over", counts.scannedByteCount)
        text.counter("leat_live_dropped_rows_total", "rows that slow live clients did not get", counts.liveDroppedCount)
    }

    /// By repository, then by protocol.
    private static func sorted<Value>(_ all: [IngestKey: Value]) -> [(key: IngestKey, value: Value)] {
        all.sorted { ($0.key.repository, $0.key.name) < ($1.key.repository, $1.key.name) }
    }

    private static func writeRefusals(_ counts: Counts, to text: inout MetricsText) {
        var refused: [MetricsText.Sample] = []
        for (key, ingest) in Self.sorted(counts.ingest) {
            for (reason, count) in ingest.refusedByReason.sorted(by: { $0.key < $1.key }) {
                let labels = [("protocol", key.name), ("repository", key.repository), ("reason", reason)]
                refused.append((labels, String(count)))
            }
        }
        text.counter("leat_ingest_refused_items_total", "items refused", refused)
        text.counter(
            "leat_ingest_refused_requests_total",
            "ingest requests refused as a whole",
            Self.sorted(counts.refusedIngest)
                .flatMap { key, reasons in
                    reasons.sorted { $0.key < $1.key }.map { reason, count in
                        let labels = [("protocol", key.name), ("repository", key.repository), ("reason", reason)]
                        return (labels, String(count))
                    }
                }
        )
        text.counter(
            "leat_http_refused_requests_total",
            "requests refused",
            counts.refused.sorted { $0.key < $1.key }.map { ([("reason", $0.key)], String($0.value)) }
        )
    }
}
