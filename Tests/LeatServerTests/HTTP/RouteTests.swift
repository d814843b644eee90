import Testing

@testable import LeatServer

@Suite struct RouteTests {
    static let cases: [(path: String, route: Route)] = [
        ("/", .elastic(.info, repository: nil)),
        ("/_bulk", .elastic(.bulk(index: nil), repository: nil)),
        ("/_bulk/", .elastic(.bulk(index: nil), repository: nil)),
        ("//_bulk?pipeline=p", .elastic(.bulk(index: nil), repository: nil)),
        ("/logs/_bulk", .elastic(.bulk(index: "logs"), repository: nil)),
        ("/logs/_doc/_bulk", .elastic(.bulk(index: "logs"), repository: nil)),
        ("/some/prefix/logs/_bulk", .elastic(.bulk(index: "logs"), repository: nil)),
        ("/api/v1/ingest/elastic-bulk", .elastic(.info, repository: nil)),
        ("/api/v1/ingest/elastic-bulk/", .elastic(.info, repository: nil)),
        ("/api/v1/ingest/elastic-bulk/_bulk", .elastic(.bulk(index: nil), repository: nil)),
        ("/api/v1/ingest/elastic-bulk/logs/_bulk", .elastic(.bulk(index: "logs"), repository: nil)),
        ("/api/v1/repositories/shop/_bulk", .elastic(.bulk(index: nil), repository: "shop")),
        ("/api/v1/repositories/shop/logs/_bulk", .elastic(.bulk(index: "logs"), repository: "shop")),
        ("/api/v1/dataspaces/a%20b/_bulk", .elastic(.bulk(index: nil), repository: "a b")),
        ("/logs/_doc", .elastic(.document(index: "logs", id: nil), repository: nil)),
        ("/logs/_doc/7", .elastic(.document(index: "logs", id: "7"), repository: nil)),
        ("/logs/_create/7", .elastic(.create(index: "logs", id: "7"), repository: nil)),
        ("/logs/_update/7", .elastic(.update(index: "logs"), repository: nil)),
        ("/_license", .elastic(.license, repository: nil)),
        ("/es/_license", .elastic(.license, repository: nil)),
        ("/_cluster/health", .elastic(.clusterHealth, repository: nil)),
        ("/_nodes/http", .elastic(.nodes, repository: nil)),
        ("/_nodes/_all/http", .elastic(.nodes, repository: nil)),
        ("/_cat/indices", .elastic(.cat("indices", index: nil), repository: nil)),
        ("/_cat/indices/logs", .elastic(.cat("indices", index: "logs"), repository: nil)),
        ("/_template/logs", .elastic(.definition(kind: "_template", name: "logs"), repository: nil)),
        ("/_ilm/policy/p", .elastic(.definition(kind: "_ilm/policy", name: "p"), repository: nil)),
        ("/_data_stream/d", .elastic(.definition(kind: "_data_stream", name: "d"), repository: nil)),
        ("/_ingest/pipeline/p", .elastic(.definition(kind: "_ingest/pipeline", name: "p"), repository: nil)),
        ("/logstash", .elastic(.index("logstash", mayBePrefix: false), repository: nil)),
        ("/elastic/", .elastic(.index("elastic", mayBePrefix: true), repository: nil)),
        ("/logs/_count", .elastic(.count(index: "logs"), repository: nil)),
        ("/_search?size=0", .elastic(.search(index: nil), repository: nil)),
        ("/_plugins/x", .elastic(.unknown, repository: nil)),
        ("/api/v1/repositories/shop/query", .query(repository: "shop")),
        ("/api/v1/dataspaces/shop/queryjobs", .queryJobs(repository: "shop")),
        ("/api/v1/dataspaces/shop/queryjobs/1", .queryJob(repository: "shop", id: "1")),
        ("/api/v1/repositories/shop/ingest", .ingest(.humioStructured, repository: "shop")),
        ("/api/v1/dataspaces/shop/ingest-messages", .ingest(.humioUnstructured, repository: "shop")),
        ("/api/v1/ingest/humio-structured", .ingest(.humioStructured, repository: nil)),
        ("/api/v1/ingest/hec", .ingest(.splunkEvent, repository: nil)),
        ("/services/collector/event/1.0", .ingest(.splunkEvent, repository: nil)),
        ("/services/collector/raw", .ingest(.splunkRaw, repository: nil)),
        ("/services/collector/health", .ingest(.splunkHealth, repository: nil)),
        ("/loki/api/v1/push", .ingest(.loki, repository: nil)),
        ("/v1/logs", .ingest(.otlp, repository: nil)),
        ("/api/v1/health", .health(.text)),
        ("/api/v1/status", .status),
        ("/api/v1/users", .users(id: nil)),
        ("/api/v1/users/7", .users(id: "7")),
        ("/metrics", .metrics),
        ("/api/v1/admin/compact", .compact),
        ("http://host:1/api/v1/status", .status),
    ]

    @Test(arguments: cases)
    func aPathAsksForThis(path: String, route: Route) {
        #expect(Route.of(RequestTarget(path)) == route)
    }

    @Test func parametersAreDecoded() {
        let target = RequestTarget("/x?a=1&b=a%2Cb+c&flag&a=2&broken=%zz")
        #expect(target["a"] == "1")
        #expect(target["b"] == "a,b c")
        #expect(target.flag("flag"))
        #expect(target["broken"] == "%zz")
        #expect(target["none"] == nil)
    }
}

@Suite struct HostNameTests {
    static let hosts: [(authority: String, isLocal: Bool)] = [
        ("localhost", true), ("LOCALHOST:9200", true), ("leat.localhost:1", true), ("127.0.0.1:9200", true),
        ("127.9.8.7", true), ("[::1]:9200", true), ("[::1]", true), ("example.com", false), ("127.0.0.1.nip.io", false),
        ("localhost.example.com", false), ("128.0.0.1", false), ("127.0.0.256", false), ("10.0.0.1:80", false),
        ("", false),
        ("127.0.0", false),
    ]

    @Test(arguments: hosts)
    func onlyThisMachineIsLocal(authority: String, isLocal: Bool) {
        #expect(HostName(authority: authority).isLocal == isLocal)
        #expect(HostName(origin: "http://\(authority)").isLocal == isLocal)
    }

    @Test(arguments: ["null", "file://", ""])
    func originsWithoutAHostAreNotLocal(origin: String) {
        #expect(!HostName(origin: origin).isLocal)
    }
}
