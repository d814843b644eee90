internal import LeatCore

/// Fluent Bit's monitoring endpoints over the running agent.
final class MonitoringServer {
    /// What the configuration says about health.
    struct HealthOptions {
        var isJudged = false
        /// How long an output may fail before that counts.
        var period = Duration.seconds(60)
    }

    /// Called for a reload that was asked for; says whether it will happen.
    var reload: () -> Bool = { false }

    private unowned let agent: Agent
    private let health: HealthOptions
    private let allowsRemoteReload: Bool
    private let startedAt: Timestamp
    private var listener: HTTPListener?
    private var reloadCount = 0

    init(
        agent: Agent,
        host: String,
        port: Int,
        health: HealthOptions,
        allowsRemoteReload: Bool,
        reloadCount: Int
    ) throws(InputError) {
        self.agent = agent
        self.health = health
        self.allowsRemoteReload = allowsRemoteReload
        self.reloadCount = reloadCount
        self.startedAt = agent.loop.time.now()
        self.listener = try HTTPListener(loop: agent.loop, host: host, port: port) { [weak self] request in
            self?.answer(request) ?? .json("{}", status: 500)
        }
    }

    /// The port that is listened on.
    var port: Int { self.listener?.port ?? 0 }

    func close() { self.listener?.close() }

    private func answer(_ request: ReceivedRequest) -> Answer {
        let metrics = MetricsText(agent: self.agent, startedAtNanoseconds: self.startedAt.nanoseconds)
        if request.path == "/api/v2/reload" { return self.answerReload(request) }
        guard request.method == "GET" || request.method == "HEAD" else {
            return .json("{\"error\":\"only GET\"}", status: 405)
        }
        switch request.path {
        case "/":
            let version = AgentProgram.version
            return .json("{\"fluent-bit\":{\"version\":\"\(version)\",\"edition\":\"leat-agent\",\"flags\":[]}}")
        case "/api/v1/uptime": return .json(self.uptime)
        case "/api/v1/metrics", "/api/v2/metrics": return .json(metrics.json())
        case "/api/v1/metrics/prometheus", "/api/v2/metrics/prometheus":
            let text = metrics.prometheus(now: self.agent.loop.time.now())
            return .text(text, contentType: "text/plain; version=0.0.4; charset=utf-8")
        case "/api/v1/storage": return .json(metrics.storage())
        case "/api/v1/health", "/api/v2/health": return self.answerHealth()
        default: return .json("{\"error\":\"no such endpoint\"}", status: 404)
        }
    }

    private var uptime: String {
        let seconds = max(0, self.agent.loop.time.now().seconds - self.startedAt.seconds)
        let parts = [(seconds / 86_400, "day"), (seconds / 3_600 % 24, "hour"), (seconds / 60 % 60, "minute")]
        var text = parts.map { "\($0.0) \($0.1)\($0.0 == 1 ? "" : "s"), " }.joined()
        text += "and \(seconds % 60) second\(seconds % 60 == 1 ? "" : "s")"
        return "{\"uptime_sec\":\(seconds),\"uptime_hr\":\"Fluent Bit has been running:  \(text)\"}"
    }

    /// Healthy means that data flows: the disk takes events, and no output has failed for longer than the period.
    private func answerHealth() -> Answer {
        guard self.health.isJudged else { return .text("ok\n") }
        if let failure = self.agent.store.failure { return .text("error: \(failure)\n", status: 500) }
        for queue in self.agent.queues.values {
            if let failing = queue.failingFor, failing >= self.health.period {
                return .text(
                    "error: \(queue.name) has not delivered for \(failing.components.seconds) s\n",
                    status: 500
                )
            }
        }
        return .text("ok\n")
    }

    private func answerReload(_ request: ReceivedRequest) -> Answer {
        if request.method == "GET" { return .json("{\"hot_reload_count\":\(self.reloadCount)}") }
        guard request.method == "POST" || request.method == "PUT" else { return .json("{}", status: 405) }
        guard request.isLocal || self.allowsRemoteReload else {
            return .json(
                "{\"reload\":\"set Hot_Reload On to allow this from other machines\",\"status\":-1}",
                status: 403
            )
        }
        return self.reload()
            ? .json("{\"reload\":\"done\",\"status\":0}")
            : .json("{\"reload\":\"the new configuration has errors; the old one stays\",\"status\":-2}", status: 400)
    }
}
