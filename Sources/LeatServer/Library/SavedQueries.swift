internal import LeatCore
internal import LeatQuery
internal import LeatStorage
internal import Synchronization

/// A query under a name.
struct SavedQuery: Hashable, Sendable {
    let id: String
    var name: String
    var queryString: String

    /// The query as it is kept and shown.
    var document: JSONValue {
        ["id": .string(self.id), "name": .string(self.name), "queryString": .string(self.queryString)]
    }

    init(id: String, name: String, queryString: String) {
        self.id = id
        self.name = name
        self.queryString = queryString
    }

    /// A query from its JSON form; `nil` when a part is missing.
    init?(_ document: JSONValue) {
        guard let id = document["id"]?.string, let name = document["name"]?.string,
            let text = document["queryString"]?.string
        else { return nil }
        self.init(id: id, name: name, queryString: text)
    }
}

/// The saved queries of all repositories, in the catalog and in memory; a change counts for the next query.
final class SavedQueries: Sendable {
    /// The kind of the catalog's documents; their names are `REPOSITORY/ID`.
    private static let kind = "saved-query"

    private let store: Store
    private let parsers: ParserStore
    private let queries: Mutex<[String: [SavedQuery]]>

    /// Reads the queries of the catalog; `$parser://NAME()` finds its script in `parsers`.
    ///
    /// - Throws: When the catalog cannot be read.
    init(_ store: Store, parsers: ParserStore) throws {
        self.store = store
        self.parsers = parsers
        var queries: [String: [SavedQuery]] = [:]
        for (name, bytes) in try store.documents(kind: Self.kind) {
            guard let slash = name.firstIndex(of: "/"), let query = SavedQuery(try JSONValue(bytes)) else { continue }
            queries[String(name[..<slash]), default: []].append(query)
        }
        self.queries = Mutex(queries)
    }

    /// The queries of a repository, by name.
    func list(_ repository: String) -> [SavedQuery] {
        self.queries.withLock { $0[repository] ?? [] }.sorted { $0.name < $1.name }
    }

    func query(named name: String, in repository: String) -> SavedQuery? {
        self.queries.withLock { $0[repository]?.first { $0.name == name } }
    }

    func query(id: String, in repository: String) -> SavedQuery? {
        self.queries.withLock { $0[repository]?.first { $0.id == id } }
    }

    /// Keeps a query, in place of the one with its id; blocks.
    ///
    /// - Throws: 400 for a bad name, 409 when another query has it, `QueryErrors` when the text does not parse.
    func set(_ query: SavedQuery, in repository: String) throws {
        if self.query(named: query.name, in: repository) == nil {
            try GivenName.check(query.name, of: "saved query")
        }
        _ = try QueryParser.parse(query.queryString)
        let (hasTwin, count) = self.queries.withLock { queries in
            let own = queries[repository] ?? []
            return (own.contains { $0.name == query.name && $0.id != query.id }, own.count)
        }
        if hasTwin {
            throw RequestFault.text(409, "name_taken", "there is a saved query '\(query.name)' already")
        }
        guard count < ServerLimits.savedQueryCountMax else {
            throw RequestFault.text(413, "too_many_queries", "there are too many saved queries; delete some")
        }
        try self.store.setDocument(query.document.bytes, kind: Self.kind, name: "\(repository)/\(query.id)")
        self.queries.withLock { queries in
            queries[repository, default: []].removeAll { $0.id == query.id }
            queries[repository, default: []].append(query)
        }
    }

    /// Forgets a query; blocks.
    func remove(_ query: SavedQuery, in repository: String) throws {
        try self.store.setDocument(nil, kind: Self.kind, name: "\(repository)/\(query.id)")
        self.queries.withLock { $0[repository]?.removeAll { $0.id == query.id } }
    }

    /// Forgets all queries of a repository; blocks.
    func removeAll(of repository: String) throws {
        for query in self.list(repository) { try self.remove(query, in: repository) }
    }

    /// The queries of a repository as other queries call them.
    func provider(_ repository: String) -> any SavedQueryProvider {
        Provider(queries: self, parsers: self.parsers, repository: repository)
    }

    private struct Provider: SavedQueryProvider {
        let queries: SavedQueries
        let parsers: ParserStore
        let repository: String

        /// `name`, `query://name`, or `parser://name`, which is the script of a parser.
        func savedQuery(_ name: String) -> String? {
            if name.hasPrefix("parser://") { return self.parsers.definition(String(name.dropFirst(9)))?.script }
            let name = name.hasPrefix("query://") ? String(name.dropFirst(8)) : name
            return self.queries.query(named: name, in: self.repository)?.queryString
        }
    }
}
