// The outputs and their keys; a table, exempt from the limits of size.

/// See `PluginTable`.
enum OutputTable {
    static let all: [PluginDescription] = [
        Self.elasticsearch, Self.openSearch, Self.http, Self.loki, Self.splunk, Self.openTelemetry, Self.forward,
        Self.kafkaRest, Self.treasureData, Self.stdout, Self.file,
        PluginDescription(
            .output,
            "null",
            "throws events away",
            [
                .accepted("format", .text, "nothing is written"),
                .accepted("json_date_format", .text, "nothing is written"),
                .accepted("json_date_key", .text, "nothing is written"),
            ]
        ),
        PluginDescription(.output, "counter", "prints how many events came", []),
        PluginDescription(
            .output,
            "flowcounter",
            "prints how many events and bytes of records came per unit of time",
            [
                .acts("unit", .choice(["second", "minute", "hour", "day"]), "minute", "the unit"),
                .acts("event_based", .flag, "false", "by the events' times instead of the clock"),
            ]
        ),
    ]

    private static let elasticsearch = PluginDescription(
        .output,
        "es",
        "sends to Elasticsearch's bulk API, which our server speaks too",
        Self.bulk + [
            .acts("http_api_key", .text, nil, "API key"),
            .acts("cloud_id", .text, nil, "Elastic Cloud's id"),
            .acts("cloud_auth", .text, nil, "user:password at Elastic Cloud"),
            .acts("upstream", .text, nil, "file of servers that share the load"),
        ] + CommonKeys.client
    )

    private static let openSearch = PluginDescription(
        .output,
        "opensearch",
        "sends to OpenSearch's bulk API",
        Self.bulk + [.acts("upstream", .text, nil, "file of servers that share the load")] + CommonKeys.client
    )

    /// Keys of both bulk outputs.
    private static let bulk: [PluginKey] =
        [
            .acts("index", .text, "fluent-bit", "index of the documents"),
            .acts("type", .text, "_doc", "type of the documents"),
            .acts("suppress_type_name", .flag, "off", "leave the type out"),
            .acts("http_user", .text, nil, "user"),
            .acts("http_passwd", .text, nil, "password"),
            .ours("bearer_token", .text, nil, "token of our server"),
            .acts("compress", .choice(["gzip", "zstd", "none"]), nil, "compression of requests"),
            .acts("logstash_format", .flag, "off", "index by prefix and date"),
            .acts("logstash_prefix", .text, "logstash", "the prefix"),
            .acts("logstash_prefix_separator", .text, "-", "what stands between prefix and date"),
            .acts("logstash_prefix_key", .text, nil, "field that gives the prefix"),
            .acts("logstash_dateformat", .text, "%Y.%m.%d", "form of the date"),
            .acts("time_key", .text, "@timestamp", "field that gets the time"),
            .acts("time_key_format", .text, "%Y-%m-%dT%H:%M:%S", "form of the time"),
            .acts("time_key_nanos", .flag, "off", "nanoseconds instead of milliseconds"),
            .acts("include_tag_key", .flag, "off", "add the route tag"),
            .acts("tag_key", .text, "flb-key", "field that gets the route tag"),
            .accepted("buffer_size", .size, "answers may have any size"),
            .acts("path", .text, nil, "path before /_bulk"),
            .acts("pipeline", .text, nil, "ingest pipeline"),
            .acts("generate_id", .flag, "off", "ids made of the events' bytes"),
            .acts(
                "write_operation",
                .choice(["create", "index", "update", "upsert"]),
                "create",
                "what to do with documents"
            ),
            .acts("id_key", .text, nil, "field that holds the id"),
            .acts("replace_dots", .flag, "off", "dots in names become _"),
            .acts("current_time_index", .flag, "off", "the date is that of sending"),
            .acts("trace_output", .flag, "off", "log requests"),
            .acts("trace_error", .flag, "off", "log refused requests"),
        ] + Self.aws + [.acts("aws_service_name", .text, "es", "service to sign for; aoss: OpenSearch Serverless")]

    /// Keys of requests to AWS itself.
    private static let aws: [PluginKey] = [
        .acts("aws_auth", .flag, "false", "sign requests for AWS; see the section AWS"),
        .acts("aws_region", .text, nil, "region to sign for"),
        .acts("aws_profile", .text, nil, "profile of ~/.aws/credentials; default AWS_PROFILE, then default"),
        .acts("aws_role_arn", .text, nil, "role to take with the credentials that are found"),
        .acts("aws_external_id", .text, nil, "external id that the role asks for"),
        .acts("aws_sts_endpoint", .text, nil, "address of STS, which gives roles; default that of the region"),
    ]

    private static let http = PluginDescription(
        .output,
        "http",
        "posts events",
        [
            .acts("uri", .text, "/", "path"),
            .acts(
                "format",
                .choice(["json", "json_lines", "json_stream", "msgpack", "gelf"]),
                "json",
                "form of the body"
            ),
            .acts("json_date_key", .text, "date", "field that gets the time; false for none"),
            .acts("json_date_format", .text, "double", "double, epoch, epoch_ms, iso8601 or java_sql_timestamp"),
            .acts("header", .words(2), nil, "header; may be repeated"),
            .acts("header_tag", .text, nil, "header that gets the route tag"),
            .acts("proxy", .text, nil, "HTTP proxy as http://user:password@host:port; a tunnel with tls on"),
            .acts("http_method", .choice(["post", "put"]), "POST", "method"),
            .acts("upstream", .text, nil, "file of servers that share the load"),
            .acts("http_user", .text, nil, "user"),
            .acts("http_passwd", .text, nil, "password"),
            .ours("bearer_token", .text, nil, "token"),
            .acts("compress", .choice(["gzip", "zstd", "none"]), nil, "compression of requests"),
            .acts("http.response_timeout", .time, "60s", "longest wait for an answer"),
            .acts(
                "http.read_idle_timeout",
                .time,
                nil,
                "longest silence within an answer; default http.response_timeout"
            ),
            .acts("log_response_payload", .flag, "true", "log what the server says to a failed request"),
            .accepted("allow_duplicated_headers", .flag, "headers are sent as configured"),
            .acts("gelf_timestamp_key", .text, nil, "field of GELF's time"),
            .acts("gelf_host_key", .text, "host", "field of GELF's host"),
            .acts("gelf_short_message_key", .text, "short_message", "field of GELF's message"),
            .acts("gelf_full_message_key", .text, nil, "field of GELF's full message"),
            .acts("gelf_level_key", .text, "level", "field of GELF's level"),
            .acts("body_key", .text, nil, "field that is the whole body: a request per event; needs headers_key"),
            .acts("headers_key", .text, nil, "field whose members are further headers of that request"),
        ] + Self.oauth2 + Self.aws + [.acts("aws_service", .text, nil, "service to sign for; aws_auth needs it")]
            + CommonKeys.client
    )

    /// Keys of OAuth 2, client credentials.
    private static let oauth2: [PluginKey] = [
        .acts("oauth2.enable", .flag, "false", "get a token from token_url and send it with each request"),
        .acts("oauth2.token_url", .text, nil, "address of the token endpoint"),
        .acts("oauth2.client_id", .text, nil, "our name there"),
        .acts("oauth2.client_secret", .text, nil, "our secret there"),
        .acts("oauth2.auth_method", .choice(["basic", "post"]), "basic", "secret in the header, or in the form"),
        .acts("oauth2.scope", .text, nil, "scope to ask for"),
        .acts("oauth2.audience", .text, nil, "audience to ask for"),
        .acts("oauth2.resource", .text, nil, "resource to ask for"),
        .acts("oauth2.user_agent", .text, nil, "User-Agent of token requests"),
        .acts("oauth2.refresh_skew_seconds", .integer, "60", "seconds before its end at which a token is renewed"),
        .acts("oauth2.timeout", .time, nil, "longest wait for a token; default http.response_timeout"),
        .acts("oauth2.connect_timeout", .time, nil, "longest wait for a connection; default net.connect_timeout"),
        .accepted("oauth2.jwt_key_file", .text, "for private_key_jwt, which is not supported"),
        .accepted("oauth2.jwt_cert_file", .text, "for private_key_jwt, which is not supported"),
        .accepted("oauth2.jwt_aud", .text, "for private_key_jwt, which is not supported"),
        .accepted("oauth2.jwt_header", .text, "for private_key_jwt, which is not supported"),
        .accepted("oauth2.jwt_ttl_seconds", .integer, "for private_key_jwt, which is not supported"),
    ]

    private static let loki = PluginDescription(
        .output,
        "loki",
        "pushes to Loki",
        [
            .acts("uri", .text, "/loki/api/v1/push", "path"),
            .acts("tenant_id", .text, nil, "tenant"),
            .acts("tenant_id_key", .text, nil, "field that gives the tenant"),
            .acts("labels", .list, "job=fluent-bit", "labels: name=value, name=$field or $field"),
            .acts("label_keys", .list, nil, "fields that are labels"),
            .acts("label_map_path", .text, nil, "file that maps fields to labels"),
            .acts("structured_metadata", .list, nil, "structured metadata, written like labels"),
            .acts("structured_metadata_map_keys", .list, nil, "objects whose members are structured metadata"),
            .acts("auto_kubernetes_labels", .flag, "off", "labels of the pod are labels"),
            .acts("remove_keys", .list, nil, "fields to leave out of the line"),
            .acts("drop_single_key", .text, "off", "a line of one field is its text; raw: without quotes"),
            .acts("line_format", .choice(["json", "key_value"]), "json", "form of the line"),
            .acts("http_user", .text, nil, "user"),
            .acts("http_passwd", .text, nil, "password"),
            .acts("bearer_token", .text, nil, "token"),
            .acts("header", .words(2), nil, "header; may be repeated"),
            .acts("compress", .choice(["gzip", "none"]), nil, "compression of requests"),
            .accepted("buffer_size", .size, "answers may have any size"),
            .accepted("tenant_id_key_error_handling", .text, "every refused request is retried or kept"),
        ] + CommonKeys.client
    )

    private static let splunk = PluginDescription(
        .output,
        "splunk",
        "sends to Splunk's HTTP event collector",
        [
            .acts("splunk_token", .text, nil, "token"),
            .acts("splunk_send_raw", .flag, "off", "the record is the whole message"),
            .acts("event_key", .text, nil, "field that is the event"),
            .acts("event_host", .text, nil, "host, or $field"),
            .acts("event_source", .text, nil, "source, or $field"),
            .acts("event_sourcetype", .text, nil, "source type"),
            .acts("event_sourcetype_key", .text, nil, "field that gives it"),
            .acts("event_index", .text, nil, "index"),
            .acts("event_index_key", .text, nil, "field that gives it"),
            .acts("event_field", .words(2), nil, "further field; may be repeated"),
            .acts("channel", .text, nil, "channel"),
            .acts("http_user", .text, nil, "user"),
            .acts("http_passwd", .text, nil, "password"),
            .acts("compress", .choice(["gzip", "none"]), nil, "compression of requests"),
            .accepted("http_buffer_size", .size, "answers may have any size"),
            .accepted("http_debug_bad_request", .flag, "refused requests are always explained"),
            .acts("auto_extract_timestamp", .flag, "off", "send no time, for the server to find it in the event"),
        ] + CommonKeys.client
    )

    private static let openTelemetry = PluginDescription(
        .output,
        "opentelemetry",
        "sends logs by OTLP over HTTP",
        [
            .acts("logs_uri", .text, "/v1/logs", "path"),
            .acts("logs_body_key", .text, nil, "field that is the body; may be repeated; default log, then message")
                .repeatable,
            .acts("logs_body_key_attributes", .flag, "false", "the other fields are attributes"),
            .acts("proxy", .text, nil, "HTTP proxy as http://user:password@host:port; a tunnel with tls on"),
            .acts("add_label", .words(2), nil, "attribute of the resource; may be repeated"),
            .acts("header", .words(2), nil, "header; may be repeated"),
            .acts("http_user", .text, nil, "user"),
            .acts("http_passwd", .text, nil, "password"),
            .ours("bearer_token", .text, nil, "token"),
            .acts("compress", .choice(["gzip", "zstd", "none"]), nil, "compression of requests"),
            .acts("log_response_payload", .flag, "true", "log what the server says to a failed request"),
            .acts("logs_severity_text_message_key", .text, "$SeverityText", "field that is the severity's name"),
            .acts("logs_severity_number_message_key", .text, "$SeverityNumber", "field that is its number, 1 to 24"),
            .acts(
                "logs_trace_id_message_key",
                .text,
                "$TraceId",
                "field that is the trace's id, 32 hexadecimal digits"
            ),
            .acts("logs_span_id_message_key", .text, "$SpanId", "field that is the span's id, 16 hexadecimal digits"),
            .accepted("metrics_uri", .text, "there are no metrics"),
            .accepted("traces_uri", .text, "there are no traces"),
            .accepted("profiles_uri", .text, "there are no profiles"),
            .accepted("http2", .text, "HTTP/1.1 only"),
            .accepted("grpc", .flag, "HTTP only"),
            .accepted("grpc_logs_uri", .text, "HTTP only"),
            .accepted("grpc_metrics_uri", .text, "HTTP only"),
            .accepted("grpc_traces_uri", .text, "HTTP only"),
            .accepted("grpc_profiles_uri", .text, "HTTP only"),
            .accepted("batch_size", .integer, "a request is a chunk"),
            .accepted("logs_max_resources", .integer, "a request has one resource"),
            .accepted("logs_max_scopes", .integer, "a request has one scope"),
        ]
            + [
                "logs_metadata_key", "logs_observed_timestamp_metadata_key", "logs_timestamp_metadata_key",
                "logs_severity_text_metadata_key", "logs_severity_number_metadata_key", "logs_trace_flags_metadata_key",
                "logs_span_id_metadata_key", "logs_trace_id_metadata_key", "logs_attributes_metadata_key",
                "logs_instrumentation_scope_metadata_key", "logs_resource_metadata_key",
            ].map { .accepted($0, .text, "events have no metadata") }
            + Self.aws + [.acts("aws_service", .text, "logs", "service to sign for")] + CommonKeys.client
    )

    private static let kafkaRest = PluginDescription(
        .output,
        "kafka-rest",
        "sends to the REST proxy of Kafka",
        [
            .acts("topic", .text, "fluent-bit", "topic"),
            .acts("partition", .integer, "-1", "number of the partition; -1: the proxy chooses"),
            .acts("message_key", .text, nil, "key of all messages"),
            .acts("time_key", .text, "@timestamp", "field that gets the time"),
            .acts("time_key_format", .text, "%Y-%m-%dT%H:%M:%S", "form of the time, before its nanoseconds"),
            .acts("include_tag_key", .flag, "false", "add the route tag"),
            .acts("tag_key", .text, "_flb-key", "field that gets the route tag"),
            .acts("url_path", .text, nil, "path before /topics"),
            .acts("avro_http_header", .flag, "false", "announce the body as Avro's"),
            .acts("http_user", .text, nil, "user"),
            .acts("http_passwd", .text, nil, "password"),
        ] + CommonKeys.client
    )

    private static let treasureData = PluginDescription(
        .output,
        "td",
        "sends to a table of Treasure Data",
        [
            .acts("api", .text, nil, "key of the account"),
            .acts("database", .text, nil, "database"),
            .acts("table", .text, nil, "table"),
            .acts("region", .choice(["us", "jp"]), "us", "where the API is"),
            .acts("host", .text, nil, "host of the API; default the region's"),
            .acts("tls", .flag, "on", "whether the connection is encrypted"),
        ] + CommonKeys.client.filter { $0.name != "host" && $0.name != "tls" }
    )

    private static let forward = PluginDescription(
        .output,
        "forward",
        "sends by Fluentd's forward protocol",
        [
            .acts("tag", .text, nil, "tag instead of the route tag"),
            .acts("shared_key", .text, nil, "shared key of the handshake"),
            .acts("self_hostname", .text, "localhost", "our name in the handshake"),
            .acts("empty_shared_key", .flag, "false", "handshake with an empty key"),
            .acts("username", .text, nil, "user"),
            .acts("password", .text, nil, "password"),
            .acts("send_options", .flag, "false", "send size and options"),
            .acts("require_ack_response", .flag, "true", "wait for acknowledgements"),
            .acts("unix_path", .text, nil, "path of a socket"),
            .acts("upstream", .text, nil, "file of servers that share the load"),
            .acts("compress", .choice(["gzip", "none"]), nil, "compression of messages"),
            .acts("time_as_integer", .flag, "false", "whole seconds only"),
            .accepted("retain_metadata_in_forward_mode", .flag, "events have no metadata"),
            .accepted("fluentd_compat", .flag, "events have no metadata"),
            .acts("add_option", .words(2), nil, "further option; may be repeated"),
        ] + CommonKeys.client
    )

    private static let stdout = PluginDescription(
        .output,
        "stdout",
        "prints events",
        [
            .acts(
                "format",
                .choice(["msgpack", "json", "json_lines", "json_stream"]),
                "msgpack",
                "form; msgpack is Fluent Bit's readable form"
            ),
            .acts("json_date_key", .text, "date", "field that gets the time; false for none"),
            .acts("json_date_format", .text, "double", "double, epoch, epoch_ms, iso8601 or java_sql_timestamp"),
        ]
    )

    private static let file = PluginDescription(
        .output,
        "file",
        "writes files",
        [
            .acts(
                "path",
                .text,
                nil,
                "folder; may hold fields such as $kubernetes['namespace_name'], not at its beginning"
            ),
            .acts("file", .text, nil, "name, which may hold fields; default the route tag"),
            .acts("format", .choice(["out_file", "plain", "csv", "ltsv", "template"]), "out_file", "form of lines"),
            .acts("delimiter", .text, nil, "what stands between values"),
            .acts("label_delimiter", .text, nil, "what stands between name and value"),
            .acts("template", .text, "{time} {message}", "the line, with {field}"),
            .acts("csv_column_names", .flag, "false", "names in the first line"),
            .acts("mkdir", .flag, "false", "create the folder"),
            .acts("enable_strftime", .flag, "false", "path and file may hold the event's time in UTC, as %Y-%m-%d"),
            .acts("max_dynamic_files", .integer, "1024", "most files whose names are made of events; 0 for any number"),
            .acts(
                "on_missing_field",
                .choice(["error", "drop", "fallback"]),
                "error",
                "events without such a field, or with one that is no safe name; error: they are dead letters"
            ),
            .acts(
                "on_limit_reached",
                .choice(["error", "drop", "fallback"]),
                "error",
                "events beyond max_dynamic_files"
            ),
            .acts("fallback_path", .text, nil, "folder of fallback_file"),
            .acts("fallback_file", .text, nil, "file of events that have none of their own"),
            .acts("rotate", .flag, "false", "rename a file that is long enough, to FILE.20261130_114501_0a1b2c3d"),
            .acts("rotate_max_size", .size, "100M", "the length at which that happens"),
            .acts("rotate_max_files", .integer, "7", "renamed files that stay"),
            .acts("rotate_gzip", .flag, "true", "compress renamed files"),
        ]
    )
}
