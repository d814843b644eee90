internal import LeatCore
internal import LeatQuery
internal import Synchronization

/// What a repository holds, for completion: asked for once, in the background, and kept for a while.
final class RepositoryNames: Sendable {
    /// How long an answer is used, and how long it is waited for unless a key ends that, in milliseconds.
    private static let keptMilliseconds: UInt64 = 60_000
    private static let waitMilliseconds = 20_000

    private struct Entry {
        var names: [String]
        var askedAt: UInt64
        var isComplete: Bool
        /// Whether the server did not say: the next key asks again.
        var hasFailed = false
    }

    private let settings: ShellSettings
    /// Files that are asked instead of the server.
    private let files: [String]
    /// The interval in which values are looked for, as it is asked for; `nil`: the last day.
    private let interval: (start: String?, end: String?)
    private let entries = Mutex<[String: Entry]>([:])
    private let arrival = ThreadSignal()

    init(settings: ShellSettings, files: [String] = [], start: String? = nil, end: String? = nil) {
        self.settings = settings
        self.files = files
        self.interval = (start, end)
    }

    /// The names of the repositories.
    func repositories(isWanted: () -> Bool) -> [String] {
        self.names("repositories", isWanted) { client in
            let reply = try await client.fetch(ServerRequest(.get, "/api/v1/repositories"))
            return Self.elements(of: reply, suffix: ".name")
        }
    }

    /// The names of the fields of the repository.
    func fields(isWanted: () -> Bool) -> [String] {
        let path = "/api/v1/repositories/\(ServerRequest.encoded(self.settings.repository))/fields"
        let files = self.files
        guard files.isEmpty else {
            return self.names("fields", isWanted) { _ in try FileSample(paths: files).fieldNames() }
        }
        return self.names("fields", isWanted) { client in
            let reply = try await client.fetch(ServerRequest(.get, path))
            return Self.elements(of: reply, suffix: "]")
        }
    }

    /// The most frequent values of a field in the interval.
    func values(of field: String, isWanted: () -> Bool) -> [String] {
        let repository = self.settings.repository
        let files = self.files
        let interval = self.interval
        guard files.isEmpty else {
            return self.names("values " + field, isWanted) { _ in try FileSample(paths: files).values(of: field) }
        }
        return self.names("values " + field, isWanted) { client in
            let name = QueryCompletion.quoted(field, always: true)
            let request = QueryRequest(
                repository: repository,
                text: "groupBy(\(name), limit=50)",
                start: interval.start.map { Moment.forServer($0) } ?? "24h",
                end: interval.end.map { Moment.forServer($0) } ?? "now"
            )
            let row = AnswerRow()
            var values: [String] = []
            try await client.query(request) { bytes in
                if row.read(bytes), let value = row.fields.first(where: { row.name(of: $0) == field }) {
                    values.append(row.value(of: value))
                }
                return values.count < 200
            } onEvent: { _ in
            } onPause: {
            }
            return values.filter { $0.count <= 60 && !$0.contains("\n") }
        }
    }

    /// The names below `key`; while they are asked for the first time, what is there when the wait is over.
    private func names(
        _ key: String,
        _ isWanted: () -> Bool,
        ask: @escaping @Sendable (ServerClient) async throws -> [String]
    ) -> [String] {
        let now = SystemTime().monotonicNanoseconds() / 1_000_000
        let known = self.entries.withLock { $0[key] }
        if let known, now - known.askedAt < Self.keptMilliseconds, known.isComplete, !known.hasFailed {
            return known.names
        }
        if known == nil || known?.isComplete == true {
            self.entries.withLock { $0[key] = Entry(names: known?.names ?? [], askedAt: now, isComplete: false) }
            self.start(key, ask)
        }
        var waited = 0
        while waited < Self.waitMilliseconds, isWanted() {
            if let entry = self.entries.withLock({ $0[key] }), entry.isComplete { return entry.names }
            self.arrival.wait(milliseconds: 20)
            waited += 20
        }
        return self.entries.withLock { $0[key]?.names ?? [] }
    }

    /// Asks in the background; a failure only means that nothing is offered.
    private func start(_ key: String, _ ask: @escaping @Sendable (ServerClient) async throws -> [String]) {
        let client = self.settings.client
        Task {
            var names: [String]?
            do {
                names = try await ask(client)
            } catch {
                names = nil
            }
            self.entries.withLock { entries in
                entries[key]?.isComplete = true
                entries[key]?.hasFailed = names == nil
                if let names { entries[key]?.names = names }
            }
            self.arrival.post()
        }
    }

    private static func elements(of reply: ServerReply, suffix: String) -> [String] {
        guard reply.status == 200 else { return [] }
        let row = AnswerRow()
        // A list is read as the member of an object, which is what the row reader takes.
        let object = Array("{\"list\":".utf8) + reply.body + Array("}".utf8)
        guard object.withUnsafeBytes({ row.read($0) }) else { return [] }
        return row.fields.filter { row.name(of: $0).hasSuffix(suffix) }.map { row.value(of: $0) }
    }
}

/// Completes queries and `\`-commands of the shell.
final class ShellCompleter: Completer {
    var names: RepositoryNames

    init(names: RepositoryNames) { self.names = names }

    func complete(_ text: String, isWanted: () -> Bool) -> Completion? {
        if text.hasPrefix("\\") { return self.completeCommand(text, isWanted) }
        return self.completeQuery(text, isWanted)
    }

    private func completeQuery(_ text: String, _ isWanted: () -> Bool) -> Completion? {
        QueryCompletion.choices(
            at: QueryCompletion.place(text),
            fields: { self.names.fields(isWanted: isWanted) },
            values: { self.names.values(of: $0, isWanted: isWanted) }
        )
    }

    private func completeCommand(_ text: String, _ isWanted: () -> Bool) -> Completion? {
        guard let space = text.firstIndex(of: " ") else {
            let prefix = String(text.dropFirst())
            let choices = ShellCommand.all.filter { $0.name.rawValue.hasPrefix(prefix) }.map { command in
                Choice(
                    text: "\\" + command.name.rawValue,
                    suffix: command.argument == .nothing ? "" : " ",
                    note: command.summary
                )
            }
            return Completion(replacedCount: text.count, choices: choices)
        }
        let name = String(text[text.index(after: text.startIndex)..<space])
        let rest = String(text[text.index(after: space)...])
        guard let command = ShellCommand.find(name) else { return nil }
        switch command.argument {
        case .nothing, .text: return nil
        case .query: return self.completeQuery(rest, isWanted)
        case .repository: return Self.completion(rest, self.names.repositories(isWanted: isWanted))
        case .choice(let words): return Self.completion(rest, words)
        case .command:
            return Self.completion(rest, ShellCommand.all.map(\.name.rawValue) + FunctionCatalogue.all.map(\.name))
        case .path: return Self.completion(rest, PathCompletion.paths(beginningWith: rest.lastWord))
        }
    }

    private static func completion(_ text: String, _ words: [String]) -> Completion {
        let prefix = text.lastWord
        return Completion(
            replacedCount: prefix.count,
            choices: words.filter { $0.hasPrefix(prefix) }.map { Choice(text: $0) }
        )
    }
}

extension String {
    /// What stands behind the last space.
    fileprivate var lastWord: String {
        guard let space = self.lastIndex(of: " ") else { return self }
        return String(self[self.index(after: space)...])
    }
}

/// Names of files, for completion.
enum PathCompletion {
    /// The paths that begin so, folders with a slash at the end.
    static func paths(beginningWith prefix: String) -> [String] {
        let slash = prefix.lastIndex(of: "/")
        let folder = slash.map { String(prefix[...$0]) } ?? ""
        let files = PosixFileSystem()
        do throws(FileSystemError) {
            var result: [String] = []
            for name in try files.list(folder.isEmpty ? "." : folder) where (folder + name).hasPrefix(prefix) {
                let isFolder = try files.status(folder + name)?.kind == .directory
                result.append(folder + name + (isFolder ? "/" : ""))
            }
            return result
        } catch {
            // A folder that cannot be read offers nothing.
            return []
        }
    }
}
