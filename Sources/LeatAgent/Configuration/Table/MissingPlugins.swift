// Plugins of Fluent Bit that the agent does not have; a table, exempt from the limits of size.

/// Why a plugin that Fluent Bit has, or had, is not here, and what does the same.
enum MissingPlugins {
    /// The reason in a line; `nil` for a name that Fluent Bit never had.
    static func reason(_ kind: PluginKind, _ name: String) -> String? {
        self.groups.first { $0.kind == kind && $0.names.contains(name.lowercased()) }?.reason
    }

    /// Plugins that are missing for the same reason.
    struct Group: Sendable {
        let kind: PluginKind
        let names: [String]
        let reason: String
    }

    static let groups: [Group] = Self.inputs + Self.filters + Self.outputs

    private static let cloud = "services of clouds are not spoken to; send to http, opentelemetry or forward"
    private static let noMetrics = "metrics are not collected; let Prometheus scrape them"

    private static let inputs: [Group] = [
        Group(
            kind: .input,
            names: ["winlog", "winevtlog", "winstat", "etw", "event_tracing_windows", "windows_exporter_metrics"],
            reason: "it exists on Windows only"
        ),
        Group(kind: .input, names: ["xbee"], reason: "it was removed from Fluent Bit"),
        Group(
            kind: .input,
            names: [
                "node_exporter_metrics", "process_exporter_metrics", "nginx_exporter_metrics", "nginx_metrics",
                "podman_metrics",
                "gpu_metrics", "prometheus_scrape", "prometheus_textfile", "prometheus_remote_write", "statsd",
                "collectd", "docker", "ebpf",
            ],
            reason: Self.noMetrics
        ),
        Group(
            kind: .input,
            names: ["fluentbit_metrics"],
            reason: "the agent's own metrics are at /api/v1/metrics/prometheus with http_server on"
        ),
        Group(
            kind: .input,
            names: ["fluentbit_logs"],
            reason: "the agent's own log lines go to standard error, or to log_file, which tail can follow"
        ),
        Group(
            kind: .input,
            names: ["exec_wasi"],
            reason: "WebAssembly is not run; take exec with a command"
        ),
        Group(
            kind: .input,
            names: ["udp", "unix_socket"],
            reason: "take tcp, or syslog with Mode udp, unix_udp or unix_tcp"
        ),
        Group(kind: .input, names: ["kmsg"], reason: "take systemd, whose journal has the kernel's messages"),
        Group(
            kind: .input,
            names: ["serial"],
            reason: "serial lines are not read; pipe the device into the input stdin or tcp"
        ),
        Group(
            kind: .input,
            names: ["health"],
            reason: "servers are not probed; proc watches a program of this machine"
        ),
        Group(
            kind: .input,
            names: ["elasticsearch", "splunk", "opentelemetry"],
            reason: "leat-server takes these requests itself; send to it instead of the agent"
        ),
        Group(
            kind: .input,
            names: ["kubernetes_events", "docker_events"],
            reason: "events of the cluster and of docker are not read, only the containers' logs"
        ),
        Group(kind: .input, names: ["kafka"], reason: "Kafka is not read; let its consumer send to the input http"),
        Group(kind: .input, names: ["blob", "calyptia_fleet"], reason: Self.cloud),
        Group(
            kind: .input,
            names: ["emitter", "lib", "storage_backlog", "stream_processor", "event_test", "event_type"],
            reason: "it is an inner part of Fluent Bit"
        ),
    ]

    private static let filters: [Group] = [
        Group(
            kind: .filter,
            names: ["log_to_metrics"],
            reason: "metrics are not made; a live query of leat-server counts events"
        ),
        Group(kind: .filter, names: ["wasm"], reason: "WebAssembly is not run; take lua"),
        Group(
            kind: .filter,
            names: ["aws", "ecs"],
            reason: "metadata of AWS are not asked for; add what is known with modify"
        ),
        Group(kind: .filter, names: ["sysinfo"], reason: "take record_modifier with ${HOSTNAME} and the like"),
        Group(
            kind: .filter,
            names: ["geoip2", "nightfall", "tensorflow"],
            reason: "models and databases of others are not asked; do that where the events are stored"
        ),
        Group(kind: .filter, names: ["checklist"], reason: "take grep, or lua with a table"),
        Group(kind: .filter, names: ["throttle_size"], reason: "take throttle, which counts events"),
        Group(kind: .filter, names: ["alter_size"], reason: "it is for tests of Fluent Bit"),
        Group(kind: .filter, names: ["sql", "sampling"], reason: "take grep, throttle or lua, also as a processor"),
        Group(
            kind: .filter,
            names: [
                "metrics_selector", "labels", "cumulative_to_delta", "opentelemetry_envelope", "tda",
            ],
            reason: "it is for metrics and traces, which are not collected"
        ),
    ]

    private static let outputs: [Group] = [
        Group(
            kind: .output,
            names: [
                "azure", "azure_blob", "azure_kusto", "azure_logs_ingestion", "bigquery", "calyptia", "chronicle",
                "cloudwatch_logs", "cloudwatch", "firehose", "gcs", "kinesis", "kinesis_firehose", "kinesis_streams",
                "oracle_log_analytics", "s3", "stackdriver",
            ],
            reason: Self.cloud
        ),
        Group(
            kind: .output,
            names: ["prometheus_exporter", "prometheus_remote_write", "vivo_exporter", "influxdb", "plot"],
            reason: Self.noMetrics
        ),
        Group(kind: .output, names: ["kafka"], reason: "Kafka is reached through kafka-rest"),
        Group(kind: .output, names: ["gelf"], reason: "take http with Format gelf"),
        Group(
            kind: .output,
            names: ["datadog", "logdna", "newrelic", "nrlogs", "skywalking", "slack"],
            reason: "take http with the service's uri and header"
        ),
        Group(
            kind: .output,
            names: ["tcp", "udp", "syslog", "websocket", "nats"],
            reason: "nothing there says that an event has arrived; take forward or http"
        ),
        Group(kind: .output, names: ["pgsql"], reason: "databases are not written to; take http"),
        Group(kind: .output, names: ["exit", "retry", "lib"], reason: "it is for tests of Fluent Bit"),
    ]
}
