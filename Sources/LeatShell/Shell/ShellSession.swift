internal import Glibc
internal import LeatCore

/// The shell: reads lines, asks queries, obeys `\`-commands, until the user leaves.
public final class ShellSession {
    private let raw = RawTerminal()
    private let keys = KeyReader()
    private var state: ShellState
    private var terminal: Terminal
    private var history: LineHistory
    private let completer: ShellCompleter
    private let reader: PromptReader

    public init(settings: ShellSettings, terminal: Terminal) {
        let environment = Environment.current()
        self.state = ShellState(settings: settings)
        self.terminal = terminal
        self.history = LineHistory(path: LineHistory.path(environment: environment))
        self.completer = ShellCompleter(names: RepositoryNames(settings: settings))
        self.reader = PromptReader(raw: self.raw, keys: self.keys, terminal: terminal, completer: self.completer)
    }

    /// Whether this process has a terminal to run a shell on.
    public static var isPossible: Bool { RawTerminal.isThere }

    /// Runs until `\quit` or Ctrl-D.
    public func run() async throws -> ExitStatus {
        Interrupts.ignore()
        do throws(FileSystemError) {
            try self.history.load()
        } catch {
            Notes.warn("\(error); the history begins anew")
        }
        let greeting = "leat \(Version.number) on \(self.state.settings.server). \\help lists commands, Tab completes."
        self.say(TextWrapping.lines(greeting, width: self.terminal.width).joined(separator: "\n"))
        while true {
            let outcome = self.reader.readLine(
                prompt: self.state.prompt,
                history: self.history.lines,
                keyStyle: self.state.keyStyle
            )
            switch outcome {
            case .end: return .success
            case .abandoned: continue
            case .line(let line):
                if line.trimmed.isEmpty { continue }
                if let problem = self.history.add(line) { Notes.warn("the line is not kept: \(problem)") }
                guard await self.obey(line.trimmed) else { return .success }
            }
        }
    }

    /// Does what a line says; `false` to leave.
    private func obey(_ line: String) async -> Bool {
        self.updateSize()
        do {
            guard line.hasPrefix("\\") else {
                try await self.ask(line)
                return true
            }
            let (command, argument) = try ShellCommand.parse(line)
            return try await self.run(command, argument)
        } catch is OutputClosed {
            return true
        } catch is CancellationError {
            Notes.write("cancelled")
        } catch let error as CommandError {
            Notes.write(error.description)
        } catch {
            Notes.write("leat: unexpected error: \(error)")
        }
        return true
    }

    private func updateSize() {
        guard let size = Terminal.size(of: STDOUT_FILENO) else { return }
        self.terminal.width = size.width
        self.terminal.height = size.height
    }

    private func say(_ text: String) { RawTerminal.send(text + "\n") }

    // MARK: queries

    private func ask(_ text: String) async throws {
        // What can be known to be wrong is shown here, before anything is sent.
        try QueryCheck.check(text)
        self.state.lastQuery = text
        let command = self.state.command(text)
        let terminal = self.terminal
        _ = try await self.cancelling { try await command.run(terminal: terminal) }
    }

    /// Does work that Ctrl-C cancels; what is typed meanwhile waits for the prompt, unless Ctrl-C drops it too.
    private func cancelling<Success: Sendable>(
        _ work: @escaping @Sendable () async throws -> Success
    ) async throws -> Success {
        self.raw.mute()
        let gathering = RawTerminal.isUsable ? KeyGathering(self.keys) : nil
        defer { gathering?.stop() }
        do {
            return try await Interrupts.cancelling(work)
        } catch let error as CancellationError {
            self.keys.forget()
            throw error
        }
    }

    private func tail(_ text: String) async throws {
        try QueryCheck.check(text)
        guard RawTerminal.isUsable else {
            let command = TailCommand(text: text, settings: self.state.settings)
            let terminal = self.terminal
            _ = try await Interrupts.cancelling { try await command.run(terminal: terminal) }
            return
        }
        let view = TailView(text: text, settings: self.state.settings, terminal: self.terminal)
        view.showsFields = self.state.showsFields
        view.keyStyle = self.state.keyStyle
        try await view.run(raw: self.raw)
    }

    private func export(_ argument: String) async throws {
        let (path, text) = try self.splitQuery(argument, "\\export: name a file")
        let export = ExportCommand(query: self.state.command(text), path: path)
        let terminal = self.terminal
        let count = try await self.cancelling { try await export.run(terminal: terminal) }
        self.say("\(count) rows written to \(path)")
    }

    // MARK: commands

    private func run(_ command: ShellCommand, _ argument: String) async throws -> Bool {
        switch command.name {
        case .quit: return false
        case .help: self.say(ShellHelp(width: self.terminal.width).text(for: argument))
        case .tail: try await self.tail(argument)
        case .export: try await self.export(argument)
        case .repos: try await self.administer { try await AdministrationCommand(.repositories, .list).run(in: $0) }
        case .status: try await self.administer { try await StatusCommand.run(in: $0) }
        case .saved: try await self.saved(argument.isEmpty ? .list : .show(argument))
        case .save: try await self.save(argument)
        case .clear: RawTerminal.send("\u{1B}[H\u{1B}[2J")
        case .history: self.say(self.history.lines.suffix(self.terminal.height).joined(separator: "\n"))
        case .repo, .server, .file, .range:
            self.say(try self.state.change(command.name, argument))
            self.completer.names = self.state.names
        default: self.say(try self.state.change(command.name, argument))
        }
        return true
    }

    /// Runs a command that administers; Ctrl-C cancels it.
    private func administer(
        _ command: @escaping @Sendable (CommandContext) async throws -> ExitStatus
    ) async throws {
        let context = CommandContext(settings: self.state.settings, terminal: self.terminal)
        _ = try await self.cancelling { try await command(context) }
    }

    private func saved(_ action: LibraryCommand.Action) async throws {
        try await self.administer { try await LibraryCommand(.savedQuery, action).run(in: $0) }
    }

    private func save(_ argument: String) async throws {
        let (name, text) = try self.splitQuery(argument, "\\save: write a name")
        try await self.saved(.create(name, .text(text)))
    }

    /// The first word, and the query behind it or, without one, the one that was asked last.
    private func splitQuery(_ argument: String, _ usage: String) throws -> (word: String, query: String) {
        let word = String(argument.prefix { !$0.isWhitespace })
        guard !word.isEmpty else { throw CommandError(.usage, usage) }
        let rest = String(argument.dropFirst(word.count)).trimmed
        guard let text = rest.isEmpty ? self.state.lastQuery : rest else {
            throw CommandError(.usage, "no query was asked yet; write one behind '\(word)'")
        }
        try QueryCheck.check(text)
        return (word, text)
    }
}
