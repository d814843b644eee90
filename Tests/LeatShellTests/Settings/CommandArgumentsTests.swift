import Testing

@testable import LeatShell

struct CommandArgumentsTests {
    private let commands = ["query": [], "tail": [], "token": ["list", "create"]]

    @Test(arguments: [
        (["--server", "u", "query", "*"], ["query", "--server", "u", "*"]),
        (["--server=u", "-r", "shop", "token", "list", "x"], ["token", "list", "--server=u", "-r", "shop", "x"]),
        (["--server", "u"], ["--server", "u"]),
        (["--server", "u", "nosuch"], ["--server", "u", "nosuch"]),
        (["query", "--server", "u", "*"], ["query", "--server", "u", "*"]),
        (["--server"], ["--server"]),
        ([], []),
    ])
    func optionsMayStandBeforeTheCommand(_ arguments: [String], _ expected: [String]) {
        #expect(CommandArguments.commandFirst(arguments, commands: self.commands) == expected)
    }

    @Test func anUnknownCommandIsNamedWithTheNearest() {
        #expect(
            CommandArguments.complaint(["qery", "*"], commands: self.commands)
                == "unknown command 'qery'; did you mean 'query'?"
        )
        #expect(
            CommandArguments.complaint(["level=error"], commands: self.commands)?.contains("leat query 'QUERY'") == true
        )
        #expect(CommandArguments.complaint(["tail"], commands: self.commands) == nil)
        #expect(CommandArguments.complaint(["--version"], commands: self.commands) == nil)
        #expect(CommandArguments.complaint([], commands: self.commands) == nil)
    }
}
