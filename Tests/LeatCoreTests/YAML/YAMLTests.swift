import LeatCore
import Testing

@Suite struct YAMLTests {
    @Test func everyNodeKnowsItsPlace() throws {
        let document = try YAMLDocument(
            "listen: 127.0.0.1:9200\nlimits:\n  - name: é\n    bytes: 10M\n",
            source: "a.yaml"
        )
        let root = try #require(document.root)
        #expect(root["listen"]?.text == "127.0.0.1:9200")
        guard case .sequence(let items)? = root["limits"]?.content else { throw Unexpected() }
        let bytes = try #require(items[0]["bytes"])
        #expect(bytes.line == 4)
        #expect(bytes.column == 12)
    }

    struct Unexpected: Error {}

    @Test(
        arguments: [
            ("a: [1", "x.yaml:1:6: error: did not find expected"),
            ("a: b\n c: d", "x.yaml:2:3: error: mapping values are not allowed in this context"),
            ("a: *b", "x.yaml:1:4: error: unknown alias 'b'"),
            ("a: 1\n---\nb: 2\n", "x.yaml:2:1: error: only one document is read"),
            ("<<: {a: 1}", "x.yaml:1:1: error: merge keys are not supported"),
            ("? [a]\n: b", "x.yaml:1:3: error: a key must be text"),
            ("\u{1}", "x.yaml:1:1: error: control characters are not allowed"),
        ] as [(String, String)]
    )
    func whatIsNotReadIsNamedWithItsPlace(text: String, beginning: String) throws {
        let error = try #require(throws: Diagnostics.self) { try YAMLDocument(text, source: "x.yaml") }
        #expect(error.description.hasPrefix(beginning), "\(error)")
    }

    @Test func emptyDocumentsHaveNoRoot() throws {
        #expect(try YAMLDocument("", source: "x").root == nil)
        #expect(try YAMLDocument("# nothing\n", source: "x").root == nil)
    }

    @Test func aliasesRepeatTheirAnchor() throws {
        let document = try YAMLDocument("a: &x [1, 2]\nb: *x\n", source: "x")
        guard case .sequence(let items)? = document.root?["b"]?.content else { throw Unexpected() }
        #expect(items.map(\.text) == ["1", "2"])
    }

    @Test func aliasesThatGrowWithoutBoundAreRefused() throws {
        var text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
        for level in 1...9 {
            let alias = "*a\(level - 1)"
            text += "a\(level): &a\(level) [\([String](repeating: alias, count: 10).joined(separator: ", "))]\n"
        }
        let error = try #require(throws: Diagnostics.self) { try YAMLDocument(text, source: "x") }
        #expect(error.description.contains("more than 100000 values"))
    }

    @Test func deepNestingIsRefused() throws {
        let text = String(repeating: "[", count: 100) + String(repeating: "]", count: 100)
        let error = try #require(throws: Diagnostics.self) { try YAMLDocument(text, source: "x") }
        #expect(error.description.contains("nested more than 64 levels deep"))
    }

    @Test func aReaderReportsEveryMistakeOfAFile() throws {
        let text = "lisen: x\nflag: maybe\nsize: 3 apples\ncount: 12\ncount: 13\nage: 30d\n"
        let document = try YAMLDocument(text, source: "c.yaml")
        var reader = YAMLReader(document)
        let root = try #require(document.root)
        let entries = reader.entries(of: root, known: ["listen", "flag", "size", "count", "age"], place: "the file")
        #expect(reader.flag(try #require(entries["flag"])) == nil)
        #expect(reader.byteCount(try #require(entries["size"])) == nil)
        #expect(reader.number(try #require(entries["count"]), in: 1...20) == 12)
        #expect(reader.nanoseconds(try #require(entries["age"])) == 2_592_000_000_000_000)
        let error = try #require(throws: Diagnostics.self) { try reader.finish() }
        let messages = error.all.map { "\($0.line):\($0.column) \($0.message)" }
        #expect(
            messages == [
                "1:1 unknown key 'lisen' in the file",
                "5:1 key 'count' is given twice in the file",
                "2:7 true or false is expected here",
                "3:7 a size such as 64MiB or 1024 is expected here",
            ]
        )
        #expect(error.all[0].hint == "did you mean 'listen'?")
    }

    @Test func randomBytesNeverTrap() {
        var random = SeededRandom(seed: 3)
        let pieces = [
            "a: ", "- ", "\n", "  ", "&x ", "*x", "[", "]", "{", "}", "|", ">", "'", "\"", "\\", ":", "#", "é", "\u{0}",
            "%", "!",
        ]
        for _ in 0..<3000 {
            let text = (0..<Int.random(in: 0...20, using: &random)).map { _ in
                pieces.randomElement(using: &random) ?? ""
            }
            do throws(Diagnostics) {
                _ = try YAMLDocument(text.joined(), source: "fuzz")
            } catch {
                #expect(!error.all.isEmpty)
            }
        }
    }
}
