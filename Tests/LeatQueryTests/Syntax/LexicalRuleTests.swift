import LeatCore
import LeatQuery
import Testing

struct LexicalRuleTests {
    /// A query and how it prints, which shows what was read.
    static let readings: [(query: String, reading: String)] = [
        // P1, P2: slashes in words, and comments.
        ("docker/* | // note", "docker/*"),
        ("https://www.example.com/", "https://www.example.com/"),
        ("https: //x", "https:"),
        ("m/fisk/i", "m/fisk/i"),
        ("foo=m/fisk/i", "foo = m/fisk/i"),
        ("foo// note", "foo"),
        ("a /* b */ c", "a and c"),
        ("a | /* b | */ c", "a | c"),
        // P3: := ends a word.
        ("foo:=bar", "foo := bar"),
        ("foo:bar", "foo:bar"),
        // P5: a slash opens a regex only where a term or value starts.
        ("foo=/x/i", "foo = /x/i"),
        ("/x\\/y/", "/x\\/y/"),
        // P6: a slash in a class does not end it.
        ("f=/[-/][ix]\\s/", "f = /[-/][ix]\\s/"),
        // P7: escapes.
        (#"regex("\d+\\s\"")"#, #"regex("\\d+\\s\"")"#),
        ("\"a\nb\"", #""a\nb""#),
        // P8: fields with indexes and members.
        ("a.b[0].c=1", "a.b[0].c = 1"),
        (#""a b" = 1"#, #""a b" = 1"#),
        ("#type=kv @host=x", "#type = kv and @host = x"),
        // P9: an unknown name before a parenthesis, in a value, is a value and a group.
        ("#category=Request(uri=/a/ or uri=/b/)", "#category = Request and (uri = /a/ or uri = /b/)"),
        ("e=Rollup (a=1 OR b=2)", "e = Rollup and (a = 1 or b = 2)"),
        ("test=fisk", "test = fisk"),
        // P10: function names in any case.
        ("GROUPBY(x) | timechart()", "groupBy(x) | timeChart()"),
        ("array:Contains(\"a[]\", value=1)", "array:contains(\"a[]\", value=1)"),
        // Steps without a pipe, and empty steps.
        ("a=1 b:=2 c := 3", "a = 1 | b := 2 | c := 3"),
        ("groupBy(x)\nsort(x)", "groupBy(x) | sort(x)"),
        ("| | a || b |", "a | b"),
        ("", ""),
        ("*", "*"),
        // Statements.
        ("case{a=1|x:=1;b;*}", "case { a = 1 | x := 1; b; *; }"),
        ("f match{1=>x:=1;/r/=>*;*=>*}", "f match { 1 => x := 1; /r/ => *; * => *; }"),
        ("f=~!in(values=[1,2])", "f =~ !in(values=[1, 2])"),
        ("f =~ /x(?<a>y)/i", "f = /x(?<a>y)/i"),
        ("f=~/x/", "f = /x/"),
        ("f =~ // why\n in(values=[1])", "f =~ in(values=[1])"),
        ("[a := min(x), count()]", "[a := min(x), count()]"),
        ("`k` := 1", "`k` := 1"),
        // Parameters, saved queries.
        ("f=?p ?{q=\"*\"}", "f = ?p and ?{q=\"*\"}"),
        ("$errors() | $\"a b\"(x=\"1\") | $p/s:n()", "$errors() | $\"a b\"(x=\"1\") | $p/s:n()"),
        // Numbers, durations and words in arguments.
        ("x := 1e+5 * 2.5", "x := 1e+5 * 2.5"),
        ("bucket(5m, timezone=Europe/Copenhagen)", "bucket(5m, timezone=Europe/Copenhagen)"),
        ("in(x, values=[web-*, -1])", "in(x, values=[web-*, -1])"),
        ("groupBy(x, function=([count(), max(y)]))", "groupBy(x, function=[count(), max(y)])"),
        ("bucket(function={a=1 | count()},)", "bucket(function={ a = 1 | count() })"),
        ("C:\\\\Windows\\\\*", "C:\\\\Windows\\\\*"),
        ("\u{FEFF}a\u{A0}b", "a and b"),
    ]

    @Test(arguments: readings)
    func textIsReadAs(query: String, reading: String) throws {
        let tree = try QueryParser.parse(query)
        #expect(QueryPrinter.print(tree) == reading)
    }

    @Test
    func deepNestingIsRefusedInsteadOfOverflowing() {
        for opening in ["(", "not ", "case { ", "x := (", "f := -", "groupBy(x, function={ "] {
            #expect(throws: QueryErrors.self) {
                try QueryParser.parse(String(repeating: opening, count: 5000) + "a")
            }
        }
    }

    @Test
    func longTextIsRefused() {
        #expect(throws: QueryErrors.self) {
            try QueryParser.parse(String(repeating: "a ", count: 40_000))
        }
    }

    @Test
    func noTextTraps() {
        let seed: UInt64 = 42
        var generator = SeededRandom(seed: seed)
        let pieces = [
            "a", "=", "!=", ":=", "=~", "|", "(", ")", "[", "]", "{", "}", ";", ",", "\"", "/", "\\", "*", "?", "$",
            "`",
            "case", "match", "count(", "not ", "or ", "5m", "=>", "<=>", "//", "/*", "\n", "é", "'", "<", "-",
        ]
        for _ in 0..<2000 {
            let text = (0..<Int.random(in: 1...20, using: &generator)).map { _ in
                pieces[Int.random(in: 0..<pieces.count, using: &generator)]
            }.joined()
            guard let tree = try? QueryParser.parse(text) else { continue }
            let printed = QueryPrinter.print(tree)
            let again = try? QueryParser.parse(printed)
            #expect(again?.pipeline == tree.pipeline, "seed \(seed): \(text) printed as \(printed)")
        }
    }
}
