/// `docs/configuration-agent.md`: what the table of plugins says, and what no table can say.
enum AgentManual {
    /// The whole of `docs/configuration-agent.md`.
    static var document: String {
        var text = Self.introduction
        text += "\n## [SERVICE]\n\n" + Self.table(CommonKeys.service)
        for kind in PluginKind.allCases {
            text +=
                "\n## \(Self.title(kind))\n\nEvery \(kind.rawValue) has these keys:\n\n"
                + Self.table(CommonKeys.of(kind))
            let common = Set(CommonKeys.of(kind).map(\.name))
            let network = Set((CommonKeys.client + CommonKeys.server).map(\.name))
            for plugin in PluginTable.all where plugin.kind == kind {
                text +=
                    "\n### \(plugin.name)\n\n\(plugin.summary.prefix(1).uppercased())\(plugin.summary.dropFirst()).\n"
                let own = plugin.keys.filter { !common.contains($0.name) && !network.contains($0.name) }
                if !own.isEmpty { text += "\n" + Self.table(own) }
                if plugin.keys.contains(where: { $0.name == "net.backlog" }) {
                    text += "\nIt listens: see [listening](#listening).\n"
                } else if plugin.keys.contains(where: { $0.name == "net.connect_timeout" }) {
                    text += "\nIt connects: see [connecting](#connecting).\n"
                }
            }
        }
        text += "\n## Connecting\n\n" + Self.table(CommonKeys.client)
        text += "\n## Listening\n\n" + Self.table(CommonKeys.server)
        text += Self.aws + Self.parsers + Self.differences
        return text
    }

    private static func title(_ kind: PluginKind) -> String {
        switch kind {
        case .input: "Inputs"
        case .filter: "Filters"
        case .output: "Outputs"
        }
    }

    private static func table(_ keys: [PluginKey]) -> String {
        "| key | value | default | what it is for |\n|---|---|---|---|\n"
            + keys.map { key in
                let value = key.defaultValue.map { "`\($0.replacingPipe)`" } ?? ""
                let note =
                    switch key.effect {
                    case .acts: key.summary
                    case .accepted: "accepted, without effect: \(key.summary)"
                    case .ours: "\(key.summary) (Fluent Bit has no such key)"
                    case .unsupported: "not supported, on is an error: \(key.summary)"
                    }
                return "| `\(key.name)` | \(key.form.expectation.replacingPipe) | \(value) | \(note.replacingPipe) |\n"
            }.joined()
    }

    private static let introduction = """
        # Configuration of the agent

        `leat-agent` reads Fluent Bit's configurations: the classic format, YAML (files named `.yaml` or `.yml`), parser files
        and the command line. This page is made from the table that checks them
        (`Sources/LeatAgent/Configuration/Table`); a test keeps both the same.

        * `leat-agent -c FILE --dry-run` checks everything offline: it reports every unknown plugin and key with its place and
          the nearest known name, and exits 0 or 78. `leat-agent -i tail --help` prints the keys of a plugin.
        * Keys are compared without case. In YAML, `camelCase` and `-` for `_` are understood too; a list of values is a
          repeated key.
        * `${NAME}` is an environment variable, `${NAME:-text}` has a text for one that is unset or empty; `@SET name=value`
          and `env:` set one for the configuration. `@INCLUDE pattern` and `includes:` take in files; paths count from the
          folder of the file that names them.
        * Sizes: `512k`, `5M`, `1G` (powers of 1000), `false` or `off` for no limit. Times: `5`, `5s`, `200ms`, `2m`, `1h`,
          `1d`. Yes and no: `on`, `off`, `true`, `false`, `yes`, `no`.
        * A field is written as its name, or as `$name['key'][0]`. Route tags in templates: `$TAG`, `$TAG[n]` (the n-th part
          between dots, from 0), captures `$0` to `$9`.
        * Patterns are Ruby's (Onigmo), bare or as `/pattern/flags` with `i`, `m` (the dot matches newlines) and `x`.
        * Built-in multiline parsers: `cri`, `docker` (parts of split lines), `java`, `python`, `go`, `ruby`, `javascript`,
          `dotnet`, `php`, `dart` (stack traces). Several may be named; a trace is an event of its own, beside the line that
          announces it.
        * Parsers for common formats are in `parsers/agent`; name the files with `Parsers_File`.
        * The state folder, rejected events, monitoring, reload and the way from Fluent Bit are in
          [operations-agent.md](operations-agent.md).

        """

    private static let aws = """

        ## AWS

        With `aws_auth` an output signs each request for AWS (Signature Version 4) when it leaves, so that one that goes again has
        a new signature over the same bytes. Credentials come from the first of these that has some:

        1. the environment: `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY`, `AWS_SESSION_TOKEN`;
        2. the profile `aws_profile`, else `$AWS_PROFILE`, else `$AWS_DEFAULT_PROFILE`, else `default`, in `~/.aws/credentials` and
           `~/.aws/config`, or the files of `AWS_SHARED_CREDENTIALS_FILE` and `AWS_CONFIG_FILE`; keys in the files only: a profile
           with `credential_process`, single sign-on or `role_arn` is an error;
        3. a role of the cluster (EKS): `AWS_WEB_IDENTITY_TOKEN_FILE` and `AWS_ROLE_ARN`, by way of STS;
        4. the container's endpoint (ECS, EKS Pod Identity): `AWS_CONTAINER_CREDENTIALS_RELATIVE_URI` or `_FULL_URI`, with
           `AWS_CONTAINER_AUTHORIZATION_TOKEN` or `_TOKEN_FILE`;
        5. the instance's metadata (EC2, version 2), at `AWS_EC2_METADATA_SERVICE_ENDPOINT` if that is set; never with
           `AWS_EC2_METADATA_DISABLED=true`.

        One that is set up and fails ends the search, so that no pod takes the role of its node by accident. `aws_role_arn` is taken
        with what was found, by way of STS, as `AWS_ROLE_SESSION_NAME` or `leat-agent`. Credentials are fetched again a minute before
        they end, and when AWS says that they are not good; while there are none, events wait. Certificates of STS are checked
        against `tls.ca_file` or `tls.ca_path`, else the system's. All servers of an `upstream` get the same credentials.

        """

    private static let parsers = """

        ## Parsers

        A `[PARSER]` (`parsers:` in YAML) stands in the configuration or in a file that `Parsers_File` names.

        | key | what it is for |
        |---|---|
        | `name` | by which `Parser` and the like name it |
        | `format` | `regex`, `json`, `logfmt` or `ltsv` |
        | `regex` | pattern with named groups, each a field |
        | `time_key` | field with the line's time; default `time` |
        | `time_format` | its form, as in strptime, with `%L` for a fraction of a second |
        | `time_keep` | keep the field; default off |
        | `time_offset`, `time_zone` | zone of times without one: `+0200`, or a name such as `Europe/Copenhagen` |
        | `time_system_timezone` | the zone of the machine: `TZ`, else `/etc/localtime`, a link or a copy |
        | `time_strict` | off: a time that is cut short is read as far as it goes |
        | `types` | `field:type …` with `integer`, `float`, `bool`, `hex` or `string` |
        | `skip_empty_values` | leave empty groups out; default on |
        | `logfmt_no_bare_keys` | a line with a bare key is no logfmt; default off |
        | `decode_field`, `decode_field_as` | `json`, `escaped`, `escaped_utf8` or `mysql_quoted`, a field, and `try_next` or `do_next` |

        A `[MULTILINE_PARSER]` (`multiline_parsers:`) has these:

        | key | what it is for |
        |---|---|
        | `name` | by which `multiline.parser` names it |
        | `type` | `regex` with rules, or `endswith` or `equal` with a text |
        | `rule` | `"states" "/pattern/" "next state"`, from `start_state` on |
        | `match_string`, `negate` | the text, and whether lines without it go on |
        | `flush_timeout` | milliseconds to wait for the next line; default 4000 |
        | `parser`, `key_content` | takes lines apart first; the rules see this field, and the event has the fields of its first line |

        """

    private static let differences = """

        ## Where it differs from Fluent Bit

        Everything here is on purpose: the other way loses events, invents them, or hides that.

        * **Buffer.** The disk is always used, whatever `storage.type` says; nothing is dropped but under `memrb`,
          `storage.total_limit_size` or `Retry_Limit`, and what is rejected lies in a file that `leat-agent state replay` sends
          again. An input waits at `Mem_Buf_Limit` only for the disk.
        * **A switch from Fluent Bit.** Its `DB` files are read once and never written. Chunks that it has left in `storage.path`
          are delivered, behind the filters, and then removed; damaged ones stay, or go with
          `storage.delete_irrecoverable_chunks`. For the way back Fluent Bit has to be started with its own `DB` of that time.
        * **Files.** A rotated file is read to its end, however long after `Rotate_Wait` it is written. Files are told apart by
          identity: `DB.compare_filename` changes nothing, a renamed file is not read twice. One that had its name for a moment only is
          found beside it, and in the folder to which an earlier file of the name was moved (`olddir`). Nobody can find one that was
          deleted, or copied to another file system, within that moment; the first file of a name that is moved away at once; and, after a
          restart, what was moved meanwhile to a folder that is not below the log's and to which nothing had gone before. `Buffer_Max_Size`
          below 4 MiB is 4 MiB; longer lines are cut and marked `_truncated`. `Parser cri` joins the parts of split lines, as
          `multiline.parser cri` does.
        * **Names twice.** Of two members of one name the last one counts, in JSON that is read, and where `Merge_Log` or a filter
          adds one that is there: Elasticsearch would refuse the event. The metadata of pods take the place of a member
          `kubernetes`.
        * **Bulk.** A record's own `@timestamp` is its time. A dated `Index` has the date of the chunk, so that a repeat is the
          same. Ids and indices from records are escaped, and so never a second action line. Items are answered one by one.
        * **Match.** A single output without `Match` takes what a single input reads.
        * **Types.** `type_converter` reads a number at the beginning of a text (`12ms`), `0` included; what has no form of the new
          type gets the new name unchanged.
        * **Pauses.** `fluentbit_input_ingestion_paused` is 1 only while the buffer is full. `/api/v1/storage` counts chunks for
          the whole agent, since a chunk may hold events of several inputs.
        * **Split messages.** `multiline` with `mode partial_message` joins by `partial_ordinal`; a text beyond
          `multiline_buffer_limit`, and what waits when the agent stops, goes on in pieces that keep the `partial_` fields.
        * **Events without a place.** What `file` cannot name a file for (`on_missing_field error`), and what `http` with `body_key`
          has no body for, is a dead letter; the other events of the chunk are written. Each file waits by itself.
        * **Inputs that look at the machine.** `cpu`, `disk` and `netif` read once at the start, so that the first event comes
          after one interval, not two, and `cpu` counts with the time that has passed. `netif` takes the interface of exactly
          that name. A program that is gone has no `mem.` fields and no `fd`, a missing file makes no event of `head`; both
          are said once. They are there so that samples run; for metrics take Prometheus.
        * **Commands.** `exec` takes whole lines, whatever `buf_size` is, and keeps those that its parser does not understand.
          A command that still runs when its interval ends is not started again until the next one. At the end of the
          agent it is asked to end, with all that it has started, and killed a second later.
        * **MQTT.** `mqtt` acknowledges what is on disk. A message that is no JSON object is kept as `log`. Nothing outlasts a
          connection, nothing can be subscribed to, and MQTT 5 is answered with the code that makes clients take 3.1.1.
        * **Counts.** `flowcounter` prints a unit when it has ended, at whole seconds, minutes, hours and days of UTC, and units
          without events not at all; its bytes are those of the records as JSON.
        * **Tables.** `kafka-rest` reads what the proxy says of each record: those that Kafka did not take go again or become
          dead letters. `td` keeps a record's own `time` if it is a number.
        * **Encodings.** `generic.encoding` also takes Win1257, Win1258 and the usual names of the code pages (`CP1252`,
          `Windows-31J`); `unicode.encoding` reads lines of UTF-16 whatever the writer has written of them. With `auto` a byte
          order mark decides, then a zero beside a first character of ASCII; a file without either is UTF-8, or UTF-16LE when
          its first line can only be that. Bytes that mean nothing become U+FFFD, in an event with `_invalid_utf8`. Limits of
          lines, offsets and positions count bytes of the file. The conversions are the C library's: where the package
          `libc6` has but the usual ones, `libc-gconv-modules-extra` has the others (Fedora, RHEL: `glibc-gconv-extra`).
        * **Conditions** of processors hold for `content_modifier` too; its `convert` leaves a text that is no number as it is.
        * **Keys twice.** Where Fluent Bit refuses a key that is set twice, the last value counts, with a warning.
        * **Upstreams.** `upstream` names a file, as there, or an entry of `upstream_servers` of the configuration itself.
        * **Not there.** Metrics, traces and the metadata of events; HTTP/2; `private_key_jwt`; `credential_process` and keys for
          AWS in upstream files; plugins that this page does not name.
        """
}

extension String {
    /// The text for a cell of a table.
    fileprivate var replacingPipe: String {
        self.split(separator: "|", omittingEmptySubsequences: false).joined(separator: "\\|")
    }
}
