internal import LeatCore

/// Fluent Bit's monitoring endpoints over the running agent.
final class MonitoringServer {
    /// What the configuration says about health.
    struct HealthOptions {
        var isJudged = false
        /// How long an output may fail before that counts.
        var period = Duration.seconds(60)
        /// Errors of one output within the period beyond which it counts, unless the last try succeeded.
        var errorCountMax: UInt64 = 5
        /// Batches of one output given up within the period beyond which it counts.
        var failedRetryCountMax: UInt64 = 5
    }

    private static let tracePath = "/api/v1/trace/"
    private static let prometheusType = "text/plain; version=0.0.4; charset=utf-8"
    private static let connectionCountMax = 64
    private static let idleTimeout = Duration.seconds(30)

    /// Called for a reload that was asked for; says whether it will happen.
    var reload: () -> Bool = { false }

    private unowned let agent: Agent
    private let health: HealthOptions
    private let allowsRemoteReload: Bool
    private let startedAt: Timestamp
    private var listener: HTTPListener?
    private var history: [(seconds: Int64, counts: [Int: ErrorCounts])] = []
    private var timer: TimerQueue.ID?

    /// What went wrong with an output so far.
    private struct ErrorCounts: Hashable {
        var errors: UInt64 = 0
        var failedRetries: UInt64 = 0
    }
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
        var options = StreamServer.Options(host: host, port: port)
        options.connectionCountMax = Self.connectionCountMax
        options.idleTimeout = Self.idleTimeout
        self.listener = try HTTPListener(options, loop: agent.loop) { [weak self] request, respond in
            respond(self?.answer(request) ?? .json("{}", status: 500))
        }
        if health.isJudged { self.noteErrors() }
    }

    /// The port that is listened on.
    var port: Int { self.listener?.port ?? 0 }

    func close() {
        if let timer { self.agent.loop.cancel(timer) }
        self.timer = nil
        self.listener?.close()
    }

    /// Notes once a second what went wrong so far, as long as the period goes back.
    private func noteErrors() {
        let now = self.agent.loop.time.now().seconds
        let counts = self.agent.queues.mapValues {
            ErrorCounts(errors: $0.counters.errors, failedRetries: $0.counters.failedRetries)
        }
        if self.history.last?.counts != counts { self.history.append((now, counts)) }
        // The newest entry that is older than the period says what there was at its start.
        let start = now - self.health.period.components.seconds
        while self.history.count > 1, self.history[1].seconds <= start { self.history.removeFirst() }
        self.timer = self.agent.loop.schedule(after: .seconds(1)) { [weak self] in self?.noteErrors() }
    }

    private func answer(_ request: ReceivedRequest) -> Answer {
        let metrics = AgentMetrics(agent: self.agent, startedAt: self.startedAt, reloadCount: self.reloadCount)
        let now = self.agent.loop.time.now()
        if request.path == "/api/v2/reload" { return self.answerReload(request) }
        if request.path.hasPrefix(Self.tracePath) { return self.answerTrace(request) }
        guard request.method == "GET" || request.method == "HEAD" else {
            return .json("{\"error\":\"only GET\"}", status: 405)
        }
        switch request.path {
        case "/":
            let version = AgentProgram.version
            return .json("{\"fluent-bit\":{\"version\":\"\(version)\",\"edition\":\"leat-agent\",\"flags\":[]}}")
        case "/api/v1/uptime": return .json(self.uptime)
        case "/api/v1/metrics": return .json(StatusText(metrics: metrics).counters())
        case "/api/v1/plugins": return .json(Self.plugins)
        case "/api/v2/metrics": return .text(metrics.lines(now: now))
        case "/api/v1/metrics/prometheus":
            return .text(metrics.prometheusV1(now: now), contentType: Self.prometheusType)
        case "/api/v2/metrics/prometheus":
            return .text(metrics.prometheusV2(now: now), contentType: Self.prometheusType)
        case "/api/v1/storage": return .json(StatusText(metrics: metrics).storage())
        case "/api/v1/health", "/api/v2/health": return self.answerHealth()
        default: return .json("{\"error\":\"no such endpoint\"}", status: 404)
        }
    }

    /// The plugins that this agent has.
    private static var plugins: String {
        var writer = JSONWriter()
        writer.beginObject()
        for (kind, key) in [(PluginKind.input, "inputs"), (.filter, "filters"), (.output, "outputs")] {
            writer.key(key)
            writer.beginArray()
            for name in PluginTable.names(kind) { writer.value(name) }
            writer.endArray()
        }
        writer.endObject()
        return writer.text
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
        let before = self.history.first?.counts ?? [:]
        for (index, queue) in self.agent.queues.sorted(by: { $0.key < $1.key }) {
            let known = before[index] ?? ErrorCounts()
            let errors = queue.counters.errors - min(known.errors, queue.counters.errors)
            let given = queue.counters.failedRetries - min(known.failedRetries, queue.counters.failedRetries)
            if errors > self.health.errorCountMax, queue.isFailing {
                return .text("error: \(queue.name) has failed \(errors) times lately\n", status: 500)
            }
            if given > self.health.failedRetryCountMax {
                return .text("error: \(queue.name) has given up \(given) batches lately\n", status: 500)
            }
            if let failing = queue.failingFor, failing >= self.health.period {
                return .text(
                    "error: \(queue.name) has not delivered for \(failing.components.seconds) s\n",
                    status: 500
                )
            }
        }
        return .text("ok\n")
    }

    /// Prints what an input hands on from now on, or no more.
    private func answerTrace(_ request: ReceivedRequest) -> Answer {
        guard request.isLocal || self.allowsRemoteReload else {
            return .json("{\"status\":\"set Hot_Reload On to allow this from other machines\"}", status: 403)
        }
        let name = request.path.dropFirst(Self.tracePath.count)
        guard let input = self.agent.inputCounters.first(where: { $0.name == name }) else {
            return .json("{\"status\":\"not found\"}", status: 404)
        }
        switch request.method {
        case "GET", "POST", "PUT":
            input.isTraced = true
            return .json("{\"status\":\"ok\"}")
        case "DELETE":
            input.isTraced = false
            return .json("{\"status\":\"ok\"}", status: 201)
        default: return .json("{}", status: 405)
        }
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
