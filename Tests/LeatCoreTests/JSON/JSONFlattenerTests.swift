import LeatCore
import LeatTesting
import Testing

@Suite struct JSONFlattenerTests {
    /// A field in a form that tests can compare.
    struct Flat: Hashable {
        var name: String
        var kind: JSONKind
        var text: String
    }

    static func fields(_ flattener: borrowing JSONFlattener) -> [Flat] {
        flattener.fields.map { Flat(name: flattener.name($0.name).text, kind: $0.kind, text: $0.value.text) }
    }

    static func flatten(_ text: String, limits: JSONLimits = JSONLimits()) throws(JSONError) -> [Flat] {
        var flattener = JSONFlattener(limits: limits)
        try flattener.flatten(Array(text.utf8))
        return self.fields(flattener)
    }

    @Test func namesAreJoinedAndValuesKeepTheirText() throws {
        let fields = try Self.flatten(
            #" {"a":1, "b":{"c":[true,{"d":"x\ny"},7.0]},"e":null,"f":{},"g":[ ],"":{"":"é"}} "#
        )
        #expect(
            fields == [
                Flat(name: "a", kind: .number, text: "1"), Flat(name: "b.c[0]", kind: .bool, text: "true"),
                Flat(name: "b.c[1].d", kind: .string, text: "x\ny"), Flat(name: "b.c[2]", kind: .number, text: "7.0"),
                Flat(name: "e", kind: .null, text: "null"), Flat(name: "f", kind: .emptyObject, text: "{}"),
                Flat(name: "g", kind: .emptyArray, text: "[]"), Flat(name: ".", kind: .string, text: "é"),
            ]
        )
    }

    @Test func theSameFieldsAsTheSimpleTwin() throws {
        for seed in UInt64(0)..<(isLongRun ? 5000 : 60) {
            var source = RandomJSON(seed: seed)
            source.hasSpace = seed % 2 == 0
            source.hasNeedlessEscapes = seed % 3 == 0
            var flattener = JSONFlattener()
            // One flattener sees several documents, so that predictions come true and fail.
            for _ in 0..<10 {
                let document = source.document()
                try flattener.flatten(Array(document.utf8))
                let expected = try flattenSimply(document).map { Flat(name: $0.name, kind: $0.kind, text: $0.text) }
                #expect(Self.fields(flattener) == expected, "seed \(seed): \(document)")
            }
        }
    }

    static let mistakes: [(text: String, error: JSONError)] = [
        ("", JSONError(.cutShort, at: 0)),
        ("  ", JSONError(.cutShort, at: 2)),
        ("[1]", JSONError(.notAnObject, at: 0)),
        ("17", JSONError(.notAnObject, at: 0)),
        ("{", JSONError(.cutShort, at: 1)),
        (#"{"a""#, JSONError(.cutShort, at: 4)),
        (#"{"a":"#, JSONError(.cutShort, at: 5)),
        (#"{"a":1"#, JSONError(.cutShort, at: 6)),
        (#"{"a":"x"#, JSONError(.cutShort, at: 7)),
        (#"{"a":1,}"#, JSONError(.expected("a key in quotes"), at: 7)),
        (#"{,"a":1}"#, JSONError(.expected("a key in quotes"), at: 1)),
        (#"{"a" 1}"#, JSONError(.expected("':'"), at: 5)),
        (#"{"a":1 "b":2}"#, JSONError(.expected("',' or '}'"), at: 7)),
        (#"{"a":[1 2]}"#, JSONError(.expected("',' or ']'"), at: 8)),
        (#"{"a":[1,]}"#, JSONError(.expected("a value"), at: 8)),
        (#"{"a":[1}"#, JSONError(.expected("',' or ']'"), at: 7)),
        (#"{"a":1}x"#, JSONError(.trailingBytes, at: 7)),
        (#"{"a":tru}"#, JSONError(.expected("'true'"), at: 5)),
        (#"{"a":nulL}"#, JSONError(.expected("'null'"), at: 5)),
        (#"{"a":NaN}"#, JSONError(.expected("a value"), at: 5)),
        (#"{"a":01}"#, JSONError(.badNumber, at: 5)),
        (#"{"a":-}"#, JSONError(.badNumber, at: 5)),
        (#"{"a":1.}"#, JSONError(.badNumber, at: 5)),
        (#"{"a":1e}"#, JSONError(.badNumber, at: 5)),
        (#"{"a":.5}"#, JSONError(.expected("a value"), at: 5)),
        (#"{"a":"\x"}"#, JSONError(.badEscape, at: 6)),
        (#"{"a":"\u12G4"}"#, JSONError(.badEscape, at: 6)),
        ("{\"a\":\"x\ny\"}", JSONError(.controlCharacter, at: 7)),
        (#"{'a':1}"#, JSONError(.expected("a key in quotes"), at: 1)),
    ]

    @Test(arguments: mistakes)
    func mistakesNameTheirPlace(text: String, error: JSONError) {
        #expect(throws: error) { try Self.flatten(text) }
    }

    @Test func invalidUTF8IsRefusedWhereItStands() {
        let bytes: [UInt8] = Array(#"{"a":"é"#.utf8) + [0xC3, 0x28] + Array(#""}"#.utf8)
        var flattener = JSONFlattener()
        #expect(throws: JSONError(.invalidUTF8, at: 8)) { try flattener.flatten(bytes) }
    }

    @Test func limitsAreExact() throws {
        let three = JSONLimits(depthMax: 3, fieldCountMax: 3, nameByteCountMax: 6)
        #expect(try Self.flatten(#"{"a":{"b":[1,2,3]}}"#, limits: three).count == 3)
        #expect(throws: JSONError(.tooDeep(limit: 3), at: 11)) {
            try Self.flatten(#"{"a":{"b":[{"c":1}]}}"#, limits: three)
        }
        #expect(throws: JSONError(.tooManyFields(limit: 3), at: 23)) {
            try Self.flatten(#"{"a":1,"b":2,"c":3,"d":4}"#, limits: three)
        }
        #expect(try Self.flatten(#"{"abcdef":1}"#, limits: three).count == 1)
        #expect(throws: JSONError(.nameTooLong(limit: 6), at: 1)) { try Self.flatten(#"{"abcdefg":1}"#, limits: three) }
        #expect(throws: JSONError(.nameTooLong(limit: 6), at: 10)) {
            try Self.flatten(#"{"abcde":{"f":1}}"#, limits: three)
        }
        #expect(throws: JSONError(.tooManyFields(limit: 0), at: 5)) {
            try Self.flatten(#"{"a":1}"#, limits: JSONLimits(fieldCountMax: 0))
        }
    }

    @Test func aPrefixEndsAfterItsDocument() throws {
        let text = Array(#"  {"a":1} {"a":2}"#.utf8)
        var flattener = JSONFlattener()
        try text.withUnsafeBytes { bytes in
            let end = try flattener.flattenPrefix(bytes, from: 0)
            #expect(end == 9)
            let second = try flattener.flattenPrefix(bytes, from: end)
            #expect(second == text.count)
            #expect(flattener.fields[0].value.text == "2")
        }
    }

    @Test func namesThatAreEqualAreNoticed() throws {
        for (text, isDuplicate) in [
            (#"{"a":1,"a":2}"#, true), (#"{"a.b":1,"a":{"b":2}}"#, true), (#"{"a":[1],"a[0]":2}"#, true),
            (#"{"a":{"b":1},"c":{"b":1}}"#, false), (#"{"a":{"x":1},"a":{"y":1}}"#, false),
        ] {
            var flattener = JSONFlattener()
            try flattener.flatten(Array(text.utf8))
            #expect(flattener.hasDuplicateNames == isDuplicate, "\(text)")
            #expect((flattener.shape() == -1) == isDuplicate, "\(text)")
        }
    }

    @Test func rowsOfABatchHaveTheFields() throws {
        var builder = BatchBuilder()
        var flattener = JSONFlattener()
        for text in [#"{"a":1,"b":"x","n":null}"#, #"{"b":"y","secret":1,"e":{}}"#, #"{"a":1,"a":3}"#] {
            try flattener.flatten(Array(text.utf8))
            flattener.append(to: &builder) { $0.isEqual(to: "secret") }
            builder.endRow(timestamp: 0)
        }
        let batch = builder.finish()
        #expect(batch.fieldNames == ["a", "b"])
        #expect(try text(batch, "a") == ["1", nil, "3"])
        #expect(try text(batch, "b") == ["x", "y", nil])

        // The next batch numbers its columns anew.
        try flattener.flatten(Array(#"{"b":"z"}"#.utf8))
        flattener.append(to: &builder)
        builder.endRow(timestamp: 1)
        #expect(try text(builder.finish(), "b") == ["z"])
    }

    @Test func manyDifferentKeysAreForgottenInTime() throws {
        var flattener = JSONFlattener()
        for number in 0..<70_000 {
            try flattener.flatten(Array(#"{"id-\#(number)":1,"level":"info"}"#.utf8))
        }
        #expect(flattener.generation > 0)
        #expect(Self.fields(flattener).map(\.name) == ["id-69999", "level"])
    }

    @Test func noBytesTrap() {
        var random = SeededRandom(seed: 7)
        for round in 0..<(isLongRun ? 200_000 : 1500) {
            var source = RandomJSON(seed: UInt64(round))
            source.hasNeedlessEscapes = true
            var bytes = Array(source.document().utf8)
            for _ in 0..<Int.random(in: 1...4, using: &random) where !bytes.isEmpty {
                let place = Int.random(in: 0..<bytes.count, using: &random)
                switch Int.random(in: 0..<3, using: &random) {
                case 0: bytes[place] = UInt8.random(in: 0...255, using: &random)
                case 1: bytes.removeSubrange(place...)
                default: bytes.insert(Array("{}[]\",:\\u0".utf8).randomElement(using: &random) ?? 0, at: place)
                }
            }
            var flattener = JSONFlattener(limits: JSONLimits(depthMax: 8, fieldCountMax: 20, nameByteCountMax: 60))
            let isAccepted = (try? flattener.flatten(bytes)) != nil
            let isValue = (try? bytes.withUnsafeBytes { try JSONValue($0) }) != nil
            // Whatever the fast reader accepts, the simple one does too.
            #expect(!isAccepted || isValue, "round \(round)")
            let compacted = try? bytes.withUnsafeBytes { try JSONCompact.compacted($0) }
            #expect((compacted != nil) == isValue, "round \(round)")
        }
    }
}

/// The values of a field of a batch, row by row.
func text(_ batch: Batch, _ name: String) throws(DamagedBlock) -> [String?] {
    guard case .plain(let column) = try batch.column(name) else { return [] }
    return (0..<batch.rowCount).map { row in
        column.presence?[row] == false ? nil : column.values[row].text
    }
}
