import LeatCore
import LeatTesting
import Testing

@testable import LeatShell

/// Help, completion scripts and manual pages list the same commands and flags: those that the program takes.
@Suite(.enabled(if: Tmux.program != nil, "the program leat is missing")) struct CompletionScriptTests {
    struct Command: Sendable {
        var names: [String]
        var flags: [String]
    }

    static func run(_ arguments: [String]) throws -> String {
        try withTemporaryFolder { folder in
            let program = try RunningProgram(try #require(Tmux.program), arguments, folder: folder)
            #expect(try program.wait(within: .seconds(60)) == .exited(0), "\(arguments): \(program.errors)")
            return program.output
        }
    }

    /// All commands as the program describes itself.
    static func commands() throws -> [Command] {
        let json = try JSONValue(parsing: try Self.run(["--experimental-dump-help"]))
        return Self.commands(try #require(json["command"]), [])
    }

    private static func commands(_ command: JSONValue, _ prefix: [String]) -> [Command] {
        let names = prefix + [command["commandName"]?.string ?? ""]
        let arguments = (command["arguments"]?.array ?? []).filter { $0["shouldDisplay"]?.bool ?? true }
        let flags = arguments.flatMap { argument in
            (argument["names"]?.array ?? []).compactMap { name in
                name["kind"]?.string == "long" ? name["name"]?.string.map { "--" + $0 } : nil
            }
        }
        let below = (command["subcommands"]?.array ?? []).filter { $0["commandName"]?.string != "help" }
        return [Command(names: names, flags: flags)] + below.flatMap { Self.commands($0, names) }
    }

    @Test func everyFlagIsInHelpAndInTheManual() throws {
        let commands = try Self.commands()
        #expect(commands.count > 25)
        try withTemporaryFolder { folder in
            let program = try RunningProgram(
                try #require(Tmux.program),
                ["manual", "--folder", folder.path("man")],
                folder: folder
            )
            #expect(try program.wait(within: .seconds(60)) == .exited(0))
            for command in commands {
                let page = try PosixFileSystem().contents(folder.path("man/\(command.names.joined(separator: "-")).1"))
                    .text
                #expect(page.contains(".SH NAME\n\(command.names.joined(separator: "\\-")) \\- "))
                for flag in command.flags {
                    #expect(page.contains(flag.replacing("-", with: "\\-")), "\(command.names): \(flag) in the manual")
                }
            }
        }
        // A program per help page takes a while: the pages that people open.
        for command in commands where ["query", "tail", "ingest", "create"].contains(command.names.last) {
            let help = try Self.run(command.names.dropFirst() + ["--help"])
            for flag in command.flags { #expect(help.contains(flag), "\(command.names): \(flag) in --help") }
            let lines = help.split(separator: "\n", omittingEmptySubsequences: false).count - 1
            #expect(lines <= HelpScreen.lineCountMax, "\(command.names)\n\(help)")
            #expect(help.split(separator: "\n").allSatisfy { $0.count <= 80 }, "\(command.names)\n\(help)")
        }
    }

    @Test func theWholeHelpIsThereToo() throws {
        let all = try Self.run(["query", "--help-all"])
        for line in ["SERVER:", "OUTPUT:", "MORE OPTIONS:", "  --ca-file <path>        Certificates to trust"] {
            #expect(all.contains(line), "\(all)")
        }
        #expect(try Self.run(["query", "--help"]) == HelpScreen.short(all))
        #expect(try Self.run(["help", "query"]) == HelpScreen.short(all))
        // What fits is shown as it is.
        #expect(try Self.run(["status", "--help"]) == Self.run(["status", "--help-all"]))
    }

    @Test(arguments: ["bash", "zsh", "fish"])
    func everyCommandAndFlagIsCompleted(shell: String) throws {
        let script = try Self.run(["--generate-completion-script", shell])
        for command in try Self.commands() {
            #expect(script.contains(command.names.last ?? ""), "\(command.names) in \(shell)")
            for flag in command.flags {
                let word = shell == "fish" ? String(flag.dropFirst(2)) : flag
                #expect(script.contains(word), "\(command.names): \(flag) in \(shell)")
            }
        }
    }

    static let lines: [(line: String, choices: [String])] = [
        ("leat que", ["query"]), ("leat query --exi", ["--exit-status"]), ("leat query --format c", ["csv", "chart"]),
        ("leat repo cr", ["create"]), ("leat parser e", ["edit"]),
    ]

    @Test(arguments: lines)
    func bashCompletes(line: String, choices: [String]) throws {
        let script = try Self.run(["--generate-completion-script", "bash"])
        try withTemporaryFolder { folder in
            let path = try folder.write("leat.bash", script)
            let words = line.split(separator: " ").map(String.init)
            let last = words[words.count - 1]
            let before = words[words.count - 2]
            let test = """
                source \(path); COMP_WORDS=(\(line)); COMP_CWORD=\(words.count - 1); COMP_LINE='\(line)'
                COMP_POINT=\(line.count); COMPREPLY=(); _leat leat '\(last)' '\(before)'; printf '%s\\n' "${COMPREPLY[@]}"
                """
            let bash = try RunningProgram("/bin/bash", ["-c", test], folder: folder)
            #expect(try bash.wait(within: .seconds(60)) == .exited(0), "\(bash.errors)")
            let found = bash.output.split(separator: "\n").map { $0.filter { $0 != " " } }
            #expect(found == choices, "\(line)")
        }
    }
}
