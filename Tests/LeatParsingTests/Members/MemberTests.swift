import LeatCore
import LeatParsing
import Testing

struct MemberTests {
    static let records: [(members: String, expected: [String])] = [
        ("", []),
        (#""a":1"#, ["a=1"]),
        (#""a":"x","b":{"c":[1,"}"]},"d":null"#, ["a=\"x\"", #"b={"c":[1,"}"]}"#, "d=null"]),
        (#" "a" : "q\"\\" , "b":true "#, [#"a="q\"\\""#, "b=true"]),
        (#""a":"x"#, []),
        (#""a":{"b":1"#, []),
        (#"nonsense"#, []),
    ]

    @Test(arguments: records)
    func membersAreFound(members: String, expected: [String]) {
        let bytes = ByteSlice(members)
        var scanner = MemberScanner(bytes.unsafeBytes)
        var found: [String] = []
        while let member = scanner.next() {
            found.append("\(bytes[member.name].text)=\(bytes[member.value].text)")
        }
        #expect(found == expected)
    }

    static let paths: [(path: String, expected: String?)] = [
        ("a", "1"), ("$a", "1"), ("$k['x']", "\"y\""), ("$k['l'][1]", "{\"m\":5}"), ("$k['l'][1]['m']", "5"),
        ("$k['a.b']", "2"), ("k.x", nil), ("$k[0]", nil), ("$k['l']['x']", nil), ("$a['b']", nil), ("$missing", nil),
    ]

    @Test(arguments: paths)
    func pathsLeadToValues(path: String, expected: String?) throws {
        let bytes = ByteSlice(#""a":1,"k":{"x":"y","l":[3,{"m":5}],"a.b":2}"#)
        let path = try #require(FieldPath(path))
        let found = path.find(in: bytes.unsafeBytes).map { bytes[$0].text }
        #expect(found == expected)
    }

    static let badPaths = ["$", "$a[", "$a['b", "$a['b'", "$a[x]", "$a['b']c"]

    @Test(arguments: badPaths)
    func wrongPathsAreRefused(path: String) { #expect(FieldPath(path) == nil) }

    static let templates: [(template: String, expected: String)] = [
        ("plain", "plain"), ("$TAG", "kube.a.b"), ("x.$TAG[1].y", "x.a.y"), ("$k['x'].$1", "y\n.two"), ("$TAG[9]", ""),
        ("a$k['x']b", "ay\nb"), ("cost $ 5", "cost $ 5"), ("$k", #"{"x":"y\n"}"#), ("$0-$1", "one-two"),
    ]

    @Test(arguments: templates)
    func templatesTakePartsOfTheEvent(template: String, expected: String) throws {
        let template = try #require(RecordTemplate(template))
        let members = ByteSlice(#""k":{"x":"y\n"}"#)
        var bytes: [UInt8] = []
        template.append(
            to: &bytes,
            tag: Array("kube.a.b".utf8),
            members: members.unsafeBytes,
            captures: [Array("one".utf8), Array("two".utf8)]
        )
        #expect(String(decoding: bytes, as: UTF8.self) == expected)
    }

    static let escapes: [(contents: String, text: String)] = [
        ("", ""), ("plain", "plain"), (#"\"\\\/\b\f\n\r\t"#, "\"\\/\u{8}\u{c}\n\r\t"), (#"\u00e4\u20AC"#, "ä€"),
        (#"\ud83d\ude00x"#, "😀x"), (#"\ud83dx"#, "\u{FFFD}x"), (#"\ude00\ud83d"#, "\u{FFFD}\u{FFFD}"), (#"a\"#, "a"),
        (#"\u12"#, "\u{12}"),
    ]

    @Test(arguments: escapes)
    func escapesAreTakenOut(contents: String, text: String) {
        let bytes = ByteSlice(contents)
        #expect(String(decoding: JSONText.unescaped(bytes.unsafeBytes), as: UTF8.self) == text)
    }

    @Test
    func recordsAreChanged() {
        var record = Record()
        let bytes = ByteSlice(#""a":1,"b":2,"c":3"#)
        record.load(bytes.unsafeBytes)
        record.rename(0, to: "x".utf8)
        record.set(Array("b".utf8), to: "\"two\"".utf8)
        record.set(Array("d".utf8), to: "4".utf8)
        record.move([2], toStart: true)
        record.copy(1, as: Array("y".utf8))
        var out: [UInt8] = []
        record.write(to: &out)
        #expect(String(decoding: out, as: UTF8.self) == #""c":3,"x":1,"y":1,"b":"two","d":4"#)
    }

    @Test
    func changedBytesNeverTrap() throws {
        var random = SeededRandom(seed: 5)
        let path = try #require(FieldPath("$k['l'][1]['m']"))
        let original = Array(#""a":"x\"","k":{"x":"y","l":[3,{"m":5}]},"z":null"#.utf8)
        let alphabet = Array(#"{}[]",:\u01 "#.utf8)
        for _ in 0..<20_000 {
            var bytes = original
            for _ in 0..<Int.random(in: 0..<6, using: &random) {
                bytes[Int.random(in: 0..<bytes.count, using: &random)] = alphabet.randomElement(using: &random) ?? 0
            }
            bytes.removeLast(Int.random(in: 0...bytes.count, using: &random))
            bytes.withUnsafeBytes { members in
                _ = path.find(in: members)
                var record = Record()
                record.load(members)
                _ = JSONText.unescaped(members)
            }
        }
    }
}
