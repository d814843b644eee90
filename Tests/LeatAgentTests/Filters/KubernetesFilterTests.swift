import LeatCore
import LeatTesting
import Testing

@testable import LeatAgent

struct KubernetesFilterTests {
    static let id = String(repeating: "0123456789abcdef", count: 4)
    static let tag = "kube.var.log.containers.web-7d9.x_shop_app-1-\(Self.id).log"
    static let fromTag =
        #""kubernetes":{"pod_name":"web-7d9.x","namespace_name":"shop","container_name":"app-1","docker_id":"\#(Self.id)"}"#

    @Test
    func theTagGivesTheMetadata() throws {
        var run = try FilterRun("Name kubernetes")
        #expect(
            run.apply([#"{"log":"x"}"#, "{}"], tag: Self.tag) == [
                #"{"log":"x",\#(Self.fromTag)}"#, "{\(Self.fromTag)}",
            ]
        )
        #expect(run.apply([#"{"log":"x"}"#], tag: "other") == [#"{"log":"x"}"#])
    }

    @Test func theLastFilterGivesTheMetadataOnceForAllEvents() throws {
        let run = try FilterRun("Name kubernetes\nMerge_Log On\nKeep_Log Off")
        var events = EventList()
        for number in 0..<3 {
            Array("\"log\":\"{\\\"a\\\":\(number)}\"".utf8).withUnsafeBytes { events.append(time: 0, members: $0) }
        }
        var context = FilterContext(now: Timestamp(nanoseconds: 0), monotonicNanoseconds: 0)
        context.isLast = true
        run.filter.apply(to: &events, tag: RouteTag(Self.tag), context: &context)
        #expect(String(decoding: events.commonTail, as: UTF8.self) == Self.fromTag)
        #expect(String(decoding: events.bytes, as: UTF8.self) == #""a":0"a":1"a":2"#)
        // The next events are another pod's.
        run.filter.apply(to: &events, tag: RouteTag("other"), context: &context)
        #expect(events.commonTail == [])
    }

    static let tags: [(tag: String, prefix: String, expected: [String?]?)] = [
        (Self.tag, "kube.var.log.containers.", ["web-7d9.x", "shop", "app-1", Self.id, nil]),
        ("k8s.var.log.containers.p_n_c-\(Self.id).log", "kube.var.log.containers.", ["p", "n", "c", Self.id, nil]),
        ("my.p_n_c-\(Self.id).log", "my.", ["p", "n", "c", Self.id, nil]),
        ("kube.var.log.pods.ns_pod_1234-5.app.0.log", "kube.var.log.containers.", ["pod", "ns", "app", nil, "1234-5"]),
        ("kube.var.log.containers.p_n_c-123.log", "kube.var.log.containers.", nil),
        ("kube.var.log.containers.p_n-\(Self.id).log", "kube.var.log.containers.", nil),
        ("kube.var.log.containers.P_n_c-\(Self.id).log", "kube.var.log.containers.", nil),
        ("kube.var.log.containers.", "kube.var.log.containers.", nil), ("", "", nil),
    ]

    @Test(arguments: tags)
    func tagsAreTakenApart(tag: String, prefix: String, expected: [String?]?) {
        let found = KubernetesTag(tag, prefix: prefix)
        #expect(found.map { [$0.pod, $0.namespace, $0.container, $0.containerID, $0.podUID] } == expected)
    }

    static let merges: [(lines: String, record: String, expected: String)] = [
        ("", #"{"log":"{\"a\":1}","s":2}"#, #"{"s":2,"log":"{\"a\":1}","a":1}"#),
        (
            "Keep_Log Off", #"{"s":2,"log":"{\"a\":\"\\\"q\\\"\",\"b\":[1, 2],\n \"c\":{}}\n"}"#,
            #"{"s":2,"a":"\"q\"","b":[1,2],"c":{}}"#
        ),
        ("Keep_Log Off", #"{"log":"{\"s\":3,\"log\":\"inner\"}","s":2}"#, #"{"s":3,"log":"inner"}"#),
        ("Keep_Log Off\nMerge_Log_Key app", #"{"log":"{\"s\":3}","s":2}"#, #"{"s":2,"app":{"s":3}}"#),
        ("Keep_Log Off", #"{"log":"{\"m\":\"x\\n\\r\\n\",\"p\":\"C:\\\\n\"}"}"#, #"{"m":"x","p":"C:\\n"}"#),
        ("Keep_Log Off\nMerge_Log_Trim Off", #"{"log":"{\"m\":\"x\\n\"}"}"#, #"{"m":"x\n"}"#),
        ("Keep_Log Off", #"{"log":{"a":{"b":[]}},"s":1}"#, #"{"s":1,"a":{"b":[]}}"#),
        ("Keep_Log Off", #"{"log":"{}","s":1}"#, #"{"s":1}"#),
        ("Keep_Log Off", #"{"log":"  {\"a\":1}  "}"#, #"{"a":1}"#),
        ("Keep_Log Off", #"{"log":"{\"a\": [1, 2], \"b\":{}}","s":1}"#, #"{"s":1,"a": [1, 2], "b":{}}"#),
        ("Keep_Log Off", #"{"log":"{\"a\":1} {\"b\":2}"}"#, #"{"log":"{\"a\":1} {\"b\":2}"}"#),
        ("Keep_Log Off", #"{"log":"{\"a\":1"}"#, #"{"log":"{\"a\":1"}"#),
        ("Keep_Log Off", #"{"log":"{\"a\":01}"}"#, #"{"log":"{\"a\":01}"}"#),
        ("Keep_Log Off", #"{"log":"[1]"}"#, #"{"log":"[1]"}"#),
        ("Keep_Log Off", #"{"log":"text"}"#, #"{"log":"text"}"#),
        ("Keep_Log Off", #"{"log":"\u007b\"a\":1}"}"#, #"{"log":"\u007b\"a\":1}"}"#),
        ("Keep_Log Off", #"{"log":5,"a":1}"#, #"{"log":5,"a":1}"#),
        ("Keep_Log Off", #"{"log":""}"#, #"{"log":""}"#),
        ("Keep_Log Off", #"{"msg":"x"}"#, #"{"msg":"x"}"#),
        ("Keep_Log Off", #"{"log":"{\"a\":1,\"b\":2,\"a\":[3, 4]}","s":1}"#, #"{"s":1,"b":2,"a":[3,4]}"#),
        ("Keep_Log Off\nMerge_Log_Key k", #"{"log":"{\"a\":1,\"a\":2}"}"#, #"{"k":{"a":2}}"#),
        ("Keep_Log Off", #"{"log":"{\"kubernetes\":1}"}"#, #"{"kubernetes":1}"#),
    ]

    @Test(arguments: merges)
    func logIsMerged(lines: String, record: String, expected: String) throws {
        var run = try FilterRun("Name kubernetes\nMerge_Log On\n\(lines)")
        // The event before shows that nothing depends on what the list holds already.
        #expect(run.apply([#"{"x":1}"#, record], tag: "none") == [#"{"x":1}"#, expected])
    }

    @Test
    func theFiltersOwnMetadataTakeThePlaceOfOthers() throws {
        var run = try FilterRun("Name kubernetes\nMerge_Log On\nKeep_Log Off\nUse_Tag_For_Meta On")
        let tag = "kube.var.log.containers.web-1_shop_app-\(String(repeating: "0123", count: 16)).log"
        let record = try #require(run.apply([#"{"log":"{\"kubernetes\":1,\"a\":2}"}"#], tag: tag).first)
        #expect(record.hasPrefix(#"{"a":2,"kubernetes":{"pod_name":"web-1""#), "\(record)")
    }

    static let pod = """
        {"metadata":{"name":"web-7d9.x","namespace":"shop","uid":"u-1","labels":{"app":"web"},"annotations":{"a":"b",
        "fluentbit.io/exclude_stderr":"true","fluentbit.io/parser-app-1":"json"}},
        "spec":{"nodeName":"node-1"},"status":{"podIP":"10.0.0.7","containerStatuses":[
        {"name":"app-1","image":"shop/web:1","imageID":"docker-pullable://shop/web@sha256:12"}]}}
        """

    @Test
    func podsOfFilesAreUsed() throws {
        try withTemporaryFolder { folder in
            try folder.write("shop_web-7d9.x.meta", Self.pod)
            try folder.write("broken.meta", "{")
            var run = try FilterRun(
                "Name kubernetes\nKube_Meta_Preload_Cache_Dir \(folder.path)\nAnnotations Off\nK8S-Logging.Exclude On"
            )
            let added =
                #""kubernetes":{"pod_name":"web-7d9.x","namespace_name":"shop","pod_id":"u-1","pod_ip":"10.0.0.7","labels":{"app":"web"},"host":"node-1","container_name":"app-1","docker_id":"\#(Self.id)","container_hash":"shop/web@sha256:12","container_image":"shop/web:1"}"#
            let found = run.apply([#"{"stream":"stdout"}"#, #"{"stream":"stderr"}"#, #"{"x":1}"#], tag: Self.tag)
            #expect(found == [#"{"stream":"stdout",\#(added)}"#, #"{"x":1,\#(added)}"#])
        }
    }

    @Test
    func aChangedPodChangesWhatIsAdded() throws {
        let cache = PodCache()
        var run = try FilterRun("Name kubernetes\nAnnotations Off", directory: cache)
        #expect(run.apply(["{}"], tag: Self.tag) == ["{\(Self.fromTag)}"])
        cache.insert(try JSONValue(parsing: Self.pod))
        #expect(run.apply(["{}"], tag: Self.tag).first?.contains(#""labels":{"app":"web"}"#) == true)
        cache.delete(namespace: "shop", name: "web-7d9.x")
        #expect(run.apply(["{}"], tag: Self.tag).first?.contains(#""labels":{"app":"web"}"#) == true)
    }

    static let parsers = """
        [PARSER]
            Name pairs
            Format logfmt
            Time_Key t
            Time_Format %s
        [PARSER]
            Name tag
            Format regex
            Regex ^(?<namespace_name>[^.]+)\\.(?<pod_name>[^.]+)\\.(?<container_name>.+)$

        """

    @Test
    func podsChooseTheirParser() throws {
        let cache = PodCache()
        cache.insert(
            try JSONValue(
                parsing:
                    #"{"metadata":{"name":"web-7d9.x","namespace":"shop","uid":"u","annotations":{"fluentbit.io/parser":"pairs","fluentbit.io/parser_stderr":"none"}}}"#
            )
        )
        var run = try FilterRun(
            "Name kubernetes\nMerge_Log On\nKeep_Log Off\nK8S-Logging.Parser On\nAnnotations Off\nNamespace_Metadata_Only On",
            parsers: Self.parsers,
            directory: cache
        )
        let found = run.apply(
            [#"{"log":"a=1 t=12","stream":"stdout"}"#, #"{"log":"{\"a\":1}","stream":"stderr"}"#],
            tag: Self.tag
        )
        #expect(found == [#"{"stream":"stdout","a":"1"}"#, #"{"stream":"stderr","a":1}"#])
        #expect(run.warnings == ["a pod asks for the parser 'none', which is not configured"])
    }

    @Test
    func aMergeParserReadsLog() throws {
        var run = try FilterRun(
            "Name kubernetes\nMerge_Log On\nKeep_Log Off\nMerge_Parser pairs",
            parsers: Self.parsers
        )
        #expect(run.apply([#"{"log":"a=1 b=\"x\"","n":1}"#], tag: "none") == [#"{"n":1,"a":"1","b":"x"}"#])
    }

    @Test
    func aParserReadsTheTag() throws {
        var run = try FilterRun("Name kubernetes\nKube_Tag_Prefix k.\nRegex_Parser tag", parsers: Self.parsers)
        #expect(
            run.apply(["{}"], tag: "k.shop.web.app")
                == [#"{"kubernetes":{"pod_name":"web","namespace_name":"shop","container_name":"app"}}"#]
        )
    }

    @Test
    func journalFieldsNameTheContainer() throws {
        var run = try FilterRun("Name kubernetes\nUse_Journal On")
        let record = #"{"CONTAINER_NAME":"k8s_app.1a2b_web_shop_u-1_0","CONTAINER_ID_FULL":"abc"}"#
        #expect(
            run.apply([record, #"{"x":1}"#], tag: "host.x") == [
                record.dropLast()
                    + #","kubernetes":{"pod_name":"web","namespace_name":"shop","pod_id":"u-1","container_name":"app","docker_id":"abc"}}"#,
                #"{"x":1}"#,
            ]
        )
    }

    @Test
    func aWrongAddressIsAnError() throws {
        let errors = try #require(throws: Diagnostics.self) { try FilterRun("Name kubernetes\nKube_URL ftp://x") }
        #expect(errors.all.first?.message == "'ftp://x' is no address of an API server")
    }
}
