import LeatCore
import LeatTesting
import Testing

@testable import LeatAgent

/// The monitoring endpoints over a running agent.
struct MonitoringServerTests {
    private static func get(_ path: String, _ port: Int, _ world: AgentWorld, method: String = "GET") throws -> String {
        let socket = try TestSocket(port: port)
        socket.send("\(method) \(path) HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        var text = ""
        try world.turn("an answer to \(path)") {
            guard let bytes = socket.receive() else { return true }
            text += String(decoding: bytes, as: UTF8.self)
            return false
        }
        return text
    }

    private static func pipeline(port: Int, samples: Int) -> String {
        """
        [SERVICE]
            Flush 0.01
            Scheduler.Cap 0.01
            Scheduler.Base 0.01
        [INPUT]
            Name dummy
            Samples \(samples)
            Interval_Nsec 1000000
        [FILTER]
            Name grep
            Match *
            Exclude message nothing
        [OUTPUT]
            Name http
            Match *
            Host 127.0.0.1
            Port \(port)
        """
    }

    @Test
    func endpointsAnswerLikeFluentBitAndCountersAddUp() throws {
        try withTemporaryFolder { folder in
            let world = try AgentWorld(folder)
            let sink = try HTTPListener(StreamServer.Options(host: "127.0.0.1"), loop: world.loop) { $1(Answer()) }
            let agent = try world.start(Self.pipeline(port: sink.port, samples: 3))
            try world.turn("delivered") { agent.queues[0]?.counters.deliveredEvents == 3 }
            let monitoring = try MonitoringServer(
                agent: agent,
                host: "127.0.0.1",
                port: 0,
                health: MonitoringServer.HealthOptions(isJudged: true),
                allowsRemoteReload: false,
                reloadCount: 2
            )
            let expected: [(path: String, text: String)] = [
                ("/", #""fluent-bit""#), ("/api/v1/uptime", "uptime_sec"), ("/api/v1/plugins", #""inputs":["tail""#),
                ("/api/v1/health", "ok"), ("/api/v2/health", "ok"), ("/api/v1/storage", "total_chunks"),
                ("/api/v1/metrics", #""http.0":{"proc_records":3"#),
                ("/api/v2/metrics", "fluentbit_uptime{hostname=\""),
                ("/api/v1/metrics/prometheus", #"fluentbit_input_records_total{name="dummy.0"} 3"#),
                ("/api/v2/metrics/prometheus", #"leat_output_accepted_records_total{name="http.0"} 3"#),
                ("/api/v2/metrics/prometheus", #"fluentbit_filter_records_total{name="grep.0"} 3"#),
                ("/api/v1/metrics/prometheus", "\nfluentbit_uptime "),
                ("/api/v1/metrics/prometheus", #"fluentbit_build_info{version="0.1.0",edition="leat-agent"} 1"#),
                ("/api/v2/metrics/prometheus", #"fluentbit_build_info{hostname=""#),
                ("/api/v2/metrics/prometheus", "\nfluentbit_storage_fs_chunks_down 0\n"),
                ("/api/v2/metrics/prometheus", #"fluentbit_output_latency_seconds_bucket{le="+Inf",output="http.0"} "#),
                ("/api/v2/metrics/prometheus", #"fluentbit_output_latency_seconds_count{output="http.0"} "#),
                (
                    "/api/v2/metrics/prometheus",
                    #"fluentbit_output_chunk_available_capacity_percent{name="http.0"} 100"#
                ),
                ("/api/v2/metrics/prometheus", #"fluentbit_input_storage_overlimit{name="dummy.0"} 0"#),
                (
                    "/api/v1/storage",
                    #""input_chunks":{"dummy.0":{"status":{"overlimit":false,"mem_size":"0b","mem_limit":"0b"}}}"#
                ),
                ("/api/v2/reload", #"{"hot_reload_count":2}"#),
            ]
            for (path, text) in expected {
                let answer = try Self.get(path, monitoring.port, world)
                #expect(answer.hasPrefix("HTTP/1.1 200 ") && answer.contains(text), "\(path): \(answer)")
            }
            #expect(try Self.get("/nothing", monitoring.port, world).hasPrefix("HTTP/1.1 404 "))
            #expect(try Self.get("/api/v1/metrics", monitoring.port, world, method: "POST").hasPrefix("HTTP/1.1 405 "))
            #expect(try Self.get("/api/v2/reload", monitoring.port, world, method: "POST").hasPrefix("HTTP/1.1 400 "))
            #expect(try Self.get("/api/v1/trace/dummy.0", monitoring.port, world).contains(#"{"status":"ok"}"#))
            #expect(agent.inputCounters[0].isTraced)
            let ended = try Self.get("/api/v1/trace/dummy.0", monitoring.port, world, method: "DELETE")
            #expect(ended.hasPrefix("HTTP/1.1 201 ") && !agent.inputCounters[0].isTraced)
            #expect(try Self.get("/api/v1/trace/none", monitoring.port, world).hasPrefix("HTTP/1.1 404 "))
            monitoring.reload = { true }
            #expect(
                try Self.get("/api/v2/reload", monitoring.port, world, method: "POST").contains(#""reload":"done""#)
            )
            monitoring.close()
            agent.stop()
            sink.close()
        }
    }

    static let sizes: [(byteCount: Int, text: String)] = [
        (0, "0b"), (1_023, "1023b"), (1_024, "1.0K"), (1_536, "1.5K"), (5 << 20, "5.0M"), (1 << 30, "1.0G"),
    ]

    @Test(arguments: sizes)
    func sizesAreWrittenAsFluentBitDoes(byteCount: Int, text: String) {
        #expect(StatusText.size(byteCount) == text)
    }

    @Test
    func durationsAreCountedUpToTheirBounds() {
        var histogram = LatencyHistogram()
        for milliseconds: UInt64 in [1, 500, 501, 31_000] { histogram.add(nanoseconds: milliseconds * 1_000_000) }
        let family = MetricFamily("x", .histogram, "help", [.init(labels: [], value: .histogram(histogram))])
        var text = ""
        family.appendPrometheus(to: &text)
        for line in ["x_bucket{le=\"0.5\"} 2", "x_bucket{le=\"1.0\"} 3", "x_bucket{le=\"+Inf\"} 4", "x_count 4"] {
            #expect(text.contains("\n\(line)\n"), "\(text)")
        }
    }

    @Test
    func healthMeansThatDataFlows() throws {
        try withTemporaryFolder { folder in
            let world = try AgentWorld(folder)
            var status = 500
            let sink = try HTTPListener(StreamServer.Options(host: "127.0.0.1"), loop: world.loop) {
                $1(Answer(status: status))
            }
            let agent = try world.start(Self.pipeline(port: sink.port, samples: 1))
            let monitoring = try MonitoringServer(
                agent: agent,
                host: "127.0.0.1",
                port: 0,
                health: MonitoringServer.HealthOptions(isJudged: true, errorCountMax: 2),
                allowsRemoteReload: false,
                reloadCount: 0
            )
            #expect(try Self.get("/api/v1/health", monitoring.port, world).hasPrefix("HTTP/1.1 200 "))
            try world.turn("three errors") { (agent.queues[0]?.counters.errors ?? 0) > 2 }
            let sick = try Self.get("/api/v1/health", monitoring.port, world)
            #expect(sick.hasPrefix("HTTP/1.1 500 ") && sick.contains("http.0 has failed"), "\(sick)")
            status = 200
            try world.turn("delivered") { agent.queues[0]?.counters.deliveredEvents == 1 }
            #expect(try Self.get("/api/v2/health", monitoring.port, world).hasPrefix("HTTP/1.1 200 "))
            monitoring.close()
            agent.stop()
            sink.close()
        }
    }
}
