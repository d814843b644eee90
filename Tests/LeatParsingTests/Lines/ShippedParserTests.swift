import LeatCore
import LeatParsing
import LeatTesting
import Testing

/// The files of `parsers/agent`.
struct ShippedParserTests {
    static let folder = #filePath.split(separator: "/").dropLast(4).reduce("") { $0 + "/" + $1 } + "/parsers/agent"

    /// All parsers by name, read as a configuration would.
    static func parsers() throws -> [String: LineParser] {
        let disk = PosixFileSystem()
        var found: [String: LineParser] = [:]
        for file in try disk.list(Self.folder) {
            let format = ClassicFormat(text: try disk.contents("\(Self.folder)/\(file)").text, source: file)
            #expect(format.diagnostics.isEmpty)
            for case .section(let section) in format.items where section.kind == "PARSER" {
                let definition = try ParserDefinition(section)
                #expect(found[definition.name] == nil, "\(definition.name) is there twice")
                found[definition.name] = LineParser(definition)
            }
        }
        return found
    }

    /// The names that Fluent Bit ships.
    static let names = """
        apache apache2 apache_error nginx k8s-nginx-ingress json logfmt docker docker-daemon syslog-rfc5424
        syslog-rfc3164-local syslog-rfc3164 mongodb envoy istio-envoy-proxy cri kube-custom kmsg-netfilter-log ambassador
        ceph crowbar chefclient mysql_error mysql_slow pacemaker rabbitmq http_statement universal uuid iptables
        couchbase_json_log_nanoseconds couchbase_rebalance_report couchbase_simple_log
        couchbase_simple_log_space_separated couchbase_simple_log_utc couchbase_simple_log_mixed
        couchbase_erlang_multiline couchbase_java_multiline couchbase_http java_multiline confluent-schema-registry
        confluent-schema-registry-prefixed mult_first mult_1 mult_2 mult_3 mult_4 cinder glance heat keystone neutron nova
        """.split { $0 == " " || $0 == "\n" }.map(String.init)

    @Test
    func everyNameThatIsKnownIsThere() throws {
        #expect(Set(try Self.parsers().keys) == Set(Self.names))
    }

    struct Case: Sendable {
        var parser: String
        var line: String
        var members: String
        var hasTime = true
    }

    static let cases: [Case] = [
        Case(
            parser: "apache2",
            line:
                #"10.0.0.1 - bob [10/Oct/2000:13:55:36 -0700] "GET /a%20b?x=1 HTTP/1.0" 200 2326 "http://r/" "Moz \"q\" 4""#,
            members:
                #""host":"10.0.0.1","user":"bob","method":"GET","path":"/a%20b?x=1","code":"200","size":"2326","referer":"http://r/","agent":"Moz \\\"q\\\" 4""#
        ),
        Case(
            parser: "apache",
            line: #"::1 - - [10/Oct/2000:13:55:36 -0700] "-" 408 -"#,
            members: #""host":"::1","user":"-","code":"408","size":"-""#
        ),
        Case(
            parser: "apache_error",
            line:
                "[Wed Oct 11 14:32:52.123456 2000] [core:error] [pid 35708:tid 42] [client 127.0.0.1:80] AH001: denied",
            members:
                #""time":"Oct 11 14:32:52.123456 2000","level":"core:error","pid":"35708:tid 42","client":"127.0.0.1:80","message":"AH001: denied""#,
            hasTime: false
        ),
        Case(
            parser: "nginx",
            line: #"10.0.0.1 - - [29/Sep/2021:14:11:34 +0200] "GET / HTTP/1.1" 200 10918 "-" "curl/7.68.0" "extra""#,
            members:
                #""remote":"10.0.0.1","host":"-","user":"-","method":"GET","path":"/","code":"200","size":"10918","referer":"-","agent":"curl/7.68.0""#
        ),
        Case(
            parser: "k8s-nginx-ingress",
            line:
                #"1.2.3.4 - - [29/Sep/2021:14:11:34 +0200] "GET /x HTTP/2.0" 502 150 "-" "ua" 520 0.003 [default-web-80] [] 10.0.0.1:80, 10.0.0.2:80 0, 150 0.001, 0.002 502, 502 abcdef"#,
            members:
                #""host":"1.2.3.4","user":"-","method":"GET","path":"/x","code":"502","size":"150","referer":"-","agent":"ua","request_length":"520","request_time":"0.003","proxy_upstream_name":"default-web-80","upstream_addr":"10.0.0.1:80, 10.0.0.2:80","upstream_response_length":"0, 150","upstream_response_time":"0.001, 0.002","upstream_status":"502, 502","reg_id":"abcdef""#
        ),
        Case(
            parser: "cri",
            line: "2026-03-14T09:26:53.591793158Z stderr F  hi ",
            members: #""time":"2026-03-14T09:26:53.591793158Z","stream":"stderr","logtag":"F","message":" hi ""#
        ),
        Case(
            parser: "docker",
            line: #"{"log":"x\n","stream":"stdout","time":"2026-03-14T09:26:53.591793158Z"}"#,
            members: #""log":"x\n","stream":"stdout","time":"2026-03-14T09:26:53.591793158Z""#
        ),
        Case(
            parser: "syslog-rfc5424",
            line: #"<165>1 2003-10-11T22:14:15.003Z host app 123 ID47 [a@1 x="]\]"][b@2 y="1"] hello"#,
            members:
                #""pri":"165","time":"2003-10-11T22:14:15.003Z","host":"host","ident":"app","pid":"123","msgid":"ID47","extradata":"[a@1 x=\"]\\]\"][b@2 y=\"1\"]","message":"hello""#
        ),
        Case(
            parser: "syslog-rfc3164",
            line: "<34>Oct  1 22:14:15 mymachine su[12]: 'su root' failed",
            members:
                #""pri":"34","time":"Oct  1 22:14:15","host":"mymachine","ident":"su","pid":"12","message":"'su root' failed""#
        ),
        Case(
            parser: "syslog-rfc3164-local",
            line: "<34>Oct 11 22:14:15 su: failed: x",
            members: #""pri":"34","time":"Oct 11 22:14:15","ident":"su","message":"failed: x""#
        ),
        Case(
            parser: "mongodb",
            line: "2014-11-03T18:28:32.450-0500 I COMMAND  [conn12] command db.$cmd 102ms",
            members:
                #""time":"2014-11-03T18:28:32.450-0500","severity":"I","component":"COMMAND","context":"conn12","message":"command db.$cmd","ms":"102""#
        ),
        Case(
            parser: "envoy",
            line:
                #"[2016-04-15T20:17:00.310Z] "POST /api/v1 HTTP/2" 204 - 154 0 226 100 "10.0.35.28" "nsq" "cc21d9b0" "locations" "tcp://10.0.2.1:80""#,
            members:
                #""start_time":"2016-04-15T20:17:00.310Z","method":"POST","path":"/api/v1","protocol":"HTTP/2","code":"204","response_flags":"-","bytes_received":"154","bytes_sent":"0","duration":"226","x_envoy_upstream_service_time":"100","x_forwarded_for":"10.0.35.28","user_agent":"nsq","request_id":"cc21d9b0","authority":"locations","upstream_host":"tcp://10.0.2.1:80""#
        ),
        Case(
            parser: "nova",
            line: "2017-05-16 00:00:04.562 25746 INFO nova.osapi [req-1 u p - d e] 10.11.10.1 \"GET /v2\"",
            members:
                #""pid":"25746","severity":"INFO","component":"nova.osapi","req_id":"req-1","req_user":"u","req_project":"p","req_domain":"-","req_user_domain":"d","req_project_domain":"e","message":"10.11.10.1 \"GET /v2\"""#
        ),
        Case(
            parser: "mysql_error",
            line: "2021-01-02T10:11:12.5Z 0 [Warning] [MY-010068] [Server] CA certificate is self signed",
            members: #""myid":"0","severity":"Warning","message":"CA certificate is self signed""#
        ),
        Case(
            parser: "rabbitmq",
            line: "=INFO REPORT==== 1-Jan-2015::12:00:00 ===\naccepting",
            members: #""severity":"INFO","message":"accepting""#
        ),
        Case(
            parser: "uuid",
            line: "id 123e4567-e89b-12d3-a456-426614174000!",
            members: #""uuid":"123e4567-e89b-12d3-a456-426614174000""#,
            hasTime: false
        ),
        Case(
            parser: "kube-custom",
            line: "kube.var.log.containers.web_shop_app-\(String(repeating: "0123456789abcdef", count: 4)).log",
            members: #""pod_name":"var.log.containers.web","namespace_name":"shop","container_name":"app""#,
            hasTime: false
        ),
    ]

    @Test(arguments: cases)
    func linesOfTheFormatAreTakenApart(_ expected: Case) throws {
        let parser = try #require(try Self.parsers()[expected.parser])
        let found = try #require(LineParserTests.parse(expected.line, parser))
        #expect(
            found.members.dropFirst().hasPrefix(expected.members)
                || found.members.dropFirst().contains(expected.members)
        )
        #expect((found.time != nil) == expected.hasTime)
    }

    /// Files of the corpora and the share of their lines that the parser must take.
    static let corpora: [(parser: String, file: String, share: Double)] = [
        ("nginx", "nginx/crowdsec_nginx-http-sensitive-files_nginx-http-sensitive-files.log", 1),
        ("nginx", "nginx/crowdsec_nginx-bad-user-agent_nginx-bad-user-agent.log", 1),
        ("apache2", "apache-access/elastic_apache.a.log", 0.99),
        ("apache", "apache-access/elastic_apache.a.log", 0.99),
    ]

    @Test(arguments: corpora)
    func realLinesAreTakenApart(parser name: String, file: String, share: Double) throws {
        guard let bytes = try SharedData.contents("data/corpus/\(file)") else { return }
        let parser = try #require(try Self.parsers()[name])
        var splitter = LineSplitter(bytes.unsafeBytes)
        var total = 0
        var parsed = 0
        while let line = splitter.nextOrRest(), total < 20_000 {
            if line.isEmpty { continue }
            total += 1
            var target: [UInt8] = []
            if parser.parse(bytes.unsafeBytes.slice(line), now: LineParserTests.now, into: &target, from: 0) != .noMatch
            {
                parsed += 1
            }
        }
        #expect(Double(parsed) >= share * Double(total), "\(parsed) of \(total) lines")
    }
}
