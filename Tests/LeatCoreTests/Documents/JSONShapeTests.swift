import LeatCore
import LeatTesting
import Testing

@Suite struct JSONShapeTests {
    @Test func theTemplateIsTheDocumentWithoutItsTexts() throws {
        var flattener = JSONFlattener()
        try flattener.flatten(Array(#"{"status": 200, "user":{"name":"ann"},"tags":[],"x":[null,true]}"#.utf8))
        let template = flattener.shapeTemplate(flattener.shape())
        #expect(template.text == "{\"status\":\u{2},\"user\":{\"name\":\u{1}},\"tags\":[],\"x\":[null,\u{2}]}")
        let shape = try JSONShape(template: template)
        #expect(shape.holes.map { String(decoding: $0.name, as: UTF8.self) } == ["status", "user.name", "x[1]"])
    }

    @Test func equalShapesHaveOneNumber() throws {
        var flattener = JSONFlattener()
        var numbers: [Int] = []
        for text in [#"{"a":1}"#, #"{"a":"1"}"#, #"{"a":2}"#, #"{"b":1}"#, #"{"a":true}"#, #"{"a":null}"#] {
            try flattener.flatten(Array(text.utf8))
            numbers.append(flattener.shape())
        }
        #expect(numbers == [0, 1, 0, 2, 0, 3])
    }

    /// The document as its shape and fields say it.
    static func rebuild(_ flattener: inout JSONFlattener) throws -> [UInt8]? {
        let number = flattener.shape()
        if number < 0 { return nil }
        let shape = try JSONShape(template: flattener.shapeTemplate(number))
        var values: [[UInt8]: [UInt8]] = [:]
        for field in flattener.fields { values[[UInt8](flattener.name(field.name))] = [UInt8](field.value) }
        var text: [UInt8] = []
        var kept: [ByteSlice] = []
        let isWhole = shape.append(to: &text) { index in
            guard let value = values[shape.holes[index].name] else { return nil }
            kept.append(ByteSlice(value))
            return kept[kept.count - 1].unsafeBytes
        }
        withExtendedLifetime(kept) {}
        return isWhole ? text : nil
    }

    @Test func rebuildingGivesTheCompactDocument() throws {
        for seed in UInt64(1000)..<(isLongRun ? 8000 : 1150) {
            var source = RandomJSON(seed: seed)
            source.hasSpace = true
            var flattener = JSONFlattener()
            for _ in 0..<5 {
                let document = ByteSlice(source.document())
                try flattener.flatten(document.unsafeBytes)
                guard let rebuilt = try Self.rebuild(&flattener) else { continue }
                let compact = try JSONCompact.compacted(document.unsafeBytes)
                #expect(
                    String(decoding: rebuilt, as: UTF8.self) == String(decoding: compact, as: UTF8.self),
                    "seed \(seed)"
                )
            }
        }
    }

    @Test func needlessEscapesAreLeftOut() throws {
        var flattener = JSONFlattener()
        try flattener.flatten(Array(#"{"\u0061":"\/\u0041\u00e9\n\u001f\ud83d\ude00\ud800"}"#.utf8))
        let rebuilt = try #require(try Self.rebuild(&flattener))
        #expect(String(decoding: rebuilt, as: UTF8.self) == "{\"a\":\"/Aé\\n\\u001f😀\u{FFFD}\"}")
    }

    @Test(arguments: ["{\"a\":\u{1}", "{\u{1}:1}", "", "{\"a\":\u{1}}\u{1}", "{\"a\":1 \u{2}}", "[\u{1}]"])
    func aDamagedTemplateIsRefused(text: String) {
        #expect(throws: JSONError.self) { try JSONShape(template: ByteSlice(text)) }
    }

    @Test func aRowThatDoesNotFitAppendsNothing() throws {
        let shape = try JSONShape(template: ByteSlice("{\"a\":\u{1},\"b\":\u{2}}"))
        var text: [UInt8] = [1, 2]
        let value = ByteSlice("x")
        let isWhole = shape.append(to: &text) { index in index == 0 ? value.unsafeBytes : nil }
        #expect(!isWhole)
        #expect(text == [1, 2])
    }

    @Test func tooManyShapesHaveNoNumberUntilTheNextGeneration() throws {
        var flattener = JSONFlattener()
        var without = 0
        for number in 0..<5000 {
            try flattener.flatten(Array(#"{"k\#(number)":1}"#.utf8))
            if flattener.shape() < 0 { without += 1 }
        }
        #expect(without == 0)
        #expect(flattener.generation == 1)
    }
}
