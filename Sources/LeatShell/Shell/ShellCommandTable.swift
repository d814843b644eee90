internal import LeatCore

/// A `\`-command of the shell: help, completion and the session all read this table.
struct ShellCommand: Hashable, Sendable {
    enum Name: String, Hashable, Sendable, CaseIterable {
        case help, tail, repo, repos, range, format, limit, fields, export, file, set, unset, saved, save, keys, pager,
            server, status
        case history, clear, quit
    }

    /// What may stand behind the name.
    enum ArgumentKind: Hashable, Sendable {
        case nothing, text, query, repository, path, command
        case choice([String])
    }

    let name: Name
    let aliases: [String]
    let argument: ArgumentKind
    /// The argument as help shows it.
    let synopsis: String
    let summary: String

    init(_ name: Name, aliases: [String] = [], _ argument: ArgumentKind, _ synopsis: String, _ summary: String) {
        self.name = name
        self.aliases = aliases
        self.argument = argument
        self.synopsis = synopsis
        self.summary = summary
    }

    /// All commands, in the order of help.
    static let all: [ShellCommand] = [
        ShellCommand(.help, aliases: ["h", "?"], .command, "[NAME]", "commands, or a command or function in full"),
        ShellCommand(.tail, aliases: ["t"], .query, "[QUERY]", "events as they arrive; space pauses, q ends"),
        ShellCommand(.repo, aliases: ["r"], .repository, "[NAME]", "the repository that is asked"),
        ShellCommand(.repos, .nothing, "", "the repositories of the server"),
        ShellCommand(.range, .text, "[24h | START END]", "the interval of time that is asked"),
        ShellCommand(
            .format,
            aliases: ["f"],
            .choice(AnswerFormat.allCases.map(\.rawValue)),
            "[FORMAT]",
            "answers as \(AnswerFormat.allCases.map(\.rawValue).joined(separator: ", "))"
        ),
        ShellCommand(.limit, .text, "[N | all]", "how many rows are shown"),
        ShellCommand(.fields, .choice(["on", "off"]), "[on|off]", "whether events show all their fields"),
        ShellCommand(.export, aliases: ["e"], .path, "FILE [QUERY]", "all rows to a .json, .csv or text file"),
        ShellCommand(.file, .path, "[FILE…]", "ask local files; without a name the server again"),
        ShellCommand(.set, .text, "[NAME=VALUE]", "a value for ?NAME in queries"),
        ShellCommand(.unset, .text, "NAME", "forget a value"),
        ShellCommand(.saved, .text, "[NAME]", "the saved queries of the repository, or one of them"),
        ShellCommand(.save, .text, "NAME [QUERY]", "keep the query that was asked last, or this one"),
        ShellCommand(.keys, .choice(["emacs", "vi"]), "[emacs|vi]", "the keys of the prompt"),
        ShellCommand(.pager, .choice(["on", "off"]), "[on|off]", "whether long answers go through $PAGER"),
        ShellCommand(.server, .text, "[URL]", "the server that is asked"),
        ShellCommand(.status, .nothing, "", "how the server is"),
        ShellCommand(.history, .nothing, "", "the lines that were sent"),
        ShellCommand(.clear, .nothing, "", "an empty screen"),
        ShellCommand(.quit, aliases: ["q"], .nothing, "", "leave; Ctrl-D does too"),
    ]

    /// The command of that name or alias, without its `\`.
    static func find(_ name: String) -> ShellCommand? {
        self.all.first { $0.name.rawValue == name || $0.aliases.contains(name) }
    }

    /// The command of a line that begins with `\`, and its argument.
    static func parse(_ line: String) throws(CommandError) -> (command: ShellCommand, argument: String) {
        let text = line.dropFirst()
        let name = text.prefix { !$0.isWhitespace }
        let argument = String(text.dropFirst(name.count)).trimmed
        guard let command = Self.find(String(name)) else {
            let nearest = NearestName.find(String(name), among: Self.all.map(\.name.rawValue))
            let hint = nearest.map { "did you mean '\\\($0)'?" } ?? "\\help lists them"
            throw CommandError(.usage, "unknown command '\\\(name)'; \(hint)")
        }
        return (command, argument)
    }

    /// The names for help: `\quit, \q`.
    var shownNames: String { ([self.name.rawValue] + self.aliases).map { "\\" + $0 }.joined(separator: ", ") }

    /// The names with what may stand behind them: `\limit [N | all]`.
    var usage: String { "\(self.shownNames) \(self.synopsis)".trimmedAtEnd }
}
