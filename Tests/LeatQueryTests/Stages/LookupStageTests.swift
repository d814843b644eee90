import LeatCore
import Testing

@testable import LeatQuery

/// Lookup files in memory.
struct MemoryLookupFiles: LookupFileProvider {
    let files: [String: String]

    func lookupFile(_ name: String) -> ByteSlice? { self.files[name].map { ByteSlice($0) } }
}

struct LookupStageTests {
    private static let files = MemoryLookupFiles(files: [
        "users.csv": "id,name,team\n1,Ann,red\n2,\"Bob, the\",blue\n2,Bo,green\nX,Cy,\n",
        "nets.csv": "net,zone\n10.0.0.0/8,inside\n10.1.0.0/16,lab\n0.0.0.0/0,outside\n",
        "hosts.csv": "pattern,kind\nweb-*,web\n*-db,data\n",
        "users.json": #"{"1":{"name":"Ann","age":30},"2":{"name":"Bob"}}"#,
        "list.json": #"[{"id":"1","name":"Ann"},{"id":"2","ok":true}]"#,
        "bom.csv": "\u{FEFF}id,name\r\n1,Ann\r\n",
    ])

    /// The rows of a query over events, as JSON in the order of arrival.
    private static func rows(_ query: String, _ events: [String]) throws -> [String] {
        var options = QueryOptions(now: Timestamp(milliseconds: 1_700_000_000_000))
        options.lookupFiles = Self.files
        let plan = try QueryPlan(QueryParser.parse(query), options: options)
        let result = try plan.run(over: [MemoryBlock(try EventLoading.batch(events))])
        return jsonRows(result).reversed()
    }

    /// A query over the events with `id` 1, 2, 3 and none, and its rows.
    static let lookups: [(query: String, rows: [String])] = [
        (
            "match(file=\"users.csv\", field=id)",
            [#"{"id":"1","name":"Ann","team":"red"}"#, #"{"id":"2","name":"Bo","team":"green"}"#]
        ),
        (
            "match(\"users.csv\", field=id, include=name, strict=false)",
            [#"{"id":"1","name":"Ann"}"#, #"{"id":"2","name":"Bo"}"#, #"{"id":"3"}"#, #"{"o":"x"}"#]
        ),
        (
            "match(table=\"users.csv\", field=id, include=[name], nrows=2)",
            [#"{"id":"1","name":"Ann"}"#, #"{"id":"2","name":"Bob, the"}"#, #"{"id":"2","name":"Bo"}"#]
        ),
        ("not match(\"users.csv\", field=id)", [#"{"id":"3"}"#, #"{"o":"x"}"#]),
        ("id =~ match(\"users.json\", include=age)", [#"{"age":"30","id":"1"}"#, #"{"age":"","id":"2"}"#]),
        ("match(\"list.json\", field=id, include=ok)", [#"{"id":"1","ok":""}"#, #"{"id":"2","ok":"true"}"#]),
        ("match(\"bom.csv\", field=id)", [#"{"id":"1","name":"Ann"}"#]),
        ("match(\"users.csv\", field=o, column=id, ignoreCase=true, include=name)", [#"{"name":"Cy","o":"x"}"#]),
        (
            "matchAsArray(\"users.csv\", field=id, nrows=5, asArray=\"u[]\", include=name)",
            [#"{"id":"1","u[0].name":"Ann"}"#, #"{"id":"2","u[0].name":"Bo","u[1].name":"Bob, the"}"#]
        ),
    ]

    @Test(arguments: lookups)
    func rowsThatFitAreAdded(query: String, rows: [String]) throws {
        let events = [#"{"id":"1"}"#, #"{"id":"2"}"#, #"{"id":"3"}"#, #"{"o":"x"}"#]
        let found = try Self.rows(query, events)
        #expect(found.map(Self.withoutTime).sorted() == rows.sorted())
    }

    @Test
    func mostSpecificSubnetIsFound() throws {
        let events = [#"{"ip":"10.1.2.3"}"#, #"{"ip":"10.9.9.9"}"#, #"{"ip":"8.8.8.8"}"#, #"{"ip":"no"}"#]
        let found = try Self.rows("match(\"nets.csv\", field=ip, column=net, mode=cidr) | select(zone)", events)
        #expect(found == [#"{"zone":"lab"}"#, #"{"zone":"inside"}"#, #"{"zone":"outside"}"#])
    }

    @Test
    func globsOfTheFileAreMatched() throws {
        let events = [#"{"h":"web-1"}"#, #"{"h":"main-db"}"#, #"{"h":"x"}"#]
        let found = try Self.rows("match(\"hosts.csv\", field=h, column=pattern, mode=glob) | select(kind)", events)
        #expect(found == [#"{"kind":"web"}"#, #"{"kind":"data"}"#])
    }

    @Test(arguments: [
        "match(\"none.csv\", field=id)", "match(\"users.csv\", field=id, column=nope)",
        "match(\"users.csv\", field=id, include=nope)", "cidr(ip, file=\"none.csv\")",
    ])
    func missingFilesAndColumnsAreErrors(query: String) {
        #expect(throws: QueryErrors.self) { try Self.rows(query, [#"{"id":"1"}"#]) }
    }

    @Test
    func subnetsOfAColumnAreTested() throws {
        let events = [#"{"ip":"10.1.2.3"}"#, #"{"ip":"fe80::1"}"#]
        #expect(
            try Self.rows("cidr(ip, file=\"nets.csv\", column=net) | select(ip)", events) == [#"{"ip":"10.1.2.3"}"#]
        )
    }

    /// The row with its fields in order of names, without what every event has.
    private static func withoutTime(_ row: String) -> String {
        guard let members = try? JSONValue(parsing: row).object else { return row }
        let kept = members.filter { !$0.key.hasPrefix("@") }.sorted { $0.key < $1.key }
        return JSONValue.object(kept).jsonText
    }
}

struct IndicatorLookupTests {
    private static let files = MemoryLookupFiles(files: [
        "ioc.csv":
            "indicator,type,confidence,actor\nbad.com,domain,high,X\nmeh.com,domain,low,Y\n1.2.3.4,ip_address,high,Z\n"
    ])

    private static func rows(_ query: String) throws -> [String] {
        var options = QueryOptions(now: Timestamp(milliseconds: 1_700_000_000_000))
        options.lookupFiles = Self.files
        let plan = try QueryPlan(QueryParser.parse(query), options: options)
        let events = [#"{"d":"BAD.com"}"#, #"{"d":"meh.com"}"#, #"{"d":"1.2.3.4"}"#]
        return jsonRows(try plan.run(over: [MemoryBlock(try EventLoading.batch(events))])).reversed()
    }

    @Test
    func indicatorsAreAdded() throws {
        let query = "ioc:lookup(field=d, type=domain, strict=true) | select([d, ioc.detected, \"ioc[0].actor\"])"
        #expect(try Self.rows(query) == [#"{"d":"BAD.com","ioc.detected":"true","ioc[0].actor":"X"}"#])
    }

    @Test
    func lowerConfidenceFindsMore() throws {
        let query = "ioc:lookup(field=d, type=domain, confidenceThreshold=low) | ioc.detected=true | select(d)"
        #expect(try Self.rows(query) == [#"{"d":"BAD.com"}"#, #"{"d":"meh.com"}"#])
    }
}
