import Testing

@testable import LeatShell

@Suite struct QueryCompletionTests {
    static let places: [(text: String, place: QueryCompletion.Place)] = [
        ("", .step(prefix: "")),
        ("err", .step(prefix: "err")),
        ("a | gro", .step(prefix: "gro")),
        ("a | groupBy(", .argument(function: "groupBy", prefix: "")),
        ("a | groupBy(lev", .argument(function: "groupBy", prefix: "lev")),
        ("a | groupBy([x, lev", .argument(function: "groupBy", prefix: "lev")),
        ("groupBy(a, function=count()) | to", .step(prefix: "to")),
        ("level=", .value(field: "level", prefix: "")),
        ("level=er", .value(field: "level", prefix: "er")),
        ("level!=er", .value(field: "level", prefix: "er")),
        ("level=\"two w", .value(field: "level", prefix: "\"two w")),
        ("x := fo", .step(prefix: "fo")),
        ("case { lev", .step(prefix: "lev")),
        ("a // comment gro", .none),
        ("a=/rege", .none),
    ]

    @Test(arguments: places)
    func knowsThePlace(text: String, place: QueryCompletion.Place) {
        #expect(QueryCompletion.place(text) == place)
    }

    static func complete(_ text: String) -> [String] {
        QueryCompletion.choices(
            at: QueryCompletion.place(text),
            fields: { ["level", "host", "#repo"] },
            values: { $0 == "level" ? ["error", "info", "two words"] : [] }
        )?.choices.map(\.text) ?? []
    }

    @Test func offersFunctionsFieldsParametersAndValues() {
        #expect(Self.complete("a | groupB") == ["groupBy"])
        #expect(Self.complete("lev") == ["level"])
        #expect(Self.complete("a | timeChart(sp").first == "span=")
        #expect(Self.complete("level=e") == ["error"])
        #expect(Self.complete("level=t") == ["\"two words\""])
        #expect(Self.complete("#r") == ["#repo"])
    }

    @Test func partsOfANameAndItsLettersFindItWhenNothingBeginsSo() {
        let names = ["kubernetes.container_name", "kubernetes.pod_name", "level"].map { Choice(text: $0) }
        func found(_ text: String) -> [String] { QueryCompletion.matching(names, text).map(\.text) }
        #expect(found("kub") == ["kubernetes.container_name", "kubernetes.pod_name"])
        #expect(found("POD") == ["kubernetes.pod_name"])
        #expect(found("kcn") == ["kubernetes.container_name"])
        #expect(found("x") == [])
    }

    static let problems: [(text: String, lines: [String])] = [
        ("level=error", []), ("", []), ("\\format cvs", []), ("a | groupBy(", []), ("a |", []),
        ("a | cont()", ["      ^~~~", "unknown function 'cont'; did you mean 'count'?"]),
        ("\\tail cont()", ["        ^~~~", "unknown function 'cont'; did you mean 'count'?"]),
        ("日本 | cont()", ["         ^~~~", "unknown function 'cont'; did you mean 'count'?"]),
        ("a |\ncont()", ["unknown function 'cont'; did you mean 'count'?"]),
    ]

    @Test(arguments: problems)
    func mistakesArePointedAtBeforeTheLineIsSent(text: String, lines: [String]) {
        #expect(LineProblem.lines(text, indent: 2, terminal: Terminal(isTerminal: true)) == lines)
    }

    @Test func commonBeginningIsInserted() {
        let completion = Completion(replacedCount: 1, choices: [Choice(text: "timeChart"), Choice(text: "timeout")])
        #expect(completion.commonPrefix == "time")
    }
}
