internal import LeatCore

/// Fluent Bit's first monitoring interface: JSON objects of counters.
struct StatusText {
    let metrics: AgentMetrics

    private var agent: Agent { self.metrics.agent }

    /// `/api/v1/metrics`.
    func counters() -> String {
        var writer = JSONWriter()
        writer.beginObject()
        writer.key("input")
        writer.beginObject()
        for input in self.agent.inputCounters {
            self.object(input.name, [("records", input.events), ("bytes", input.bytes)], &writer)
        }
        writer.endObject()
        writer.key("filter")
        writer.beginObject()
        for filter in self.agent.pipeline.filters {
            let counters = filter.counters
            let fields = [
                ("drop_records", counters.droppedEvents), ("add_records", counters.addedEvents),
                ("emit_records", counters.emittedEvents),
            ]
            self.object(filter.name, fields, &writer)
        }
        writer.endObject()
        writer.key("output")
        writer.beginObject()
        for (name, counters) in self.metrics.outputs { self.object(name, Self.fields(of: counters), &writer) }
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

    private func object(_ name: String, _ fields: [(String, UInt64)], _ writer: inout JSONWriter) {
        writer.key(name)
        writer.beginObject()
        for (name, value) in fields {
            writer.key(name)
            writer.value(Int(clamping: value))
        }
        writer.endObject()
    }

    /// `/api/v1/storage`; chunks are counted for the whole agent, since one may hold events of several inputs.
    func storage() -> String {
        let store = self.agent.store
        let figures = StorageFigures(self.agent)
        var writer = JSONWriter()
        writer.beginObject()
        writer.key("storage_layer")
        writer.beginObject()
        let chunks = [
            ("total_chunks", figures.total), ("mem_chunks", 0), ("fs_chunks", figures.total),
            ("fs_chunks_up", figures.up), ("fs_chunks_down", figures.down),
        ]
        self.object("chunks", chunks, &writer)
        writer.key("bytes")
        writer.value(Int(clamping: store.chunkByteCount))
        writer.key("unwritten_bytes")
        writer.value(store.unwrittenByteCount)
        writer.key("full")
        writer.value(store.isFull)
        writer.key("full_because")
        writer.value(store.fullness?.description ?? "")
        writer.endObject()
        writer.key("input_chunks")
        writer.beginObject()
        for input in self.agent.inputCounters { self.append(input, to: &writer) }
        writer.endObject()
        writer.endObject()
        return writer.text
    }

    private func append(_ input: InputCounters, to writer: inout JSONWriter) {
        writer.key(input.name)
        writer.beginObject()
        writer.key("status")
        writer.beginObject()
        writer.key("overlimit")
        writer.value(!input.hasRoom)
        writer.key("mem_size")
        writer.value(Self.size(input.memoryByteCount))
        writer.key("mem_limit")
        writer.value(Self.size(input.unwrittenByteCountMax ?? 0))
        writer.endObject()
        writer.endObject()
    }

    /// `512b`, `1.5K`, `20.0M`.
    static func size(_ byteCount: Int) -> String {
        guard byteCount >= 1_024 else { return "\(byteCount)b" }
        var value = Double(byteCount)
        var unit = 0
        let units = ["b", "K", "M", "G", "T", "P"]
        while value >= 1_024, unit < units.count - 1 {
            value /= 1_024
            unit += 1
        }
        let tenths = Int((value * 10).rounded())
        return "\(tenths / 10).\(tenths % 10)\(units[unit])"
    }
}
