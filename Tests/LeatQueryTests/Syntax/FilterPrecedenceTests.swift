import LeatQuery
import Testing

struct FilterPrecedenceTests {
    /// A query and the fully parenthesised form of what it means.
    static let meanings: [(query: String, means: String)] = [
        ("a or b c", "(a or b) and c"),
        ("a b or c d", "a and (b or c) and d"),
        ("foo and not bar or baz", "foo and ((not bar) or baz)"),
        ("foo or not bar and baz", "(foo or (not bar)) and baz"),
        ("not foo bar", "(not foo) and bar"),
        ("foo not statuscode=200", "foo and (not statuscode = 200)"),
        ("foo < 42 + 3", "(foo < 42) and \"+\" and \"3\""),
        ("a AND b OR c", "a and (b or c)"),
        ("!a or b", "(not a) or b"),
        ("!(a or b)", "not (a or b)"),
    ]

    @Test(arguments: meanings)
    func orBindsTighterThanAnd(query: String, means: String) throws {
        let unquoted = means.replacing("\"", with: "")
        #expect(try QueryParser.parse(query).pipeline == QueryParser.parse(unquoted).pipeline)
    }

    /// Expressions and their fully parenthesised form.
    static let expressions: [(expression: String, means: String)] = [
        ("a + b * c", "a + (b * c)"),
        ("a - b - c", "(a - b) - c"),
        ("a / b % c", "(a / b) % c"),
        ("a + 1 == b * 2", "(a + 1) == (b * 2)"),
        ("-a + b", "(-a) + b"),
        ("!a == b", "(!a) == b"),
        ("a-b", "a - b"),
        ("m/fisk/i", "(m / fisk) / i"),
    ]

    @Test(arguments: expressions)
    func productsBindTighterThanSumsAndComparisons(expression: String, means: String) throws {
        #expect(
            try QueryParser.parse("x := \(expression)").pipeline == QueryParser.parse("x := \(means)").pipeline
        )
    }
}
