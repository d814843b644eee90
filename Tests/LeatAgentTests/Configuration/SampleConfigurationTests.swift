import LeatCore
import LeatTesting
import Testing

@testable import LeatAgent

/// Configurations of the kinds that come with Fluent Bit, its chart and its documentation: they run unmodified, or an
/// error says why not.
struct SampleConfigurationTests {
    /// The messages of a dry run, errors and warnings.
    private static func dryRun(_ text: String, name: String = "agent.conf") throws -> [Diagnostic] {
        try withTemporaryFolder { folder in
            try folder.write("parsers.conf", "[PARSER]\n    Name docker\n    Format json\n")
            try folder.write("plugins.conf", "[PLUGINS]\n")
            let path = try folder.write(name, text)
            do throws(Diagnostics) {
                let reader = ConfigurationReader(files: PosixFileSystem(), environment: [:])
                let configuration = try reader.read(path: path)
                var check = ConfigurationCheck(configuration, disk: PosixFileSystem(), isDryRun: true)
                _ = check.run()
                return configuration.warnings + check.diagnostics
            } catch {
                return error.all
            }
        }
    }

    /// Inputs and outputs with every key that samples use.
    static let samples: [String] = [
        "[INPUT]\n    name cpu\n    tag cpu.local\n    interval_sec 1\n[OUTPUT]\n    name stdout\n    match *\n",
        "[INPUT]\n    Name disk\n    Tag d\n    Interval_Sec 1\n    Interval_NSec 0\n[OUTPUT]\n    Name stdout\n    Match d*\n",
        "[INPUT]\n    Name head\n    File /path/to/file\n    Buf_Size 256\n    Add_Path true\n    Key head\n    Lines 10\n    Split_line true\n",
        "[INPUT]\n    Name mqtt\n    Tag m\n    Listen 0.0.0.0\n    Port 1883\n    Payload_Key p\n",
        "[INPUT]\n    Name netif\n    Tag eth0\n    Interface eth0\n    Verbose false\n",
        "[INPUT]\n    Name mem\n    Tag mem.usage\n[FILTER]\n    Name stdout\n    Match *\n[OUTPUT]\n    Name file\n    Match *\n    Path mem.csv\n    Format csv\n",
        "[INPUT]\n    Name random\n    Samples 10\n[OUTPUT]\n    Name flowcounter\n    Unit second\n    Match *\n",
        "[INPUT]\n    Name thermal\n    Name_Regex ^thermal_zone0$\n",
        "[INPUT]\n    Name cpu\n[OUTPUT]\n    Name td\n    Match *\n    API 1/a\n    Database d\n    Table t\n",
        "[INPUT]\n    Name cpu\n[OUTPUT]\n    Name kafka-rest\n    Match *\n    Host 127.0.0.1\n    Port 8082\n    Time_Key @timestamp\n    Include_Tag_Key On\n    Tag_Key _tag\n    Topic t\n",
    ]

    @Test(arguments: samples)
    func aSampleRunsUnmodified(text: String) throws {
        let service =
            "[SERVICE]\n    Flush 5\n    Daemon Off\n    Log_Level info\n    HTTP_Monitor Off\n    HTTP_Port 2020\n"
            + "    Parsers_File parsers.conf\n    Plugins_File plugins.conf\n    Storage.Metrics On\n"
        #expect(try Self.dryRun(service + text) == [])
    }

    /// What is in YAML only, or has an older name.
    static let others: [(name: String, text: String)] = [
        ("agent.conf", "[FILTER]\n    Name kubernetes\n    Match *\n    Merge_JSON_Log On\n"),
        (
            "agent.yaml",
            """
            service:
              telemetry:
                metrics:
                  logs:
                    tag_records:
                      enabled: true
            parsers:
              - name: whole
                format: regex
                key_name: message
                regex: '^(?<message>.*)'
            pipeline:
              inputs:
                - name: mem
                  interval_sec: 5
                  telemetry:
                    metrics:
                      logs: {}
                - name: http
                  oauth2.validate: false
              outputs:
                - name: stdout
                  match: '*'
            """
        ),
    ]

    @Test(arguments: others)
    func whatElseSamplesHaveIsAccepted(name: String, text: String) throws {
        #expect(try Self.dryRun(text, name: name) == [])
    }

    /// A dry run may happen where the files of the real machine are not.
    @Test
    func aMapOfLabelsMayBeMissingInADryRun() throws {
        let text = "[OUTPUT]\n    Name loki\n    Match *\n    Label_Map_Path /no/such/map.json\n"
        let found = try Self.dryRun(text)
        #expect(found.map(\.severity) == [.warning] && found[0].message.contains("/no/such/map.json"))
        try withTemporaryFolder { folder in
            let world = try AgentWorld(folder)
            #expect(try world.problems(of: text).contains("/no/such/map.json"))
        }
    }

    @Test
    func tokensThatNobodyWouldCheckAreNoSilentYes() throws {
        let found = try Self.dryRun("[INPUT]\n    Name http\n    OAuth2.Validate On\n    OAuth2.Issuer x\n")
        #expect(
            found.map(\.message) == [
                "oauth2.validate of input 'http' is not supported: tokens are not checked; let a proxy do that"
            ]
        )
    }

    /// Fluent Bit refuses a key that is set twice, but its samples have some.
    @Test(arguments: [
        ("[INPUT]\n    Name proc\n    Proc_Name x\n    Alert false\n    Alert true\n", 5, "alert of input 'proc'"),
        (
            "[OUTPUT]\n    Name kafka-rest\n    Match *\n    Tag_Key a\n    Include_Tag_Key On\n    tag_key b\n", 6,
            "tag_key of output 'kafka-rest'"
        ),
    ])
    func aKeyThatIsSetAgainIsAWarningAndCounts(text: String, line: Int, place: String) throws {
        let found = try Self.dryRun(text)
        #expect(found.map(\.message) == ["\(place) is set again; this counts"])
        #expect(found.map(\.severity) == [.warning] && found.first?.line == line)
        let settings = try withTemporaryFolder { folder in
            let path = try folder.write("agent.conf", text)
            let configuration = try ConfigurationReader(files: PosixFileSystem(), environment: [:]).read(path: path)
            return (configuration.inputs + configuration.outputs)[0].settings
        }
        #expect(settings.has("alert") ? settings.flag("alert") : settings.text("tag_key") == "b")
    }

    @Test
    func keysThatMayBeRepeatedGiveNoWarning() throws {
        let text = """
            [INPUT]
                Name systemd
                Systemd_Filter A=1
                Systemd_Filter B=2
            [FILTER]
                Name record_modifier
                Match *
                Record a 1
                Record b 2
                Remove_Key c
                Remove_Key d
            [FILTER]
                Name modify
                Match *
                Remove a
                Remove b
                Set c 1
                Set d 2
            [FILTER]
                Name nest
                Match *
                Operation nest
                Wildcard a*
                Wildcard b*
                Nest_under c
            [OUTPUT]
                Name http
                Match *
                Header A 1
                Header B 2
            """
        #expect(try Self.dryRun(text).filter { $0.message.contains("set again") } == [])
    }

    @Test(arguments: MissingPlugins.groups.flatMap { group in group.names.map { (group.kind, $0) } })
    func whatIsNotHereSaysWhy(kind: PluginKind, name: String) throws {
        #expect(PluginTable.find(kind, name) == nil)
        let written = name.prefix(1).uppercased() + name.dropFirst()
        let section = kind == .input ? "INPUT" : kind == .filter ? "FILTER" : "OUTPUT"
        let found = try Self.dryRun("[\(section)]\n    Name \(written)\n    Unknown_Key 1\n")
        #expect(found.count == 1 && found[0].severity == .error)
        #expect(found[0].message.hasPrefix("the \(kind.rawValue) '\(written)' is not here: "))
        #expect(found[0].message.count < 130 && found[0].line == 2 && found[0].column == 10)
    }

    @Test
    func aNameThatNobodyKnowsIsStillCompared() throws {
        #expect(try Self.dryRun("[INPUT]\n    Name cpuu\n").first?.hint == "did you mean 'cpu'?")
    }
}
