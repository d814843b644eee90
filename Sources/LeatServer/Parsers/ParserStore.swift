internal import LeatCore
internal import LeatQuery
internal import LeatStorage
internal import Synchronization

/// The parsers, compiled, in memory and in the catalog; a change counts for the next request.
final class ParserStore: Sendable {
    /// The kind of the catalog's documents.
    private static let kind = "parser"

    private struct Entry: Sendable {
        let definition: ParserDefinition
        let script: ParserScript
    }

    private let store: Store
    private let time: any TimeSource
    private let entries: Mutex<[String: Entry]>
    /// Parsers of the catalog that do not compile, with the reason.
    let broken: [String]

    /// Compiles the built-in parsers and those of the catalog.
    ///
    /// - Throws: When the catalog cannot be read.
    init(_ store: Store, time: any TimeSource) throws {
        self.store = store
        self.time = time
        var entries: [String: Entry] = [:]
        var broken: [String] = []
        var definitions = ParserDefinition.builtIn
        for (name, bytes) in try store.documents(kind: Self.kind).sorted(by: { $0.key < $1.key }) {
            if let definition = ParserDefinition(name: name, document: try JSONValue(bytes)) {
                definitions.append(definition)
            }
        }
        for definition in definitions {
            do throws(QueryErrors) {
                let script = try Self.compile(definition, now: time.now())
                entries[definition.name] = Entry(definition: definition, script: script)
            } catch {
                broken.append("parser '\(definition.name)': \(error.diagnostics[0].message)")
            }
        }
        self.entries = Mutex(entries)
        self.broken = broken
    }

    /// The script of that name.
    func script(_ name: String) -> ParserScript? { self.entries.withLock { $0[name]?.script } }

    /// The parser of that name.
    func definition(_ name: String) -> ParserDefinition? { self.entries.withLock { $0[name]?.definition } }

    /// The names of all parsers, sorted.
    var names: [String] { self.entries.withLock { $0.keys.sorted() } }

    /// Keeps a parser, in place of one of the same name; blocks.
    ///
    /// - Throws: `QueryErrors` when the script does not compile.
    func set(_ definition: ParserDefinition) throws {
        let script = try Self.compile(definition, now: self.time.now())
        try self.store.setDocument(definition.document.bytes, kind: Self.kind, name: definition.name)
        self.entries.withLock { $0[definition.name] = Entry(definition: definition, script: script) }
    }

    /// Forgets a parser; blocks.
    ///
    /// Of a changed built-in one the original is back at the next start.
    ///
    /// - Returns: Whether it existed.
    func remove(_ name: String) throws -> Bool {
        guard self.definition(name) != nil else { return false }
        try self.store.setDocument(nil, kind: Self.kind, name: name)
        self.entries.withLock { _ = $0.removeValue(forKey: name) }
        return true
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
