import LeatCore
import LeatTesting
import Testing

@Suite struct JSONTextTests {
    @Test func writerAndReaderAgree() throws {
        for seed in UInt64(0)..<200 {
            var source = RandomJSON(seed: seed)
            source.hasSpace = true
            source.hasNeedlessEscapes = true
            let value = try JSONValue(parsing: source.document())
            #expect(try JSONValue(parsing: value.jsonText) == value, "seed \(seed)")
        }
    }

    @Test func theWriterPutsCommasWhereTheyBelong() {
        var writer = JSONWriter()
        writer.beginObject()
        writer.key("a")
        writer.value(1)
        writer.key("b")
        writer.beginArray()
        writer.value("x\u{1}\"\\\n")
        writer.null()
        writer.value(1.5)
        writer.value(2.0)
        writer.value(Double.infinity)
        writer.beginObject()
        writer.endObject()
        writer.endArray()
        writer.key("c")
        writer.value(true)
        writer.endObject()
        writer.newline()
        writer.beginArray()
        writer.endArray()
        #expect(writer.text == #"{"a":1,"b":["x\u0001\"\\\n",null,1.5,2,null,{}],"c":true}"# + "\n[]")
    }

    @Test func bytesThatAreNotUTF8AreReplaced() {
        var bytes: [UInt8] = []
        ([0x61, 0xFF, 0x22, 0xC3] as [UInt8]).withUnsafeBytes { JSONWriter.append(string: $0, to: &bytes) }
        #expect(String(decoding: bytes, as: UTF8.self) == "\"a\u{FFFD}\\\"\u{FFFD}\"")
    }

    @Test func escapingIsTheSameAsTheSimpleTwin() {
        var random = SeededRandom(seed: 3)
        for round in 0..<2000 {
            let bytes = (0..<Int.random(in: 0...400, using: &random)).map { _ in
                UInt8(Int.random(in: 0..<20, using: &random) == 0 ? Int.random(in: 0..<128, using: &random) : 0x61)
            }
            var fast: [UInt8] = []
            bytes.withUnsafeBytes { JSONWriter.append(escaped: $0, to: &fast) }
            var simple = ""
            for byte in bytes {
                switch byte {
                case 0x22: simple += "\\\""
                case 0x5C: simple += "\\\\"
                case 0x08: simple += "\\b"
                case 0x09: simple += "\\t"
                case 0x0A: simple += "\\n"
                case 0x0C: simple += "\\f"
                case 0x0D: simple += "\\r"
                case ..<0x20: simple += "\\u00" + (byte < 16 ? "0" : "") + String(byte, radix: 16)
                default: simple.unicodeScalars.append(Unicode.Scalar(byte))
                }
            }
            #expect(String(decoding: fast, as: UTF8.self) == simple, "round \(round)")
        }
    }

    @Test func compactingTakesOnlyWhiteSpace() throws {
        let text = ByteSlice(" { \"a b\" : [ 1 , \" x \\u0041\" , { } ] ,\n\t\"c\":null } ")
        #expect(try JSONCompact.compacted(text.unsafeBytes) == Array(#"{"a b":[1," x \u0041",{}],"c":null}"#.utf8))
        let deep = ByteSlice(String(repeating: "[", count: 1025))
        #expect(throws: JSONError(.tooDeep(limit: 1024), at: 1024)) { try JSONCompact.compacted(deep.unsafeBytes) }
        var kept: [UInt8] = [7]
        #expect(throws: JSONError.self) {
            try ByteSlice("{\"a\":1").withUnsafeBytes { try JSONCompact.append($0, to: &kept) }
        }
        #expect(kept == [7])
    }

    @Test func membersAreFoundWhereTheyStand() throws {
        let text = ByteSlice(#" {"a" : "x\n", "b\u0041":[1, {"c":2}] ,"d":{},"e":-1.5} tail"#)
        try text.withUnsafeBytes { bytes in
            var scanner = try JSONObjectScanner(bytes)
            var found: [String] = []
            while let member = try scanner.next() {
                let key = String(decoding: scanner.key(of: member), as: UTF8.self)
                let value = String(decoding: scanner.text(of: member), as: UTF8.self)
                found.append("\(key)|\(value)|\(member.kind)|\(bytes.slice(member.value).text)")
            }
            #expect(
                found == [
                    "a|x\n|string|\"x\\n\"", "bA|[1, {\"c\":2}]|array|[1, {\"c\":2}]", "d|{}|object|{}",
                    "e|-1.5|number|-1.5",
                ]
            )
            #expect(bytes.slice(scanner.offset..<bytes.count).text == " tail")
        }
    }

    @Test(arguments: [#"{"a":1,}"#, #"{"a":1"#, #"{"a":[}"#, #"{"a"}"#, "{", "[]", "", #"{"a":1 2}"#])
    func aBrokenObjectEndsTheScan(text: String) {
        #expect(throws: JSONError.self) {
            try ByteSlice(text).withUnsafeBytes { bytes in
                var scanner = try JSONObjectScanner(bytes)
                while try scanner.next() != nil {}
            }
        }
    }

    @Test func treesGiveWhatIsAsked() throws {
        let value = try JSONValue(parsing: #"{"a":[1,2.5,"x",true,null],"a2":{"b":"c"},"n":1,"n":2}"#)
        #expect(value["a"]?[0]?.int == 1)
        #expect(value["a"]?[1]?.double == 2.5)
        #expect(value["a"]?[2]?.string == "x")
        #expect(value["a"]?[3]?.bool == true)
        #expect(value["a"]?[4]?.isNull == true)
        #expect(value["a"]?[5] == nil)
        #expect(value["a2"]?["b"]?.string == "c")
        #expect(value["n"]?.int == 2)
        #expect(throws: JSONError(.tooDeep(limit: 200), at: 200)) {
            try JSONValue(parsing: String(repeating: "[", count: 300))
        }
    }
}
