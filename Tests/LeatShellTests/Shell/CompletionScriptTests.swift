import Foundation
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
        for command in commands {
            let help = try Self.run(command.names.dropFirst() + ["--help"])
            for flag in command.flags { #expect(help.contains(flag), "\(command.names): \(flag) in --help") }
            let lines = help.split(separator: "\n", omittingEmptySubsequences: false).count - 1
            #expect(lines <= HelpScreen.lineCountMax, "\(command.names)\n\(help)")
            #expect(help.split(separator: "\n").allSatisfy { $0.count <= 80 }, "\(command.names)\n\(help)")
        }
    }

    /// The first help that a newcomer sees, and the longest; `UPDATE_GOLDEN=1` writes them anew.
    @Test(arguments: ["leat", "leat-query"])
    func helpIsAsRecorded(page: String) throws {
        let help = try Self.run(page.split(separator: "-").dropFirst().map(String.init) + ["--help"])
        let folder = URL(filePath: #filePath).resolvingSymlinksInPath().deletingLastPathComponent()
        let path = folder.appending(path: "../Fixtures/help/\(page).golden").path
        if environment("UPDATE_GOLDEN") != nil { try help.write(toFile: path, atomically: true, encoding: .utf8) }
        #expect(try help == PosixFileSystem().contents(path).text, "UPDATE_GOLDEN=1 writes it anew")
    }

    /// Each command is named in the first help, if only among the others.
    @Test func theFirstHelpNamesEveryCommand() throws {
        let help = try Self.run(["--help"])
        for command in try Self.commands() where command.names.count == 2 {
            #expect(help.contains(command.names[1]), "\(command.names[1])")
            #expect(try Self.run(["--help-all"]).contains("\n  \(command.names[1]) "), "\(command.names[1])")
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
        #expect(try Self.run(["check", "--help"]) == Self.run(["check", "--help-all"]))
        let usage = try Self.run(["status", "--help-all"])
        #expect(usage.contains("USAGE: leat status [--server <url>]"))
        #expect(try Self.run(["status", "--help"]).contains("USAGE: leat status [<options>]\n"))
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

    static let fish = installed("fish")
    static let zsh = installed("zsh")

    private static func installed(_ shell: String) -> String? {
        ["/usr/bin/\(shell)", "/bin/\(shell)", "/usr/local/bin/\(shell)"].first {
            FileManager.default.isExecutableFile(atPath: $0)
        }
    }

    @Test(.enabled(if: CompletionScriptTests.fish != nil, "fish is missing"), arguments: lines)
    func fishCompletes(line: String, choices: [String]) throws {
        let fish = try #require(Self.fish)
        let script = try Self.run(["--generate-completion-script", "fish"])
        try withTemporaryFolder { folder in
            let path = try folder.write("leat.fish", script)
            let test = "source \(path); complete -C '\(line)'"
            let shell = try RunningProgram(fish, ["--no-config", "-c", test], folder: folder)
            #expect(try shell.wait(within: .seconds(60)) == .exited(0), "\(shell.errors)")
            let found = shell.output.split(separator: "\n").map { String($0.prefix { $0 != "\t" }) }
            #expect(Set(found) == Set(choices), "\(line)")
        }
    }

    /// zsh completes only for somebody who types.
    @Test(.enabled(if: CompletionScriptTests.zsh != nil && Tmux.isThere != nil, "zsh or tmux is missing"))
    func zshCompletes() throws {
        let zsh = try #require(Self.zsh)
        let script = try Self.run(["--generate-completion-script", "zsh"])
        try withTemporaryFolder { folder in
            _ = try folder.write("_leat", script)
            let tmux = try Tmux(width: 100, height: 30, server: "", folder: folder, command: "\(zsh) -f")
            try tmux.type("fpath=(\(folder.path) $fpath); autoload -Uz compinit; compinit -u -D; PS1='ready> '")
            try tmux.press("Enter")
            try tmux.waitFor("\nready>")
            for (line, choices) in Self.lines {
                try tmux.type(line)
                try tmux.press("Tab")
                // The second key lists several choices, or takes the option that the first has told about.
                if choices.count > 1 || line.contains(" --e") { try tmux.press("Tab") }
                let before = line.split(separator: " ").dropLast().joined(separator: " ")
                let list = choices.joined(separator: "    ")
                try tmux.waitFor(choices.count > 1 ? list : "\(before) \(choices[0])")
                // Not C-c: it ends a completion that still runs instead of the line.
                try tmux.press("C-u")
                try tmux.press("C-l")
            }
        }
    }
}
