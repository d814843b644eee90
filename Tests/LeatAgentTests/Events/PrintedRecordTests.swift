import Testing

@testable import LeatAgent

/// Records as Fluent Bit prints them; the expected texts are what version 5.1.1 wrote.
struct PrintedRecordTests {
    static let records: [(members: String, text: String)] = [
        ("", "{}"),
        (#""log":"hello","n":7"#, #"{"log"=>"hello", "n"=>7}"#),
        (
            #""a":1.5,"b":-0.25,"c":1e3,"d":18446744073709551615"#,
            #"{"a"=>1.500000, "b"=>-0.250000, "c"=>1000.000000, "d"=>18446744073709551615}"#
        ),
        (#""a":null,"b":true,"c":false"#, #"{"a"=>nil, "b"=>true, "c"=>false}"#),
        (#""a":{"b":[1,"x",{}],"c":{}},"d":[]"#, #"{"a"=>{"b"=>[1, "x", {}], "c"=>{}}, "d"=>[]}"#),
        (#""a":"say \"hi\"\n\u00e9 é""#, "{\"a\"=>\"say \"hi\"\né é\"}"),
    ]

    @Test(arguments: records)
    func recordsArePrinted(members: String, text: String) {
        var bytes: [UInt8] = []
        Array(members.utf8).withUnsafeBytes { PrintedRecord.append($0, to: &bytes) }
        #expect(String(decoding: bytes, as: UTF8.self) == text)
    }
}
