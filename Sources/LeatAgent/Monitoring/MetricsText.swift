internal import LeatCore

/// The agent's counters as Fluent Bit shows them, and the ones of ours that add up.
///
/// For every output, `accepted = delivered + rejected + dropped + buffered`, whatever happens.
struct MetricsText {
    let agent: Agent
    /// Nanoseconds since 1970.
    let startedAtNanoseconds: Int64

    /// One sample of the Prometheus text format.
    private struct Sample {
        let name: String
        let type: String
        let help: String
        var values: [(label: String, value: UInt64)]
    }

    /// `/api/v1/metrics`.
    func json() -> String {
        var writer = JSONWriter()
        writer.beginObject()
        writer.key("input")
        writer.beginObject()
        for input in self.agent.inputCounters {
            writer.key(input.name)
            self.object([("records", input.events), ("bytes", input.bytes)], &writer)
        }
        writer.endObject()
        writer.key("filter")
        writer.beginObject()
        for filter in self.agent.filters {
            let counters = filter.counters
            writer.key(filter.name)
            self.object([("drop_records", counters.droppedEvents), ("add_records", counters.addedEvents)], &writer)
        }
        writer.endObject()
        writer.key("output")
        writer.beginObject()
        for (name, counters) in self.outputs {
            writer.key(name)
            self.object(Self.fields(of: counters), &writer)
        }
        writer.endObject()
        writer.endObject()
        return writer.text
    }

    private static func fields(of counters: OutputCounters) -> [(String, UInt64)] {
        [
            ("proc_records", counters.deliveredEvents), ("proc_bytes", counters.deliveredBytes),
            ("errors", counters.errors), ("retries", counters.retries), ("retries_failed", counters.failedRetries),
            ("dropped_records", counters.droppedEvents), ("retried_records", counters.retriedEvents),
            ("rejected_records", counters.rejectedEvents), ("accepted_records", counters.acceptedEvents),
            ("buffered_records", counters.bufferedEvents),
        ]
    }

    private func object(_ fields: [(String, UInt64)], _ writer: inout JSONWriter) {
        writer.beginObject()
        for (name, value) in fields {
            writer.key(name)
            writer.value(Int(clamping: value))
        }
        writer.endObject()
    }

    /// All outputs by name, in the order of the configuration.
    var outputs: [(name: String, counters: OutputCounters)] {
        let queues = self.agent.queues.map { ($0.key, $0.value.name, $0.value.counters) }
        let direct = self.agent.directOutputs.map { ($0.key, $0.value.name, $0.value.counters) }
        return (queues + direct).sorted { $0.0 < $1.0 }.map { ($0.1, $0.2) }
    }

    /// `/api/v1/storage`.
    func storage() -> String {
        let store = self.agent.store
        return """
            {"storage_layer":{"chunks":{"total_chunks":\(store.closed.count),"mem_chunks":0,\
            "fs_chunks":\(store.closed.count),"fs_chunks_up":0,"fs_chunks_down":\(store.closed.count)},\
            "bytes":\(store.chunkByteCount),"unwritten_bytes":\(store.unwrittenByteCount),\
            "full":\(store.isFull)}}
            """
    }

    /// `/api/v1/metrics/prometheus` and `/api/v2/metrics/prometheus`.
    func prometheus(now: Timestamp) -> String {
        var text = ""
        let uptime = UInt64(max(0, now.nanoseconds - self.startedAtNanoseconds) / 1_000_000_000)
        text += "# HELP fluentbit_uptime Number of seconds that the agent has been running.\n"
        text += "# TYPE fluentbit_uptime counter\nfluentbit_uptime \(uptime)\n"
        for sample in self.inputSamples + self.filterSamples + self.outputSamples + self.storeSamples {
            text += "# HELP \(sample.name) \(sample.help)\n# TYPE \(sample.name) \(sample.type)\n"
            for (label, value) in sample.values {
                text += label.isEmpty ? "\(sample.name) \(value)\n" : "\(sample.name){name=\"\(label)\"} \(value)\n"
            }
        }
        return text
    }

    /// `/api/v2/metrics`: a line per value, with its time.
    func lines(now: Timestamp) -> String {
        let time = TimestampWriter.text(now, precision: .nanoseconds)
        let uptime = UInt64(max(0, now.nanoseconds - self.startedAtNanoseconds) / 1_000_000_000)
        var text = "\(time) fluentbit_uptime = \(uptime)\n"
        for sample in self.inputSamples + self.filterSamples + self.outputSamples + self.storeSamples {
            for (label, value) in sample.values {
                text += "\(time) \(sample.name)\(label.isEmpty ? "" : "{name=\"\(label)\"}") = \(value)\n"
            }
        }
        return text
    }

    private var inputSamples: [Sample] {
        let all = self.agent.inputCounters
        func sample(_ name: String, _ help: String, _ value: (InputCounters) -> UInt64) -> Sample {
            Sample(name: name, type: "counter", help: help, values: all.map { ($0.name, value($0)) })
        }
        return [
            sample("fluentbit_input_records_total", "Number of input records.") { $0.events },
            sample("fluentbit_input_bytes_total", "Number of input bytes.") { $0.bytes },
            sample("fluentbit_input_files_opened_total", "Total number of opened files") { $0.filesOpened },
            sample("fluentbit_input_files_closed_total", "Total number of closed files") { $0.filesClosed },
            sample("fluentbit_input_files_rotated_total", "Total number of rotated files") { $0.filesRotated },
            sample("fluentbit_input_long_line_truncated_total", "Lines that were cut.") { $0.longLinesCut },
            sample("fluentbit_input_long_line_skipped_total", "Lines that were skipped.") { $0.longLinesSkipped },
            sample("leat_input_read_bytes_total", "Bytes read from files or connections.") { $0.readBytes },
            sample("leat_input_invalid_utf8_total", "Texts that were not UTF-8.") { $0.invalidTexts },
            Sample(
                name: "fluentbit_input_ingestion_paused",
                type: "gauge",
                help: "Is the input paused or not?",
                values: all.map { ($0.name, $0.isPaused ? 1 : 0) }
            ),
        ]
    }

    private var filterSamples: [Sample] {
        let all = self.agent.allFilters
        guard !all.isEmpty else { return [] }
        func sample(_ name: String, _ help: String, _ value: (FilterCounters) -> UInt64) -> Sample {
            Sample(name: name, type: "counter", help: help, values: all.map { ($0.name, value($0.counters)) })
        }
        return [
            sample("fluentbit_filter_records_total", "Total number of new records processed.") { $0.events },
            sample("fluentbit_filter_add_records_total", "Total number of new added records.") { $0.addedEvents },
            sample("fluentbit_filter_drop_records_total", "Total number of dropped records.") { $0.droppedEvents },
        ]
    }

    private var outputSamples: [Sample] {
        let all = self.outputs
        func sample(_ name: String, _ help: String, _ type: String = "counter", _ value: (OutputCounters) -> UInt64)
            -> Sample
        {
            Sample(name: name, type: type, help: help, values: all.map { ($0.name, value($0.counters)) })
        }
        return [
            sample("fluentbit_output_proc_records_total", "Number of processed output records.") { $0.deliveredEvents },
            sample("fluentbit_output_proc_bytes_total", "Number of processed output bytes.") { $0.deliveredBytes },
            sample("fluentbit_output_errors_total", "Number of output errors.") { $0.errors },
            sample("fluentbit_output_retries_total", "Number of output retries.") { $0.retries },
            sample("fluentbit_output_retries_failed_total", "Number of abandoned batches.") { $0.failedRetries },
            sample("fluentbit_output_dropped_records_total", "Number of dropped records.") { $0.droppedEvents },
            sample("fluentbit_output_retried_records_total", "Number of retried records.") { $0.retriedEvents },
            sample("leat_output_accepted_records_total", "Records for this output.") { $0.acceptedEvents },
            sample("leat_output_rejected_records_total", "Records in the dead-letter file.") { $0.rejectedEvents },
            sample("leat_output_buffered_records", "Records that wait on disk.", "gauge") { $0.bufferedEvents },
        ]
    }

    private var storeSamples: [Sample] {
        let store = self.agent.store
        return [
            Sample(
                name: "fluentbit_storage_chunks",
                type: "gauge",
                help: "Total number of chunks in the storage layer.",
                values: [("", UInt64(store.closed.count))]
            ),
            Sample(
                name: "leat_storage_bytes",
                type: "gauge",
                help: "Bytes of all chunks.",
                values: [("", store.chunkByteCount)]
            ),
        ]
    }
}
