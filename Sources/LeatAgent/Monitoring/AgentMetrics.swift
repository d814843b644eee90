internal import LeatCore

/// The agent's counters under Fluent Bit's names, and the ones of ours that add up.
///
/// For every output, `accepted = delivered + rejected + dropped + buffered`, whatever happens.
struct AgentMetrics {
    let agent: Agent
    let startedAt: Timestamp
    let reloadCount: Int

    /// `/api/v1/metrics/prometheus`: the process is described without its host, as Fluent Bit does there.
    func prometheusV1(now: Timestamp) -> String {
        var text = ""
        for family in self.families { family.appendPrometheus(to: &text) }
        let build = [("version", AgentProgram.version), ("edition", "leat-agent")]
        let process = [
            MetricFamily("fluentbit_uptime", .counter, Self.uptimeHelp, [Self.sample([], self.uptime(now))]),
            MetricFamily("process_start_time_seconds", .gauge, Self.startHelp, [Self.sample([], self.startSeconds)]),
            MetricFamily("fluentbit_build_info", .gauge, Self.buildHelp, [Self.sample(build, 1)]),
        ]
        for family in process { family.appendPrometheus(to: &text) }
        return text
    }

    /// `/api/v2/metrics/prometheus`.
    func prometheusV2(now: Timestamp) -> String {
        var text = ""
        for family in self.processFamilies(now) + self.families { family.appendPrometheus(to: &text) }
        return text
    }

    /// `/api/v2/metrics`: a line per value, with its time.
    func lines(now: Timestamp) -> String {
        let time = TimestampWriter.text(now, precision: .nanoseconds)
        var text = ""
        for family in self.processFamilies(now) + self.families { family.appendLines(time, to: &text) }
        return text
    }

    private static let uptimeHelp = "Number of seconds that the agent has been running."
    private static let startHelp = "Start time of the process since unix epoch in seconds."
    private static let buildHelp = "Build version information."

    private var startSeconds: UInt64 { UInt64(max(0, self.startedAt.seconds)) }

    private func uptime(_ now: Timestamp) -> UInt64 { UInt64(max(0, now.seconds - self.startedAt.seconds)) }

    private static func sample(_ labels: [(String, String)], _ value: UInt64) -> MetricFamily.Sample {
        MetricFamily.Sample(
            labels: labels.map { MetricFamily.Label(name: $0.0, value: $0.1) },
            value: .number(value)
        )
    }

    private func processFamilies(_ now: Timestamp) -> [MetricFamily] {
        let host = ("hostname", HostName.text)
        let build = [host, ("version", AgentProgram.version), ("os", "linux")]
        return [
            MetricFamily("fluentbit_uptime", .counter, Self.uptimeHelp, [Self.sample([host], self.uptime(now))]),
            MetricFamily(
                "fluentbit_process_start_time_seconds",
                .gauge,
                Self.startHelp,
                [Self.sample([host], self.startSeconds)]
            ),
            MetricFamily("fluentbit_build_info", .gauge, Self.buildHelp, [Self.sample(build, 1)]),
            MetricFamily(
                "fluentbit_hot_reloaded_times",
                .counter,
                "Collect the count of hot reloaded times.",
                [Self.sample([host], UInt64(self.reloadCount))]
            ),
        ]
    }

    private var families: [MetricFamily] {
        self.inputFamilies + self.filterFamilies + self.outputFamilies + self.storageFamilies
    }

    // MARK: - Inputs and filters

    private var inputFamilies: [MetricFamily] {
        let family = PluginFamilies(all: self.agent.inputCounters.map { ($0.name, $0) })
        return [
            family("fluentbit_input_records_total", "Number of input records.") { $0.events },
            family("fluentbit_input_bytes_total", "Number of input bytes.") { $0.bytes },
            family("fluentbit_input_files_opened_total", "Total number of opened files") { $0.filesOpened },
            family("fluentbit_input_files_closed_total", "Total number of closed files") { $0.filesClosed },
            family("fluentbit_input_files_rotated_total", "Total number of rotated files") { $0.filesRotated },
            family("fluentbit_input_long_line_truncated_total", "Lines that were cut.") { $0.longLinesCut },
            family("fluentbit_input_long_line_skipped_total", "Lines that were skipped.") { $0.longLinesSkipped },
            family("leat_input_read_bytes_total", "Bytes read from files or connections.") { $0.readBytes },
            family("leat_input_invalid_utf8_total", "Texts that were not UTF-8.") { $0.invalidTexts },
            family("fluentbit_input_ingestion_paused", "Is the input paused or not?", .gauge) { $0.isPaused ? 1 : 0 },
            family("fluentbit_input_storage_overlimit", "Is the input memory usage overlimit?", .gauge) {
                $0.hasRoom ? 0 : 1
            },
            family("fluentbit_input_storage_memory_bytes", "Bytes of events that are not on disk yet.", .gauge) {
                UInt64($0.memoryByteCount)
            },
        ]
    }

    private var filterFamilies: [MetricFamily] {
        let family = PluginFamilies(all: self.agent.pipeline.allFilters.map { ($0.name, $0.counters) })
        return [
            family("fluentbit_filter_records_total", "Total number of new records processed.") { $0.events },
            family("fluentbit_filter_bytes_total", "Total number of new bytes processed.") { $0.bytes },
            family("fluentbit_filter_add_records_total", "Total number of new added records.") { $0.addedEvents },
            family("fluentbit_filter_drop_records_total", "Total number of dropped records.") { $0.droppedEvents },
            family("fluentbit_filter_drop_bytes_total", "Total number of dropped bytes.") { $0.droppedBytes },
            family("fluentbit_filter_emit_records_total", "Total number of emitted records") { $0.emittedEvents },
        ]
    }

    // MARK: - Outputs and storage

    /// All outputs by name, in the order of the configuration.
    var outputs: [(name: String, counters: OutputCounters)] {
        let queues = self.agent.queues.map { ($0.key, $0.value.name, $0.value.counters) }
        let direct = self.agent.directOutputs.map { ($0.key, $0.value.name, $0.value.counters) }
        return (queues + direct).sorted { $0.0 < $1.0 }.map { ($0.1, $0.2) }
    }

    private var outputFamilies: [MetricFamily] {
        let family = PluginFamilies(all: self.outputs)
        return [
            family("fluentbit_output_proc_records_total", "Number of processed output records.") { $0.deliveredEvents },
            family("fluentbit_output_proc_bytes_total", "Number of processed output bytes.") { $0.deliveredBytes },
            family("fluentbit_output_errors_total", "Number of output errors.") { $0.errors },
            family("fluentbit_output_retries_total", "Number of output retries.") { $0.retries },
            family("fluentbit_output_retries_failed_total", "Number of abandoned batches.") { $0.failedRetries },
            family("fluentbit_output_dropped_records_total", "Number of dropped records.") { $0.droppedEvents },
            family("fluentbit_output_retried_records_total", "Number of retried records.") { $0.retriedEvents },
            family("leat_output_accepted_records_total", "Records for this output.") { $0.acceptedEvents },
            family("leat_output_rejected_records_total", "Records in the dead-letter file.") { $0.rejectedEvents },
            family("leat_output_buffered_records", "Records that wait on disk.", .gauge) { $0.bufferedEvents },
        ] + self.queueFamilies
    }

    /// What only outputs with chunks have.
    private var queueFamilies: [MetricFamily] {
        let queues = self.agent.queues.sorted { $0.key < $1.key }.map(\.value)
        let latencies = queues.filter { $0.counters.latency.count > 0 }.map {
            MetricFamily.Sample(
                labels: [MetricFamily.Label(name: "output", value: $0.name)],
                value: .histogram($0.counters.latency)
            )
        }
        return [
            MetricFamily(
                "fluentbit_output_upstream_busy_connections",
                .gauge,
                "Requests on their way.",
                queues.map { ($0.name, UInt64($0.inFlightCount)) }
            ),
            MetricFamily(
                "fluentbit_output_chunk_available_capacity_percent",
                .gauge,
                "Available chunk capacity (percent)",
                queues.map { ($0.name, UInt64($0.availablePercent)) }
            ),
            MetricFamily(
                "fluentbit_output_latency_seconds",
                .histogram,
                "From the first event of a chunk to the server's answer, in seconds",
                latencies
            ),
        ]
    }

    private var storageFamilies: [MetricFamily] {
        let storage = StorageFigures(self.agent)
        func family(_ name: String, _ help: String, _ value: UInt64) -> MetricFamily {
            MetricFamily(name, .gauge, help, [Self.sample([], value)])
        }
        return [
            family("fluentbit_storage_chunks", "Total number of chunks in the storage layer.", storage.total),
            family("fluentbit_storage_mem_chunks", "Total number of memory chunks.", 0),
            family("fluentbit_storage_fs_chunks", "Total number of filesystem chunks.", storage.total),
            family("fluentbit_storage_fs_chunks_up", "Total number of filesystem chunks up in memory.", storage.up),
            family("fluentbit_storage_fs_chunks_down", "Total number of filesystem chunks down.", storage.down),
            family("leat_storage_bytes", "Bytes of all chunks.", self.agent.store.chunkByteCount),
            family("leat_storage_full", "Whether inputs wait for the buffer.", self.agent.store.isFull ? 1 : 0),
        ]
    }
}

/// Makes the families of one kind of plugin: a value of each plugin, under its name.
private struct PluginFamilies<Counters> {
    let all: [(name: String, counters: Counters)]

    func callAsFunction(
        _ name: String,
        _ help: String,
        _ kind: MetricFamily.Kind = .counter,
        _ value: (Counters) -> UInt64
    ) -> MetricFamily {
        MetricFamily(name, kind, help, self.all.map { ($0.name, value($0.counters)) })
    }
}

/// How many chunks the buffer has.
struct StorageFigures {
    /// Closed chunks that some output has not settled.
    let total: UInt64
    /// Those of them whose bytes are in memory too.
    let up: UInt64
    var down: UInt64 { self.total - self.up }

    init(_ agent: Agent) {
        // Those that all outputs have settled go with the next checkpoint.
        let chunks = agent.store.closed.values.filter { !$0.remaining.isEmpty || !$0.orphans.isEmpty }
        self.total = UInt64(chunks.count)
        self.up = UInt64(chunks.count { $0.cached != nil })
    }
}
