internal import LeatCore
internal import LeatQuery
internal import LeatStorage
internal import Synchronization

/// The parsers, compiled, in memory and in the catalog; a change counts for the next request.
///
/// A change makes a new version; earlier ones can still be shown. Events are parsed once, before they reach the journal,
/// so that no later version changes what is stored, nor what a replay of the journal gives.
final class ParserStore: Sendable {
    /// The kind of the catalog's documents.
    private static let kind = "parser"
    /// That of earlier versions, which are named `NAME@VERSION`.
    private static let earlierKind = "parser-version"

    private struct Entry: Sendable {
        let definition: ParserDefinition
        let script: ParserScript
    }

    private let store: Store
    private let time: any TimeSource
    /// Those that every server has, as they are without changes.
    private let builtIn: [String: Entry]
    private let entries: Mutex<[String: Entry]>
    /// Earlier versions by name, in ascending order.
    private let earlier: Mutex<[String: [ParserDefinition]]>
    /// Parsers of the catalog that do not compile, with the reason.
    let broken: [String]

    /// Compiles the built-in parsers and those of the catalog.
    ///
    /// - Throws: When the catalog cannot be read.
    init(_ store: Store, time: any TimeSource) throws {
        self.store = store
        self.time = time
        var earlier: [String: [ParserDefinition]] = [:]
        for (key, bytes) in try store.documents(kind: Self.earlierKind) {
            let name = key.split(separator: "@", omittingEmptySubsequences: false).dropLast().joined(separator: "@")
            if let definition = ParserDefinition(name: name, document: try JSONValue(bytes)) {
                earlier[name, default: []].append(definition)
            }
        }
        self.earlier = Mutex(earlier.mapValues { $0.sorted { $0.version < $1.version } })
        var broken: [String] = []
        let builtIn = Self.entries(of: ParserDefinition.builtIn, now: time.now(), &broken)
        var definitions: [ParserDefinition] = []
        for (name, bytes) in try store.documents(kind: Self.kind).sorted(by: { $0.key < $1.key }) {
            if let definition = ParserDefinition(name: name, document: try JSONValue(bytes)) {
                definitions.append(definition)
            }
        }
        let own = Self.entries(of: definitions, now: time.now(), &broken)
        self.builtIn = builtIn
        self.entries = Mutex(builtIn.merging(own) { $1 })
        self.broken = broken
    }

    /// Compiles parsers; why some do not compile is added to `broken`.
    private static func entries(
        of definitions: [ParserDefinition],
        now: Timestamp,
        _ broken: inout [String]
    ) -> [String: Entry] {
        var entries: [String: Entry] = [:]
        for definition in definitions {
            do throws(QueryErrors) {
                let script = try Self.compile(definition, now: now)
                entries[definition.name] = Entry(definition: definition, script: script)
            } catch {
                broken.append("parser '\(definition.name)': \(error.diagnostics[0].message)")
            }
        }
        return entries
    }

    /// Whether every server has a parser of that name.
    func isBuiltIn(_ name: String) -> Bool { self.builtIn[name] != nil }

    /// The script of that name.
    func script(_ name: String) -> ParserScript? { self.entries.withLock { $0[name]?.script } }

    /// The parser of that name.
    func definition(_ name: String) -> ParserDefinition? { self.entries.withLock { $0[name]?.definition } }

    /// The names of all parsers, sorted.
    var names: [String] { self.entries.withLock { $0.keys.sorted() } }

    /// A version of a parser, the current one or one of the last `ServerLimits.parserVersionCountMax`.
    func definition(_ name: String, version: Int) -> ParserDefinition? {
        if let current = self.definition(name), current.version == version { return current }
        return self.earlier.withLock { $0[name]?.first { $0.version == version } }
    }

    /// The versions of a parser that can be shown, in ascending order.
    func versions(of name: String) -> [Int] {
        let current = self.definition(name)?.version
        let earlier = self.earlier.withLock { $0[name]?.map(\.version) ?? [] }
        return (earlier.filter { $0 != current } + (current.map { [$0] } ?? [])).sorted()
    }

    /// Keeps a parser, in place of one of the same name; blocks.
    ///
    /// - Throws: `QueryErrors` when the script does not compile.
    /// - Returns: What is kept, with its version: that of before when nothing but test cases has changed.
    func set(_ definition: ParserDefinition) throws -> ParserDefinition {
        let script = try Self.compile(definition, now: self.time.now())
        var definition = definition
        // One change at a time: the lock also orders what is written to the catalog.
        return try self.earlier.withLock { earlier in
            let current = self.definition(definition.name)
            if let current, current.parsesLike(definition) {
                definition.version = current.version
            } else {
                let last = max(current?.version ?? 0, earlier[definition.name]?.last?.version ?? 0)
                definition.version = last + 1
                if let current { try self.remember(current, in: &earlier) }
            }
            try self.store.setDocument(definition.document.bytes, kind: Self.kind, name: definition.name)
            self.entries.withLock { $0[definition.name] = Entry(definition: definition, script: script) }
            return definition
        }
    }

    /// Forgets a parser, but not its versions; blocks.
    ///
    /// Of a changed built-in one the original is back.
    ///
    /// - Returns: Whether it existed.
    /// - Throws: 403 for a built-in one that was not changed.
    func remove(_ name: String) throws -> Bool {
        try self.earlier.withLock { earlier in
            guard let current = self.definition(name) else { return false }
            let original = self.builtIn[name]
            if let original, original.definition.parsesLike(current) {
                let reason = "the parser '\(name)' is built in and cannot be deleted"
                throw RequestFault.text(403, "built_in_parser", reason)
            }
            try self.remember(current, in: &earlier)
            try self.store.setDocument(nil, kind: Self.kind, name: name)
            self.entries.withLock { $0[name] = original }
            return true
        }
    }

    /// Keeps a version that is no longer used, and forgets the oldest if there are too many.
    private func remember(_ definition: ParserDefinition, in earlier: inout [String: [ParserDefinition]]) throws {
        func key(_ version: Int) -> String { "\(definition.name)@\(version)" }
        try self.store.setDocument(
            definition.document.bytes,
            kind: Self.earlierKind,
            name: key(definition.version)
        )
        var versions = earlier[definition.name] ?? []
        versions.removeAll { $0.version == definition.version }
        versions.append(definition)
        while versions.count > ServerLimits.parserVersionCountMax {
            try self.store.setDocument(nil, kind: Self.earlierKind, name: key(versions.removeFirst().version))
        }
        earlier[definition.name] = versions
    }

    private static func compile(_ definition: ParserDefinition, now: Timestamp) throws(QueryErrors) -> ParserScript {
        try ParserScript(
            definition.script,
            tagFields: definition.tagFields,
            removedFields: definition.removedFields,
            options: QueryOptions(now: now)
        )
    }
}
