import LeatCore
import Testing

@testable import LeatQuery

struct ElementStageTests {
    private static func rows(_ query: String, _ events: [String]) throws -> [String] {
        let options = QueryOptions(now: Timestamp(milliseconds: 1_700_000_000_000))
        let plan = try QueryPlan(QueryParser.parse(query), options: options)
        let result = try plan.run(over: [MemoryBlock(try EventLoading.batch(events))])
        return jsonRows(result).reversed()
    }

    private static let flat = [#"{"a[0]":"1","a[1]":"22","a[2]":"3"}"#, #"{"a[0]":"x"}"#, #"{"b":"y"}"#]
    private static let objects = [#"{"o[0].k":"x","o[0].v":"1","o[1].k":"y","o[1].v":"2"}"#, #"{"o[0].k":"z"}"#]

    /// Queries over the arrays `a` (1, 22, 3; x; none), and the rows.
    static let flatCases: [(query: String, rows: [String])] = [
        (
            "array:filter(\"a[]\", function={a > 2}, var=a) | select([\"a[0]\", \"a[1]\"])",
            [#"{"a[0]":"22","a[1]":"3"}"#, "{}", "{}"]
        ),
        (
            "array:filter(\"a[]\", var=e, asArray=\"c[]\", function={e=/^\\d$/}) | select([\"c[0]\", \"c[1]\", \"c[2]\"])",
            [#"{"c[0]":"1","c[1]":"3"}"#, "{}", "{}"]
        ),
        (
            "array:eval(\"a[]\", var=e, asArray=\"c[]\", function={c := e * 2}) | select([\"c[0]\", \"c[1]\", \"c[2]\"])",
            [#"{"c[0]":"2","c[1]":"44","c[2]":"6"}"#, "{}", "{}"]
        ),
        ("array:exists(\"a[]\", condition={a = 22}) | select(\"a[0]\")", [#"{"a[0]":"1"}"#]),
        (
            "not array:exists(\"a[]\", var=e, condition=e > 5) | select([\"a[0]\", b])",
            [#"{"a[0]":"x"}"#, #"{"b":"y"}"#]
        ),
        ("array:reduceAll(\"a[]\", var=e, function=[max(e), count()])", [#"{"_max":"22","_count":"4"}"#]),
        (
            "split(a) | select([a, _index])",
            [
                #"{"a":"1","_index":"0"}"#, #"{"a":"22","_index":"1"}"#, #"{"a":"3","_index":"2"}"#,
                #"{"a":"x","_index":"0"}"#, "{}",
            ]
        ),
    ]

    @Test(arguments: flatCases)
    func elementsAreRows(query: String, rows: [String]) throws {
        #expect(try Self.rows(query, Self.flat).sorted() == rows.sorted())
    }

    static let objectCases: [(query: String, rows: [String])] = [
        ("objectArray:exists(\"o[]\", condition={o.k = y}) | select(\"o[1].v\")", [#"{"o[1].v":"2"}"#]),
        (
            "objectArray:eval(\"o[]\", var=e, asArray=\"c[]\", function={c := format(\"%s=%s\", field=[e.k, e.v])}) | select([\"c[0]\", \"c[1]\"])",
            [#"{"c[0]":"x=1","c[1]":"y=2"}"#, #"{"c[0]":"z=null"}"#]
        ),
        ("split(o) | select([o.k, o.v])", [#"{"o.k":"x","o.v":"1"}"#, #"{"o.k":"y","o.v":"2"}"#, #"{"o.k":"z"}"#]),
        ("split(o, strip=true) | select([k])", [#"{"k":"x"}"#, #"{"k":"y"}"#, #"{"k":"z"}"#]),
    ]

    @Test(arguments: objectCases)
    func objectsAreRows(query: String, rows: [String]) throws {
        #expect(try Self.rows(query, Self.objects).sorted() == rows.sorted())
    }
}
