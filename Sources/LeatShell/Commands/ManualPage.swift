internal import LeatCore

/// One manual page in roff's macros for them, made of the description of one command.
struct ManualPage {
    private let command: JSONValue
    /// The words of the command, such as `leat`, `query`.
    let names: [String]

    init(_ command: JSONValue, names: [String]) {
        self.command = command
        self.names = names
    }

    /// What the page is called.
    var name: String { self.names.joined(separator: "-") }

    /// The descriptions of the commands below this one.
    var below: [JSONValue] {
        (self.command["subcommands"]?.array ?? []).filter { $0["commandName"]?.string != "help" }
    }

    private var arguments: [JSONValue] {
        (self.command["arguments"]?.array ?? []).filter { $0["shouldDisplay"]?.bool ?? true }
    }

    var text: String {
        let abstract = self.command["abstract"]?.string ?? ""
        var page = ".TH \(Self.plain(self.name.uppercased())) 1 \"\(Version.date)\" \"leat \(Version.number)\"\n"
        page += ".SH NAME\n\(Self.plain(self.name)) \\- \(Self.plain(Self.withoutStop(abstract)))\n"
        page += ".SH SYNOPSIS\n" + self.synopsis
        let (description, examples) = self.discussion
        if !description.isEmpty { page += ".SH DESCRIPTION\n" + Self.plain(description) + "\n" }
        page += self.options
        page += self.commands
        if !examples.isEmpty { page += ".SH EXAMPLES\n.nf\n\(Self.plain(examples))\n.fi\n" }
        return page + (self.names.count == 1 ? Self.closing : ".SH SEE ALSO\n.BR leat (1)\n")
    }

    private var synopsis: String {
        var line = ".B \(Self.plain(self.names.joined(separator: " ")))\n"
        if !self.below.isEmpty { line += ".RI [ command ]\n" }
        line += ".RI [ options ]\n"
        for argument in self.arguments where argument["kind"]?.string == "positional" {
            let name = Self.plain(argument["valueName"]?.string ?? "")
            let dots = argument["isRepeating"]?.bool == true ? " ..." : ""
            line += argument["isOptional"]?.bool == true ? ".RI [ \(name) ]\(dots)\n" : ".I \(name)\(dots)\n"
        }
        return line
    }

    /// What the discussion says, and the examples that it begins with.
    private var discussion: (description: String, examples: String) {
        let lines = (self.command["discussion"]?.string ?? "").split(separator: "\n", omittingEmptySubsequences: false)
        guard lines.first == "EXAMPLES:" else { return (lines.joined(separator: "\n"), "") }
        let examples = lines.dropFirst().prefix { !$0.isEmpty }
        let rest = lines.dropFirst(examples.count + 2)
        return (rest.joined(separator: "\n"), examples.map { String($0).trimmedAtStart }.joined(separator: "\n"))
    }

    private var options: String {
        let options = self.arguments.filter { $0["kind"]?.string != "positional" }
        let positional = self.arguments.filter { $0["kind"]?.string == "positional" }
        guard !self.arguments.isEmpty else { return "" }
        return ".SH OPTIONS\n" + (positional + options).map(Self.option).joined()
    }

    private var commands: String {
        guard !self.below.isEmpty else { return "" }
        return ".SH COMMANDS\n"
            + self.below.map { child in
                let name = Self.plain((self.names + [child["commandName"]?.string ?? ""]).joined(separator: "-"))
                return ".TP\n.BR \(name) (1)\n\(Self.plain(child["abstract"]?.string ?? ""))\n"
            }.joined()
    }

    private static func option(_ argument: JSONValue) -> String {
        let names = (argument["names"]?.array ?? []).map { name in
            (name["kind"]?.string == "long" ? "--" : "-") + (name["name"]?.string ?? "")
        }
        let value = argument["kind"]?.string == "option" ? " <\(argument["valueName"]?.string ?? "value")>" : ""
        let shown = names.isEmpty ? argument["valueName"]?.string ?? "" : names.joined(separator: ", ") + value
        var about = Self.withoutStop(argument["abstract"]?.string ?? "")
        if !value.isEmpty, let text = argument["defaultValue"]?.string { about += " (default: \(text))" }
        return ".TP\n.B \(Self.plain(shown))\n\(Self.plain(about)).\n"
    }

    private static func withoutStop(_ text: String) -> String { text.hasSuffix(".") ? String(text.dropLast()) : text }

    /// What the first page says about all commands.
    private static var closing: String {
        func list(_ title: String, _ entries: [(name: String, about: String)]) -> String {
            ".SH \(title)\n"
                + entries.map { ".TP\n.B \(Self.plain($0.name))\n\(Self.plain(Self.sentence($0.about)))\n" }.joined()
        }
        let statuses = ExitStatus.allCases.map { (name: String($0.rawValue), about: $0.meaning) }
        return list("ENVIRONMENT", Self.variables) + list("FILES", Self.files) + list("EXIT STATUS", statuses)
    }

    private static func sentence(_ text: String) -> String { text.prefix(1).uppercased() + text.dropFirst() + "." }

    /// The variables that are read.
    static let variables: [(name: String, about: String)] = [
        ("LEAT_SERVER", "the server, instead of http://127.0.0.1:9200"),
        ("LEAT_TOKEN", "the token that requests carry"),
        ("LEAT_REPO", "the repository, instead of 'default'"),
        ("LEAT_CA_FILE, SSL_CERT_FILE", "certificates of authorities to trust, instead of the system's"),
        ("LEAT_PAGER, PAGER", "what shows long answers, instead of 'less -FRX'; 'cat' for none"),
        ("VISUAL, EDITOR", "what edits parsers and lines, instead of 'vi'"),
        ("NO_COLOR", "if it is not empty, nothing is coloured"),
        ("TERM", "'dumb' is a terminal without cursor and colours"),
        ("LC_ALL, LC_CTYPE, LANG", "whether the terminal shows more than ASCII: a locale with UTF-8, or none"),
        ("TMPDIR", "where answers and inputs lie that are too large for memory"),
    ]

    /// The files that are read and written.
    static let files: [(name: String, about: String)] = [
        ("~/.config/leat/config.yaml", "'server', 'token', 'repo' and 'ca'; below XDG_CONFIG_HOME if that is set"),
        ("~/.local/state/leat/history", "the lines of the shell; below XDG_STATE_HOME if that is set"),
    ]

    /// Text in which nothing means anything to roff.
    private static func plain(_ text: String) -> String {
        text.replacing("\\", with: "\\e").replacing("-", with: "\\-")
            .split(separator: "\n", omittingEmptySubsequences: false)
            .map { $0.hasPrefix(".") || $0.hasPrefix("'") ? "\\&" + $0 : String($0) }
            .joined(separator: "\n")
    }
}
