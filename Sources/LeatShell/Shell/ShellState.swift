internal import LeatCore
internal import LeatQuery

/// What the shell's commands change and its queries use.
struct ShellState: Sendable {
    var settings: ShellSettings
    var start: String?
    var end: String?
    var format = AnswerFormat.auto
    var limit: Int?
    var showsFields = false
    var usesPager = true
    var files: [String] = []
    var arguments: [String: String] = [:]
    var keyStyle = LineEditor.KeyStyle.emacs
    var lastQuery: String?

    init(settings: ShellSettings) { self.settings = settings }

    /// What stands before the line.
    var prompt: String {
        self.files.isEmpty
            ? "\(self.settings.repository)> "
            : "\(self.files.count == 1 ? self.files[0] : "\(self.files.count) files")> "
    }

    /// A query with all settings.
    func command(_ text: String) -> QueryCommand {
        var command = QueryCommand(text: text, settings: self.settings)
        command.start = self.start
        command.end = self.end
        command.format = self.format
        command.limit = self.limit
        command.showsFields = self.showsFields
        command.usesPager = self.usesPager
        command.files = self.files
        command.arguments = self.arguments
        command.tellsCost = true
        return command
    }

    /// What completion offers: the names and values that are there to be asked for.
    var names: RepositoryNames {
        RepositoryNames(settings: self.settings, files: self.files, start: self.start, end: self.end)
    }

    /// Changes a setting, or leaves it when there is no argument; returns what it is now, in words.
    mutating func change(_ name: ShellCommand.Name, _ argument: String) throws(CommandError) -> String {
        let words = argument.split(separator: " ").map(String.init)
        switch name {
        case .repo: return try self.changeServer(repository: words.first)
        case .server: return try self.changeServer(address: words.first)
        case .range: return try self.changeRange(words)
        case .format:
            if let word = words.first { self.format = try Self.choice(word, AnswerFormat.self, "\\format") }
            return "answers are written as \(self.format.rawValue)"
        case .limit: return try self.changeLimit(words.first)
        case .fields:
            if let word = words.first { self.showsFields = try Self.flag(word, "\\fields") }
            return "events show \(self.showsFields ? "all their fields" : "time, source and text")"
        case .pager:
            if let word = words.first { self.usesPager = try Self.flag(word, "\\pager") }
            return "the pager is \(self.usesPager ? "on" : "off")"
        case .keys:
            if let word = words.first { self.keyStyle = try Self.choice(word, LineEditor.KeyStyle.self, "\\keys") }
            return "the keys are those of \(self.keyStyle.rawValue)"
        case .file:
            self.files = words
            return words.isEmpty ? "asking the server" : "asking \(words.joined(separator: ", "))"
        case .set: return try self.set(argument)
        case .unset:
            self.arguments[argument] = nil
            return self.shownArguments
        default: throw CommandError(.ourBug, "\\\(name.rawValue) changes nothing")
        }
    }

    private mutating func changeServer(address: String? = nil, repository: String? = nil) throws(CommandError) -> String
    {
        if address != nil || repository != nil {
            let token = self.settings.token
            self.settings = try ShellSettings.resolve(
                flags: ShellSettings.Flags(
                    server: address ?? self.settings.server.description,
                    repository: repository ?? self.settings.repository,
                    authorityPath: self.settings.authorityPath
                ),
                environment: [:],
                file: ConfigFile(path: "")
            )
            // A token is for one server: it does not go to another.
            self.settings.token = address == nil ? token : nil
        }
        return "repository \(self.settings.repository) on \(self.settings.server)"
    }

    private mutating func changeRange(_ words: [String]) throws(CommandError) -> String {
        let now = SystemTime().now()
        for (index, word) in words.enumerated() where Moment.read(word, now: now) == nil {
            // Everything, as the server too calls it.
            if index == 0, word == "all" { continue }
            throw CommandError(
                .usage,
                "\\range: '\(word)' is no time; write 24h, all, 2026-11-20T12:00:00Z or epoch milliseconds"
            )
        }
        if let first = words.first {
            self.start = first
            self.end = words.count > 1 ? words[1] : nil
        }
        return "asking for \(self.start ?? "the last 24h") to \(self.end ?? "now")"
    }

    private mutating func changeLimit(_ word: String?) throws(CommandError) -> String {
        if let word {
            if word == "all" {
                self.limit = .max
            } else if let number = Int(word), number >= 0 {
                self.limit = number
            } else {
                throw CommandError(.usage, "\\limit: '\(word)' is no number of rows; write one, or all")
            }
        }
        let limit = self.limit ?? QueryCommand.terminalRowCount
        return limit == .max ? "all rows are shown" : "the first \(limit) rows are shown"
    }

    private mutating func set(_ argument: String) throws(CommandError) -> String {
        if !argument.isEmpty {
            self.arguments.merge(try QueryCommand.arguments([argument])) { $1 }
        }
        return self.shownArguments
    }

    private var shownArguments: String {
        if self.arguments.isEmpty { return "no values are set" }
        return self.arguments.sorted { $0.key < $1.key }.map { "?\($0.key) = \($0.value)" }.joined(separator: "\n")
    }

    private static func flag(_ word: String, _ command: String) throws(CommandError) -> Bool {
        switch word {
        case "on": return true
        case "off": return false
        default: throw CommandError(.usage, "\(command): '\(word)' is neither on nor off")
        }
    }

    private static func choice<Value: RawRepresentable & CaseIterable>(
        _ word: String,
        _ type: Value.Type,
        _ command: String
    ) throws(CommandError) -> Value where Value.RawValue == String {
        if let value = Value(rawValue: word) { return value }
        let words = Value.allCases.map(\.rawValue).joined(separator: ", ")
        throw CommandError(.usage, "\(command): '\(word)' is none of \(words)")
    }
}
