import LeatQuery
import Testing

@testable import LeatShell

/// `\help`.
@Suite struct ShellHelpTests {
    @Test(arguments: [20, 40, 80, 120])
    func everyLineFitsAndEveryWordStaysWhole(width: Int) {
        let help = ShellHelp(width: width)
        let names = [""] + ShellCommand.all.map(\.name.rawValue) + FunctionCatalogue.all.map(\.name)
        for name in names {
            let text = help.text(for: name)
            let lines = text.split(separator: "\n")
            #expect(lines.allSatisfy { DisplayWidth.of(String($0)) <= width }, "\(name):\n\(text)")
            // Narrower ones have to break some calls.
            guard width >= 80 else { continue }
            let known = Set(ShellHelp(width: 10_000).text(for: name).split { $0.isWhitespace })
            let unknown = text.split { $0.isWhitespace }.filter { !known.contains($0) && $0.count < width / 4 }
            #expect(unknown == [], "\(name):\n\(text)")
        }
    }

    @Test func theListOfCommandsHasTwoColumns() {
        let lines = ShellHelp(width: 80).text(for: "").split(separator: "\n")
        #expect(lines.contains { $0.hasPrefix("  \\limit [N | all] ") && $0.hasSuffix("  how many rows are shown") })
        #expect(lines.count <= 23, "help and prompt fit a screen")
    }

    @Test func aFunctionIsToldWithItsParameters() {
        let text = ShellHelp(width: 80).text(for: "head")
        #expect(text.hasPrefix("head("))
        #expect(text.contains("\n  limit  a number, by default 200"))
    }

    @Test func whatIsMisspeltIsAnsweredWithTheNearestName() {
        #expect(ShellHelp(width: 80).text(for: "groupby2").contains("did you mean 'groupBy'?"))
        #expect(ShellHelp(width: 80).text(for: "\\fromat").contains("did you mean 'format'?"))
    }

    @Test func wordsThatAreLongerThanALineAreBroken() {
        #expect(TextWrapping.lines("ab abcdefgh", width: 4) == ["ab", "abcd", "efgh"])
        #expect(TextWrapping.lines("one two three", width: 9, indent: 2) == ["one two", "  three"])
        #expect(TextWrapping.lines("", width: 9) == [])
    }
}
