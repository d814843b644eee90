import LeatCore
import LeatTesting
import Testing

@testable import LeatParsing

/// Names that come twice in an object.
struct RepeatedMembersTests {
    static let records: [(before: String, after: String)] = [
        ("", ""), (#""a":1"#, #""a":1"#), (#""a":1,"b":2"#, #""a":1,"b":2"#), (#""a":1,"a":2"#, #""a":2"#),
        (#""a":1,"b":{"a":3},"a":[2],"b":"x","c":0"#, #""a":[2],"b":"x","c":0"#),
        (#""":1,"a":2,"":3"#, #""a":2,"":3"#),
    ]

    @Test(arguments: records)
    func theLastOneOfANameStays(before: String, after: String) {
        for (prefix, comma) in [("", ""), (#""first":0"#, ",")] {
            var bytes = Array(prefix.utf8)
            let start = bytes.count
            if !before.isEmpty { bytes += (comma + before).utf8 }
            RepeatedMembers.remove(in: &bytes, from: start)
            #expect(String(decoding: bytes, as: UTF8.self) == prefix + (after.isEmpty ? "" : comma + after))
        }
    }

    @Test
    func aSketchNeverMissesARepeat() {
        var random = SeededRandom(seed: 4)
        for _ in 0..<2_000 {
            var sketch = NameSketch()
            var seen: Set<[UInt8]> = []
            for _ in 0..<20 {
                let name = (0..<Int.random(in: 0...20, using: &random)).map { _ in
                    UInt8.random(in: 97...99, using: &random)
                }
                let mayRepeat = name.withUnsafeBytes { sketch.insert($0) }
                #expect(!seen.contains(name) || mayRepeat)
                seen.insert(name)
            }
        }
    }

    @Test
    func theParserJSONKeepsTheLast() throws {
        var section = Section(
            kind: "PARSER",
            mark: SourceMark(source: "t", line: 1, column: 1, length: 1, lineText: "")
        )
        section.entries = [("name", "x"), ("format", "json")].map {
            Section.Entry(key: $0.0, value: $0.1, keyMark: section.mark, valueMark: section.mark)
        }
        let parser = LineParser(try ParserDefinition(section))
        var bytes: [UInt8] = []
        let line = Array(#"{"user":"a","n":1,"user":"b"}"#.utf8)
        let outcome = line.withUnsafeBytes {
            parser.parse($0, now: Timestamp(nanoseconds: 0), into: &bytes, from: 0)
        }
        #expect(outcome == .parsed(time: nil))
        #expect(String(decoding: bytes, as: UTF8.self) == #""n":1,"user":"b""#)
    }
}
