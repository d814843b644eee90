import LeatCore
import Testing

@testable import LeatQuery

struct ParseFunctionTests {
    static let json: [FunctionCase] = [
        .init(
            "parseJson()",
            ["@rawstring": #"{"a":{"b":7.0,"c":[1,"x"]},"d":true,"e":null}"#],
            ["a.b": "7.0", "a.c[0]": "1", "a.c[1]": "x", "d": "true", "e": "null"]
        ),
        .init("parseJson(a, prefix=\"p.\", handleNull=discard)", ["a": #"{"x":1,"y":null}"#], ["p.x": "1"]),
        .init("parseJson(a, handleNull=empty)", ["a": #"{"y":null}"#], ["y": ""]),
        .init("parseJson(a, excludeEmpty=true)", ["a": #"{"x":"","y":1}"#], ["y": "1"]),
        .init("parseJson(a, exclude=[query])", ["a": #"{"query":1,"queryString":2,"q":3}"#], ["q": "3"]),
        .init("parseJson(a, exclude=[\"\"], include=[\"x.\"])", ["a": #"{"x":{"y":1},"z":2}"#], ["x.y": "1"]),
        .init("parseJson(a, exclude=[\"x[*].b\"])", ["a": #"{"x":[{"a":1,"b":2}]}"#], ["x[0].a": "1"]),
        .init("parseJson(a, removePrefixes=\"x.\")", ["a": #"{"x":{"y":1},"z":2}"#], ["y": "1", "z": "2"]),
        .init("parseJson(a)", ["a": "[1,{\"b\":2}]"], ["[0]": "1", "[1].b": "2"]),
        .init("parseJson(a)", ["a": "no json"], [:]),
        .init("parseJson(a)", ["a": #"{"b":"é\n\u0041"}"#], ["b": "é\nA"]),
    ]

    @Test(arguments: json)
    func jsonIsFlattened(_ example: FunctionCase) throws { try example.check() }

    static let pairs: [FunctionCase] = [
        .init("kvParse()", ["@rawstring": #"a=1 b="x y" c='z', d=4"#], ["a": "1", "b": "x y", "c": "z", "d": "4"]),
        .init("kvParse()", ["@rawstring": "msg email=john@doe. n=5"], ["email": "john@doe", "n": "5"]),
        .init("kvParse()", ["@rawstring": "a=2", "a": "1"], [:]),
        .init("kvParse(override=true)", ["@rawstring": "a=2", "a": "1"], ["a": "2"]),
        .init("kvParse()", ["@rawstring": "a=1 a=2"], ["a": "2"]),
        .init("kvParse(onDuplicate=keepFirst)", ["@rawstring": "a=1 a=2"], ["a": "1"]),
        .init("kvParse(as=\"p.\")", ["@rawstring": "a=1"], ["p.a": "1"]),
        .init("kvParse(separator=\":\")", ["@rawstring": "a:1 b:2"], ["a": "1", "b": "2"]),
        .init("kvParse(excludeEmpty=true)", ["@rawstring": "a=\"\" b=2"], ["b": "2"]),
        .init("kvParse()", ["@rawstring": "a = b = c"], ["a": "b"]),
        .init("kvParse(separatorPadding=no)", ["@rawstring": "a = b = c"], ["a": "", "b": ""]),
        .init("kvParse(separatorPadding=yes)", ["@rawstring": "a = b = c"], ["a": "", "b": "c"]),
        .init("kvParse()", ["@rawstring": "a=b=c"], ["a": "b=c"]),
        .init("kvParse(separatorPadding=yes)", ["@rawstring": "a=b=c"], ["a": "b=c"]),
        .init("kvParse(separatorPadding=no)", ["@rawstring": "a = b=c"], ["a": "", "b": "c"]),
        .init("kvParse()", ["@rawstring": "a = b=c"], ["a": "b=c"]),
        .init("kvParse()", ["@rawstring": "no pairs"], [:]),
    ]

    @Test(arguments: pairs)
    func pairsAreFound(_ example: FunctionCase) throws { try example.check() }

    static let others: [FunctionCase] = [
        .init(
            "parseCsv(a, columns=[x, y, z])",
            ["a": #"1,"b ""q"", c",3,4"#],
            ["x": "1", "y": "b \"q\", c", "z": "3"]
        ),
        .init("parseCsv(a, columns=[x, y], delimiter=\";\", trim=true, excludeEmpty=true)", ["a": " 1 ; "], ["x": "1"]),
        .init("parseFixedWidth(a, columns=[x, y], widths=[3, 4])", ["a": "ab cd  z"], ["x": "ab", "y": "cd"]),
        .init("parseHexString(a)", ["a": "0x48 656c6c6f"], ["_parsehexstring": "Hello"]),
        .init("parseHexString(a)", ["a": "4"], [:]),
        .init(
            "parseUrl(a)",
            ["a": "https://u:p@host.com:8080/x/y?q=1#f"],
            [
                "a.scheme": "https", "a.host": "host.com", "a.port": "8080", "a.path": "/x/y", "a.query": "q=1",
                "a.fragment": "f",
            ]
        ),
        .init(
            "parseUri(a, prefix=u)",
            ["a": "/x?k=a%20b"],
            ["u.path": "/x", "u.query": "k=a%20b", "u.query.k": "a b"]
        ),
        .init(
            "parseCEF(a)",
            ["a": #"CEF:0|V|P|1.0|100|A\|B|5|src=1.2.3.4 msg=hello big world cs1=x cs1Label=My"#],
            [
                "cef.version": "0", "cef.device.vendor": "V", "cef.device.product": "P", "cef.device.version": "1.0",
                "cef.event_class_id": "100", "cef.name": "A|B", "cef.severity": "5", "cef.ext.src": "1.2.3.4",
                "cef.ext.msg": "hello big world", "cef.label.My": "x",
            ]
        ),
        .init(
            "parseLEEF(a)",
            ["a": "LEEF:1.0|V|P|2|42|src=1.2.3.4\tusr=me"],
            [
                "leef.version": "1.0", "leef.device.vendor": "V", "leef.device.product": "P",
                "leef.device.version": "2",
                "leef.event_id": "42", "leef.ext.src": "1.2.3.4", "leef.ext.usr": "me",
            ]
        ),
        .init(
            "parseXml(a)",
            ["a": "<?xml version='1.0'?><r i=\"1\"><b>x &amp; y</b><c/><d>1</d><d>2</d><![CDATA[<z>]]></r>"],
            ["r.i": "1", "r": "<z>", "r.b": "x & y", "r.c": "", "r.d[0]": "1", "r.d[1]": "2"]
        ),
        .init("parseXml(a, strict=true)", ["a": "<r><b></r>"], [:]),
        .init(
            "writeJson([\"x.\", n], as=j)",
            ["x.a": "1", "x.b[0]": "t", "x.b[1]": "u\"", "n": "true", "m": "2"],
            ["j": #"{"x":{"a":1,"b":["t","u\""]},"n":true}"#]
        ),
        .init(
            "json:prettyPrint(a)",
            ["a": #"{"b":[1,2],"c":{}}"#],
            ["a": "{\n  \"b\": [\n    1,\n    2\n  ],\n  \"c\": {}\n}"]
        ),
        .init("json:prettyPrint(a)", ["a": "x"], [:]),
        .init("xml:prettyPrint(a)", ["a": "<r><b>1</b></r>"], ["a": "<r>\n  <b>1</b>\n</r>"]),
    ]

    @Test(arguments: others)
    func formatIsRead(_ example: FunctionCase) throws { try example.check() }

    @Test
    func noTextTraps() throws {
        var random = SeededRandom(seed: 7)
        let pieces = [
            "{", "}", "[", "]", "\"", "=", "<", ">", "/", "a", "|", "CEF:", "LEEF:", "\\", "&#", ";", "%", "0x", ":",
            "é", " ", "\n", "12", "Nov ",
        ]
        let calls = [
            "parseJson()", "kvParse()", "parseCsv(columns=[x])", "parseXml()", "parseUrl(@rawstring)", "parseCEF()",
            "parseLEEF()",
            "findTimestamp()", "parseHexString(@rawstring)", "base64Decode(@rawstring)", "urlDecode(@rawstring)",
            "json:prettyPrint()", "xml:prettyPrint()", "stripAnsiCodes()", "subnet(@rawstring, bits=8)",
        ]
        for _ in 0..<300 {
            let text = (0..<Int.random(in: 0...30, using: &random)).map { _ in
                pieces[Int.random(in: 0..<pieces.count, using: &random)]
            }.joined()
            for call in calls { _ = try FunctionRun.apply(call, to: ["@rawstring": text]) }
        }
    }
}

struct DigestFunctionTests {
    static let cases: [FunctionCase] = [
        .init("crypto:md5(a)", ["a": "abc"], ["_md5": "900150983cd24fb0d6963f7d28e17f72"]),
        .init("crypto:md5(a)", ["a": ""], ["_md5": "d41d8cd98f00b204e9800998ecf8427e"]),
        .init("crypto:sha1(a)", ["a": "abc"], ["_sha1": "a9993e364706816aba3e25717850c26c9cd0d89d"]),
        .init(
            "crypto:sha256(a)",
            ["a": "abc"],
            ["_sha256": "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"]
        ),
        .init(
            "crypto:sha256([a, b])",
            ["a": "a", "b": "bc"],
            ["_sha256": "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"]
        ),
        .init(
            "crypto:sha1(a)",
            ["a": String(repeating: "a", count: 200)],
            ["_sha1": "e61cfffe0d9195a525fc6cf06ca2d77119c24a40"]
        ),
        .init("crypto:md5(a)", [:], [:]),
        .init("base64Encode(a)", ["a": "hello"], ["_base64Encode": "aGVsbG8="]),
        .init("base64Decode(a)", ["a": "aGVsbG8"], ["_base64Decode": "hello"]),
        .init("base64Decode(a, charset=\"UTF-16LE\")", ["a": "aABpAA=="], ["_base64Decode": "hi"]),
        .init("base64Decode(a)", ["a": "not base64!"], [:]),
        .init("urlDecode(a)", ["a": "a%20b+c%C3%A9"], ["_urldecode": "a b cé"]),
        .init("urlEncode(a)", ["a": "a b/é"], ["_urlencode": "a+b%2F%C3%A9"]),
        .init("shannonEntropy(a)", ["a": "aabb"], ["_shannonentropy": "1"]),
        .init("shannonEntropy(a)", ["a": "aaaa"], ["_shannonentropy": "0"]),
    ]

    @Test(arguments: cases)
    func valueIsCoded(_ example: FunctionCase) throws { try example.check() }

    @Test
    func hashWithLimitIsBelowIt() throws {
        for value in ["a", "b", "c", "d"] {
            let hash = try #require(try FunctionRun.apply("hash(a, limit=10)", to: ["a": value])?["_hash"])
            #expect(Int(hash).map { (0..<10).contains($0) } == true)
        }
    }

    @Test
    func rewrittenHashIsFoundAgain() throws {
        let call = "hashRewrite(a, salt=\"s\", replaceInRawstring=true)"
        let event = try #require(try FunctionRun.apply(call, to: ["a": "bob", "@rawstring": "user bob"]))
        #expect(event["@rawstring"] == "user \(event["a"] ?? "")")
        #expect(try FunctionRun.apply("hashMatch(\"bob\", salt=\"s\", field=a)", to: event) != nil)
        #expect(try FunctionRun.apply("hashMatch(\"eve\", salt=\"s\", field=a)", to: event) == nil)
    }
}

struct ArrayFunctionTests {
    static let cases: [FunctionCase] = [
        .init("array:length(\"a[]\")", ["a[0]": "x", "a[1]": "y", "a[3]": "z"], ["_length": "2"]),
        .init("array:length(\"a[]\")", [:], ["_length": "0"]),
        .init("array:append(\"a[]\", values=[\"x\", b, c])", ["a[0]": "1", "b": "2"], ["a[1]": "x", "a[2]": "2"]),
        .init("array:append(array=\"a[]\", values=\"x\")", [:], ["a[0]": "x"]),
        .init("array:drop(\"a[]\")", ["a[0]": "1", "a[1].b": "2", "ab": "3"], ["a[0]": nil, "a[1].b": nil]),
        .init(
            "array:rename(\"a[]\", asArray=\"b[]\")",
            ["a[0].x": "1", "a[1]": "2"],
            ["a[0].x": nil, "a[1]": nil, "b[0].x": "1", "b[1]": "2"]
        ),
        .init("array:dedup(\"a[]\")", ["a[0]": "x", "a[1]": "y", "a[2]": "x"], ["a[2]": nil]),
        .init("array:dedup(\"a[]\", asArray=\"b[]\")", ["a[0]": "x", "a[1]": "x"], ["b[0]": "x"]),
        .init("array:sort(\"a[]\")", ["a[0]": "b", "a[1]": "a"], ["a[0]": "a", "a[1]": "b"]),
        .init(
            "array:sort(\"a[]\", type=number, order=desc)",
            ["a[0]": "9", "a[1]": "10"],
            ["a[0]": "10", "a[1]": "9"]
        ),
    ]

    @Test(arguments: cases)
    func arrayIsChanged(_ example: FunctionCase) throws { try example.check() }

    static let filters: [(call: String, keeps: Bool)] = [
        ("array:contains(\"a[]\", value=\"x\")", true), ("array:contains(\"a[]\", value=\"X\")", false),
        ("array:regex(\"a[]\", regex=\"^Y\", flags=\"i\")", true), ("array:regex(\"a[]\", regex=\"^Z\")", false),
        ("array:contains(\"b[]\", value=\"x\")", false),
    ]

    @Test(arguments: filters)
    func arrayIsTested(call: String, keeps: Bool) throws {
        #expect((try FunctionRun.apply(call, to: ["a[0]": "x", "a[1]": "y"]) != nil) == keeps)
    }
}

struct NetworkFunctionTests {
    static let subnets: [(call: String, ip: String, keeps: Bool)] = [
        ("cidr(ip, subnet=\"10.0.0.0/8\")", "10.1.2.3", true), ("cidr(ip, subnet=\"10.0.0.0/8\")", "11.1.2.3", false),
        ("cidr(ip, subnet=[\"1.2.3.4\", \"192.168.0.0/16\"])", "192.168.1.1", true),
        ("cidr(ip, subnet=\"0.0.0.0/0\")", "8.8.8.8", true), ("cidr(ip, subnet=\"fe80::/10\")", "fe80::1", true),
        ("cidr(ip, subnet=\"::/0\")", "1.2.3.4", false), ("cidr(ip, subnet=\"10.0.0.0/8\")", "::ffff:10.0.0.1", true),
        ("cidr(ip, subnet=\"10.0.0.0/8\")", "10.1.2", false),
        ("cidr(ip, subnet=\"10.0.0.0/8\", negate=true)", "9.9.9.9", true),
        ("cidr(ip, subnet=\"2001:db8::/33\")", "2001:db8:7fff::1", true),
        ("cidr(ip, subnet=\"2001:db8::/33\")", "2001:db8:8000::1", false),
    ]

    @Test(arguments: subnets)
    func addressIsInSubnet(call: String, ip: String, keeps: Bool) throws {
        #expect((try FunctionRun.apply(call, to: ["ip": ip]) != nil) == keeps)
    }

    static let cases: [FunctionCase] = [
        .init("subnet(ip, bits=20)", ["ip": "10.1.255.3"], ["_subnet": "10.1.240.0"]),
        .init("subnet(ip, bits=32)", ["ip": "2001:db8:0:1::5"], ["_subnet": "2001:db8::"]),
        .init("geohash(lat=a, lon=b, precision=5)", ["a": "57.64911", "b": "10.40744"], ["_geohash": "u4pru"]),
        .init(
            "communityId(proto=p, sourceip=s, destinationip=d, sourceport=sp, destinationport=dp)",
            ["p": "tcp", "s": "128.232.110.120", "d": "66.35.250.204", "sp": "34855", "dp": "80"],
            ["_community_id": "1:LQU9qZlK+B5F3KDmev6m5PMibrg="]
        ),
        .init(
            "communityId(proto=p, sourceip=s, destinationip=d, sourceport=sp, destinationport=dp)",
            ["p": "6", "s": "66.35.250.204", "d": "128.232.110.120", "sp": "80", "dp": "34855"],
            ["_community_id": "1:LQU9qZlK+B5F3KDmev6m5PMibrg="]
        ),
    ]

    @Test(arguments: cases)
    func addressIsComputed(_ example: FunctionCase) throws { try example.check() }

    @Test
    func distanceIsAlongTheGreatCircle() throws {
        let event = ["a": "55.6761", "b": "12.5683", "c": "52.52", "d": "13.405"]
        let call = "geography:distance(lat1=a, lon1=b, lat2=c, lon2=d)"
        let distance = try #require(try FunctionRun.apply(call, to: event)?["_distance"].flatMap(Double.init))
        #expect(abs(distance - 355_000) < 2000)
    }

    @Test
    func whatNeedsOutsideDataSaysSo() {
        for call in ["ipLocation(ip)", "asn(ip)", "rdns(ip)"] {
            #expect(throws: CallProblem.self) { try FunctionRun.apply(call, to: ["ip": "1.1.1.1"]) }
        }
    }
}
