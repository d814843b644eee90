// The filters and their keys; a table, exempt from the limits of size.

/// See `PluginTable`.
enum FilterTable {
    static let all: [PluginDescription] = [
        Self.kubernetes, Self.grep, Self.modify, Self.recordModifier, Self.nest, Self.parser, Self.rewriteTag,
        Self.throttle, Self.multiline, Self.typeConverter, Self.contentModifier, Self.lua, Self.stdout, Self.expect,
    ]

    private static let kubernetes = PluginDescription(
        .filter,
        "kubernetes",
        "adds the metadata of pods and reads JSON in log",
        [
            .acts("merge_log", .flag, "off", "put the members of a JSON object in log into the record"),
            .acts("merge_json_log", .flag, "off", "the older name of merge_log, as old examples have it"),
            .acts("merge_parser", .text, nil, "parser of log instead of JSON"),
            .acts("merge_log_key", .text, nil, "field that gets the members instead of the record"),
            .acts("merge_log_trim", .flag, "on", "cut line ends from the members' texts"),
            .acts("keep_log", .flag, "on", "keep log after merging it"),
            .acts("kube_url", .text, "https://kubernetes.default.svc", "address of the API server"),
            .acts("kube_meta_preload_cache_dir", .text, nil, "folder of pods as JSON files"),
            .acts(
                "kube_ca_file",
                .text,
                "/var/run/secrets/kubernetes.io/serviceaccount/ca.crt",
                "certificate of the cluster"
            ),
            .acts("kube_ca_path", .text, nil, "folder of certificates"),
            .acts("kube_tag_prefix", .text, "kube.var.log.containers.", "what stands before the file's name in tags"),
            .acts(
                "kube_namespace_file",
                .text,
                "/var/run/secrets/kubernetes.io/serviceaccount/namespace",
                "our own namespace"
            ),
            .acts(
                "kube_token_file",
                .text,
                "/var/run/secrets/kubernetes.io/serviceaccount/token",
                "token of our account"
            ),
            .acts("kube_token_command", .text, nil, "command that prints a token"),
            .acts("kube_token_ttl", .time, "10m", "how long a token is used before it is read again"),
            .acts("labels", .flag, "on", "add labels"),
            .acts("annotations", .flag, "on", "add annotations"),
            .acts("owner_references", .flag, "off", "add owners"),
            .acts("namespace_labels", .flag, "off", "add labels of the namespace"),
            .acts("namespace_annotations", .flag, "off", "add annotations of the namespace"),
            .acts("namespace_metadata_only", .flag, "off", "only the namespace's metadata"),
            .acts("k8s-logging.parser", .flag, "off", "pods choose their parser by annotation"),
            .acts("k8s-logging.exclude", .flag, "off", "pods may leave their logs out by annotation"),
            .acts("use_journal", .flag, "off", "names come from journal fields"),
            .acts("regex_parser", .text, nil, "parser of the tag"),
            .acts("dummy_meta", .flag, "off", "add made-up metadata, for tests"),
            .acts("use_tag_for_meta", .flag, "off", "only what the tag says"),
            .acts("use_kubelet", .flag, "off", "ask the kubelet instead of the API server"),
            .acts("kubelet_host", .text, "127.0.0.1", "host of the kubelet"),
            .acts("kubelet_port", .integer, "10250", "port of the kubelet"),
            .accepted("cache_use_docker_id", .flag, "metadata is kept by the pod's uid"),
            .accepted("kube_meta_cache_ttl", .time, "metadata is kept fresh by watching the cluster"),
            .accepted("kube_meta_namespace_cache_ttl", .time, "metadata is kept fresh by watching the cluster"),
            .acts("tls.verify", .flag, "on", "check the server's certificate"),
            .acts("tls.vhost", .text, nil, "name to check"),
            .acts("tls.verify_hostname", .flag, "on", "check its name"),
            .accepted("tls.debug", .integer, "errors of TLS are always logged"),
            .accepted("buffer_size", .size, "answers may have any size"),
            .accepted("dns_retries", .integer, "connections are tried until they succeed"),
            .accepted("dns_wait_time", .time, "connections are tried until they succeed"),
            .accepted("set_platform", .text, Self.noEntities),
            .accepted("use_pod_association", .flag, Self.noEntities),
            .accepted("aws_use_pod_association", .flag, Self.noEntities),
            .accepted("aws_pod_association_host", .text, Self.noEntities),
            .accepted("aws_pod_association_endpoint", .text, Self.noEntities),
            .accepted("aws_pod_association_port", .integer, Self.noEntities),
            .accepted("aws_pod_association_host_server_ca_file", .text, Self.noEntities),
            .accepted("aws_pod_association_host_client_cert_file", .text, Self.noEntities),
            .accepted("aws_pod_association_host_client_key_file", .text, Self.noEntities),
            .accepted("aws_pod_association_host_tls_debug", .integer, Self.noEntities),
            .accepted("aws_pod_association_host_tls_verify", .flag, Self.noEntities),
            .accepted("aws_pod_service_map_ttl", .integer, Self.noEntities),
            .accepted("aws_pod_service_map_refresh_interval", .integer, Self.noEntities),
            .accepted("aws_pod_service_preload_cache_dir", .text, Self.noEntities),
        ]
    )

    private static let noEntities = "events get no aws_entity fields, which only CloudWatch reads"

    private static let grep = PluginDescription(
        .filter,
        "grep",
        "keeps or drops events",
        [
            .acts("regex", .words(2), nil, "field and pattern: keep what matches"),
            .acts("exclude", .words(2), nil, "field and pattern: drop what matches"),
            .acts("logical_op", .choice(["legacy", "and", "or"]), "legacy", "how several rules combine"),
        ]
    )

    private static let modify = PluginDescription(
        .filter,
        "modify",
        "changes fields by rules",
        [
            .acts("set", .words(2), nil, "field and value, replacing"),
            .acts("add", .words(2), nil, "field and value, unless there"),
            .acts("remove", .text, nil, "field").repeatable,
            .acts("remove_wildcard", .text, nil, "fields with this beginning").repeatable,
            .acts("remove_regex", .text, nil, "fields whose name matches").repeatable,
            .acts("rename", .words(2), nil, "old and new name, unless there"),
            .acts("hard_rename", .words(2), nil, "old and new name, replacing"),
            .acts("copy", .words(2), nil, "field and new name, unless there"),
            .acts("hard_copy", .words(2), nil, "field and new name, replacing"),
            .acts("move_to_start", .text, nil, "fields with this beginning go first").repeatable,
            .acts("move_to_end", .text, nil, "fields with this beginning go last").repeatable,
            .acts("condition", .words(2), nil, "all conditions must hold for the rules to apply"),
        ]
    )

    private static let recordModifier = PluginDescription(
        .filter,
        "record_modifier",
        "adds and removes fields",
        [
            .acts("record", .words(2), nil, "field and value to add"),
            .acts("remove_key", .text, nil, "field to remove").repeatable,
            .acts("allowlist_key", .text, nil, "field to keep; others go").repeatable,
            .acts("whitelist_key", .text, nil, "the same as allowlist_key").repeatable,
            .acts("uuid_key", .text, nil, "field that gets a random UUID"),
        ]
    )

    private static let nest = PluginDescription(
        .filter,
        "nest",
        "puts fields into an object, or lifts them out",
        [
            .acts("operation", .choice(["nest", "lift"]), nil, "nest or lift"),
            .acts("wildcard", .text, nil, "fields to nest; * at the end for any").repeatable,
            .acts("nest_under", .text, nil, "object that gets them"),
            .acts("nested_under", .text, nil, "object to lift from"),
            .acts("add_prefix", .text, nil, "text before their names"),
            .acts("remove_prefix", .text, nil, "text to take from their names"),
        ]
    )

    private static let parser = PluginDescription(
        .filter,
        "parser",
        "takes a field apart with a parser",
        [
            .acts("key_name", .text, nil, "the field"),
            .acts("parser", .text, nil, "parser; repeated: tried in order").repeatable,
            .acts("preserve_key", .flag, "false", "keep the field"),
            .acts("reserve_data", .flag, "false", "keep the other fields"),
            .accepted("unescape_key", .flag, "without meaning in Fluent Bit too"),
        ]
    )

    private static let rewriteTag = PluginDescription(
        .filter,
        "rewrite_tag",
        "gives events another route tag",
        [
            .acts("rule", .words(4), nil, "field, pattern, new tag, and whether the event also stays"),
            .accepted("emitter_name", .text, "there is no emitter"),
            .accepted("emitter_storage.type", .text, "there is no emitter"),
            .accepted("emitter_mem_buf_limit", .size, "there is no emitter"),
        ]
    )

    private static let throttle = PluginDescription(
        .filter,
        "throttle",
        "drops events above a rate",
        [
            .acts("rate", .number, "1", "events per interval"),
            .acts("window", .integer, "5", "intervals over which the rate is averaged"),
            .acts("interval", .text, "1", "length of an interval"),
            .acts("print_status", .flag, "false", "log the rate"),
        ]
    )

    private static let multiline = PluginDescription(
        .filter,
        "multiline",
        "joins lines of several events",
        [
            .acts("multiline.parser", .list, nil, "multiline parsers, tried in order"),
            .acts("multiline.key_content", .text, nil, "field that holds the line"),
            .acts(
                "mode",
                .choice(["parser", "partial_message"]),
                "parser",
                "by parsers, or by docker's partial fields"
            ),
            .acts("buffer", .flag, "on", "whether events wait for their next lines"),
            .acts("flush_ms", .integer, "2000", "longest wait for the next line"),
            .accepted("debug_flush", .flag, "for developers of Fluent Bit"),
            .accepted("emitter_name", .text, "there is no emitter"),
            .accepted("emitter_storage.type", .text, "there is no emitter"),
            .accepted("emitter_mem_buf_limit", .size, "there is no emitter"),
        ]
    )

    private static let typeConverter = PluginDescription(
        .filter,
        "type_converter",
        "writes a field as another type under another name",
        [
            .acts("int_key", .words(3), nil, "field, new field, string, float or uint"),
            .acts("uint_key", .words(3), nil, "field, new field, type"),
            .acts("float_key", .words(3), nil, "field, new field, type"),
            .acts("str_key", .words(3), nil, "field, new field, type"),
        ]
    )

    private static let contentModifier = PluginDescription(
        .filter,
        "content_modifier",
        "changes one field; a processor of YAML",
        [
            .acts(
                "action",
                .choice(["insert", "upsert", "delete", "rename", "hash", "extract", "convert"]),
                nil,
                "what to do with the field"
            ),
            .acts("context", .text, "body", "body, message or record; there is nothing else of an event"),
            .acts("key", .text, nil, "the field"),
            .acts("value", .text, nil, "value of insert and upsert, new name of rename"),
            .acts("pattern", .text, nil, "pattern of extract, whose named groups become fields"),
            .acts(
                "converted_type",
                .choice(["string", "boolean", "int", "double"]),
                nil,
                "type of convert; a value that has no such form stays"
            ),
        ]
    )

    private static let lua = PluginDescription(
        .filter,
        "lua",
        "calls a Lua function for every event",
        [
            .acts("script", .text, nil, "file with the function"),
            .acts("code", .text, nil, "the function itself"),
            .acts("call", .text, nil, "name of the function"),
            .acts("type_int_key", .text, nil, "fields to write as whole numbers"),
            .acts("type_array_key", .text, nil, "fields to write as arrays even if empty"),
            .accepted("protected_mode", .flag, "an error in the function always leaves the event as it was"),
            .acts("time_as_table", .flag, "false", "the time as {sec, nsec}"),
            .acts("enable_flb_null", .flag, "false", "null is flb_null instead of nil"),
        ]
    )

    private static let stdout = PluginDescription(.filter, "stdout", "prints events", [])

    private static let expect = PluginDescription(
        .filter,
        "expect",
        "says when an event is not as expected",
        [
            .acts("key_exists", .text, nil, "field that must be there").repeatable,
            .acts("key_not_exists", .text, nil, "field that must not be there").repeatable,
            .acts("key_val_is_null", .text, nil, "field that must be null").repeatable,
            .acts("key_val_is_not_null", .text, nil, "field that must not be null").repeatable,
            .acts("key_val_eq", .words(2), nil, "field and its value"),
            .acts("action", .choice(["warn", "exit", "result_key"]), "warn", "what to do"),
            .acts("result_key", .text, "matched", "field that gets the result"),
        ]
    )
}
