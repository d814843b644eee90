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
                ("/api/v1/metrics", #""http.0":{"proc_records":3"#), ("/api/v2/metrics", "fluentbit_uptime = "),
                ("/api/v1/metrics/prometheus", #"fluentbit_input_records_total{name="dummy.0"} 3"#),
                ("/api/v2/metrics/prometheus", #"leat_output_accepted_records_total{name="http.0"} 3"#),
                ("/api/v2/metrics/prometheus", #"fluentbit_filter_records_total{name="grep.0"} 3"#),
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
