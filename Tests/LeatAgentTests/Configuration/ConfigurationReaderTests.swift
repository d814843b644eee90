import LeatCore
import LeatParsing
import LeatTesting
import Testing

@testable import LeatAgent

struct ConfigurationReaderTests {
    /// Reads `files` from a folder of their own, the one named `agent.conf` first.
    private func read(
        _ text: String,
        files: [String: String] = [:],
        environment: [String: String] = [:],
        name: String = "agent.conf"
    ) throws -> AgentConfiguration {
        try self.attempt(text, files: files, environment: environment, name: name).get()
    }

    /// The same without throwing, so that the folder goes when the configuration is refused.
    private func attempt(
        _ text: String,
        files: [String: String],
        environment: [String: String] = [:],
        name: String = "agent.conf"
    ) throws -> Result<AgentConfiguration, Diagnostics> {
        try withTemporaryFolder { folder in
            for (name, text) in files { _ = try folder.write(name, text) }
            try folder.write(name, text)
            let reader = ConfigurationReader(files: PosixFileSystem(), environment: environment)
            return Result { () throws(Diagnostics) in try reader.read(path: folder.path(name)) }
        }
    }

    /// The messages of a configuration that is refused.
    private func errors(_ text: String, files: [String: String] = [:]) throws -> [Diagnostic] {
        switch try self.attempt(text, files: files) {
        case .success: return []
        case .failure(let errors): return errors.all.filter { $0.severity == .error }
        }
    }

    static let helmDefault = """
        [SERVICE]
            Daemon Off
            Flush 1
            Log_Level info
            Parsers_File parsers.conf
            HTTP_Server On
            HTTP_Listen 0.0.0.0
            HTTP_Port ${PORT:-2020}
            Health_Check On

        [INPUT]
            Name tail
            Path /var/log/containers/*.log
            multiline.parser docker, cri
            Tag kube.*
            Mem_Buf_Limit 5MB
            Skip_Long_Lines On

        [FILTER]
            Name kubernetes
            Match kube.*
            Merge_Log On
            Keep_Log Off
            K8S-Logging.Parser On
            K8S-Logging.Exclude On

        [OUTPUT]
            Name es
            Match kube.*
            Host elasticsearch-master
            Logstash_Format On
            Retry_Limit False
        """

    @Test func anOldBufferOfForwardIsNoError() throws {
        #expect(try self.errors("[INPUT]\n    Name forward\n    Buffer 512000\n") == [])
    }

    @Test
    func theHelmChartsDefaultsAreRead() throws {
        let parsers = "[PARSER]\n    Name mine\n    Format json\n"
        let result = try self.read(Self.helmDefault, files: ["parsers.conf": parsers])
        #expect(result.warnings.isEmpty)
        #expect(result.service.nanoseconds("flush") == 1_000_000_000)
        #expect(result.service.integer("http_port") == 2020)
        let tail = try #require(result.inputs.first)
        #expect(tail.displayName == "tail.0")
        #expect(tail.settings.list("path") == ["/var/log/containers/*.log"])
        #expect(tail.settings.list("multiline.parser") == ["docker", "cri"])
        #expect(tail.settings.byteCount("mem_buf_limit") == 5_000_000)
        #expect(tail.settings.byteCount("buffer_max_size") == 4_194_304)
        #expect(tail.settings.flag("skip_long_lines"))
        #expect(result.filters.first?.settings.flag("keep_log") == false)
        #expect(result.outputs.first?.settings.text("retry_limit") == "False")
        #expect(Array(result.parsers.keys) == ["mine"])
        #expect(result.sourceFiles.count == 2)
    }

    @Test
    func everyErrorIsReportedWithItsPlace() throws {
        let found = try self.errors(
            """
            [SERVICE]
                Flsh 1
                HTTP_Port many
            [INPUT]
                Name tial
            [INPUT]
                Name tail
                mem_buf_limt  10MB
            [INPUT]
                Path x
            [OTPUT]
                Name es
            """
        )
        #expect(
            found.map { "\($0.line):\($0.column): \($0.message)" } == [
                "2:5: unknown key 'Flsh' of [SERVICE]",
                "3:15: 'many' is no value of http_port: it must be a whole number",
                "5:10: unknown input 'tial'",
                "8:5: unknown key 'mem_buf_limt' of input 'tail'",
                "9:1: this [INPUT] has no name",
                "11:1: unknown section [OTPUT]",
            ]
        )
        #expect(
            found.map(\.hint) == [
                "did you mean 'flush'?", nil, "did you mean 'tail'?", "did you mean 'mem_buf_limit'?",
                "add a line such as: Name tail", "did you mean [OUTPUT]?",
            ]
        )
    }

    @Test
    func includesAreExpandedInTheirPlace() throws {
        let result = try self.read(
            "@SET level=debug\n[SERVICE]\n    Log_Level ${level}\n@INCLUDE inputs/*.conf\n[OUTPUT]\n    Name null\n    Match *\n",
            files: [
                "inputs/b.conf": "[INPUT]\n    Name dummy\n    Tag b\n",
                "inputs/a.conf": "[INPUT]\n    Name dummy\n    Tag a\n",
                "inputs/c.txt": "nonsense",
            ]
        )
        #expect(result.inputs.map { $0.settings.text("tag") } == ["a", "b"])
        #expect(result.service.text("log_level") == "debug")
    }

    @Test
    func aMissingOrCircularIncludeIsAnError() throws {
        #expect(try self.errors("@INCLUDE nowhere.conf\n").first?.message.contains("nowhere.conf") == true)
        let circle = try self.errors("@INCLUDE agent.conf\n")
        #expect(circle.first?.message.contains("include itself") == true)
    }

    @Test
    func unusualIndentationIsAWarning() throws {
        let result = try self.read(
            "[INPUT]\n  Name dummy\n      Tag x\nRate 5\r\n# comment\n\n[OUTPUT]\n\tName null\n\tMatch *"
        )
        #expect(result.inputs.first?.settings.integer("rate") == 5)
        #expect(result.warnings.map(\.line) == [3, 4])
    }

    @Test
    func unsetVariablesAreNamed() throws {
        let result = try self.read("[INPUT]\n    Name dummy\n    Tag a${X}b\n", environment: ["Y": "1"])
        #expect(result.inputs.first?.settings.text("tag") == "ab")
        #expect(result.warnings.first?.message == "the environment variable 'X' is not set")
    }

    @Test
    func repeatedKeysAreKeptInOrder() throws {
        let text = "[FILTER]\n    Name grep\n    Match *\n    Regex log a b\n    Exclude $k['x'] ^c\n    Regex x y\n"
        let result = try self.read(text)
        #expect(result.filters.first?.settings.texts("regex") == ["log a b", "x y"])
        #expect(SettingValue.words("log a b", limit: 2) == ["log", "a b"])
    }

    @Test
    func theNameOfTheMachineIsAVariable() throws {
        let text = "[INPUT]\n    Name dummy\n    Tag a${HOSTNAME}b\n"
        let own = try self.read(text)
        #expect(own.inputs[0].settings.text("tag") == "a\(HostName.text)b" && own.warnings.isEmpty)
        #expect(try self.read(text, environment: ["HOSTNAME": "x"]).inputs[0].settings.text("tag") == "axb")
    }

    @Test
    func theCommandLineIsTheSameTree() throws {
        let arguments = [
            "-f", "5", "-i", "tail", "-p", "path=/a,/b", "-t", "x.*", "-F", "grep", "-p", "regex=log err or", "-m", "*",
            "-o",
            "es://server:9201/logs/line", "-m", "x.*", "-vv",
        ]
        let reader = ConfigurationReader(files: PosixFileSystem(), environment: [:])
        let result = try reader.read(AgentCommandLine(arguments: arguments))
        #expect(result.inputs.first?.settings.list("path") == ["/a", "/b"])
        #expect(result.inputs.first?.settings.text("tag") == "x.*")
        #expect(result.filters.first?.settings.texts("regex") == ["log err or"])
        #expect(result.filters.first?.settings.text("match") == "*")
        #expect(result.outputs.first?.settings.text("host") == "server")
        #expect(result.outputs.first?.settings.integer("port") == 9201)
        #expect(result.outputs.first?.settings.text("index") == "logs")
        #expect(result.outputs.first?.settings.text("type") == "line")
        #expect(result.service.nanoseconds("flush") == 5_000_000_000)
        #expect(result.service.text("log_level") == "trace")
        #expect(result.warnings.isEmpty)
    }

    @Test
    func yamlGivesTheSameTree() throws {
        let result = try self.read(
            """
            env:
              FLUSH: 1
            service:
              flush: ${FLUSH}
              http_server: on
              parsers_file: parsers.yaml
            includes:
              - more/*.yaml
            pipeline:
              inputs:
                - name: tail
                  path: /a/*.log
                  multiline.parser: docker, cri
                  readFromHead: true
                  processors:
                    logs:
                      - name: grep
                        regex: log error
              filters:
                - name: modify
                  match: '*'
                  set: [a b, c d]
              outputs:
                - name: es
                  match: '*'
                  suppress_type_name: on
            """,
            files: [
                "parsers.yaml": "parsers:\n  - name: p\n    format: json\n",
                "more/a.yaml": "pipeline:\n  inputs:\n    - name: dummy\n",
            ],
            name: "agent.yaml"
        )
        #expect(result.inputs.map(\.name) == ["dummy", "tail"])
        #expect(result.inputs.last?.settings.flag("read_from_head") == true)
        // A processor is a filter of its input's tag, before all others.
        #expect(result.filters.map(\.name) == ["grep", "modify"])
        #expect(result.filters.map(\.number) == [0, 1])
        #expect(result.filters.first?.settings.text("match") == "tail.1")
        #expect(result.filters.first?.settings.texts("regex") == ["log error"])
        #expect(result.filters.last?.settings.texts("set") == ["a b", "c d"])
        #expect(result.service.nanoseconds("flush") == 1_000_000_000)
        #expect(result.parsers["p"]?.value("format") == "json")
    }

    private static let upstreamServers = """
        upstream_servers:
          - name: one
            nodes:
              - name: node-1
                host: 127.0.0.1
                port: 43000
          - name: two
            nodes:
              - name: node-2
                host: 127.0.0.2
                port: 44000
                tls: true
                tls_verify: false
              - {name: node-3, host: 127.0.0.3, port: 45000, sharedKey: secret}

        """

    /// By its name in the configuration itself, or as a file, of which the last one counts.
    @Test(arguments: [("two", 2), ("one", 1), ("servers.yaml", 2), ("agent.yaml", 2)])
    func yamlHasUpstreamServers(name: String, nodeCount: Int) throws {
        let text = """
            \(Self.upstreamServers)
            pipeline:
              inputs:
                - name: dummy
              outputs:
                - name: forward
                  match: '*'
                  upstream: \(name)
            """
        let files = ["servers.yaml": Self.upstreamServers]
        let result = try self.read(text, files: files, name: "agent.yaml")
        let nodes = try #require(result.upstreams[name]?.nodes)
        #expect(nodes.count == nodeCount)
        if nodeCount == 2 {
            #expect(nodes.map { $0.text("host") } == ["127.0.0.2", "127.0.0.3"])
            #expect(nodes[0].flag("tls") && !nodes[0].flag("tls.verify") && nodes[1].flag("tls.verify"))
            #expect(nodes.map { $0.text("shared_key") } == [nil, "secret"])
        }
    }

    static let badYAML: [(text: String, line: Int, message: String, hint: String?)] = [
        (
            #"pipeline: {inputs: [{name: dummy, dummy: {"a": 1}}]}"#, 1, "'dummy' is a text, not a mapping",
            #"quote it, such as dummy: '{"a": 1}'"#
        ),
        ("upstream_servers:\n  - nodes:\n      - name: x\n", 2, "this upstream has no name", nil),
        (
            "upstream_servers:\n  - name: x\n    node: 1\n", 3, "unknown key 'node' of upstream_servers",
            "name or nodes"
        ),
        (
            "upstream_servers:\n  - name: x\n    nodes:\n      - hots: a\n", 4, "unknown key 'hots' of [NODE]",
            "did you mean 'host'?"
        ),
    ]

    @Test(arguments: badYAML)
    func whatIsWrongInYAMLIsExplained(text: String, line: Int, message: String, hint: String?) throws {
        guard case .failure(let errors) = try self.attempt(text, files: [:], name: "agent.yaml") else {
            Issue.record("\(text) was accepted")
            return
        }
        let first = try #require(errors.all.first { $0.severity == .error })
        #expect(first.message == message)
        #expect(first.line == line)
        #expect(first.hint == hint)
    }

    static let badCommandLines: [(arguments: [String], column: Int, message: String)] = [
        (["-z"], 1, "unknown option '-z'"),
        (["-c"], 1, "the option '-c' needs a value"),
        (["-p", "a=b"], 1, "-p stands before any -i, -F or -o"),
        (["-i", "tail", "-p", "path"], 12, "'path' is no key=value"),
        (["-i", "tail", "-m", "x"], 9, "-m must follow -F or -o"),
    ]

    @Test(arguments: badCommandLines)
    func badCommandLinesAreExplained(arguments: [String], column: Int, message: String) throws {
        let errors = try #require(throws: Diagnostics.self) { try AgentCommandLine(arguments: arguments) }
        #expect(errors.all.map(\.message) == [message])
        #expect(errors.all.map(\.column) == [column])
    }
}
