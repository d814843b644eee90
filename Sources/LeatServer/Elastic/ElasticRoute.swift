/// Which of Elasticsearch's endpoints a path names; `elasticsearch-bulk.md` 1.1 and 1.8.
enum ElasticRoute: Hashable, Sendable {
    /// `/`
    case info
    /// `/_bulk`, `/INDEX/_bulk`, `/INDEX/_doc/_bulk`
    case bulk(index: String?)
    /// `/INDEX/_doc`, `/INDEX/_doc/ID`
    case document(index: String, id: String?)
    /// `/INDEX/_create/ID`
    case create(index: String, id: String)
    /// `/INDEX/_update/ID`
    case update(index: String)
    case license
    case xpack
    case clusterHealth
    case nodes
    /// `/_cat/NAME`, `/_cat/NAME/INDEX`
    case cat(String, index: String?)
    /// A named thing that is acknowledged and remembered: templates, policies, pipelines, data streams.
    case definition(kind: String, name: String?)
    /// `/INDEX`; with a slash at its end it may also be the prefix that a shipper was given, asked for `/`.
    case index(String, mayBePrefix: Bool)
    /// `/INDEX/_refresh`, `/_refresh`, `_flush`, `_forcemerge`
    case refresh
    case count(index: String?)
    case search(index: String?)
    case unknown

    private static let definitions: Set<String> = [
        "_template", "_index_template", "_component_template", "_data_stream", "_alias",
    ]

    /// Decides by the first part that begins with an underscore; what is before it is a prefix, then the index.
    static func of(_ path: [String], hasTrailingSlash: Bool) -> ElasticRoute {
        guard let at = path.firstIndex(where: { $0.hasPrefix("_") }) else {
            if path.isEmpty || (hasTrailingSlash && path.count > 1) { return .info }
            return path.count == 1 ? .index(path[0], mayBePrefix: hasTrailingSlash) : .unknown
        }
        let index = at > 0 ? path[at - 1] : nil
        let rest = Array(path[(at + 1)...])
        switch (path[at], rest.count) {
        case ("_bulk", 0): return .bulk(index: index)
        case ("_doc", 1) where rest[0] == "_bulk": return .bulk(index: index)
        case ("_doc", 0): return index.map { .document(index: $0, id: nil) } ?? .unknown
        case ("_doc", 1): return index.map { .document(index: $0, id: rest[0]) } ?? .unknown
        case ("_create", 1): return index.map { .create(index: $0, id: rest[0]) } ?? .unknown
        case ("_update", 1): return index.map { .update(index: $0) } ?? .unknown
        case ("_count", 0): return .count(index: index)
        case ("_search", 0): return .search(index: index)
        case ("_refresh", 0), ("_flush", 0), ("_forcemerge", 0): return .refresh
        case ("_mapping", 0), ("_settings", 0):
            return index.map { .definition(kind: path[at], name: $0) } ?? .unknown
        default: return Self.cluster(path[at], rest)
        }
    }

    private static func cluster(_ name: String, _ rest: [String]) -> ElasticRoute {
        switch (name, rest.count) {
        case ("_license", 0): return .license
        case ("_xpack", 0): return .xpack
        case ("_cluster", 1...) where rest[0] == "health": return .clusterHealth
        case ("_nodes", _): return .nodes
        case ("_cat", 1...2): return .cat(rest[0], index: rest.count > 1 ? rest[1] : nil)
        case ("_ilm", 1...2) where rest[0] == "policy":
            return .definition(kind: "_ilm/policy", name: rest.count > 1 ? rest[1] : nil)
        case ("_ingest", 1...2) where rest[0] == "pipeline":
            return .definition(kind: "_ingest/pipeline", name: rest.count > 1 ? rest[1] : nil)
        case (_, 0...1) where Self.definitions.contains(name):
            return .definition(kind: name, name: rest.first)
        default: return .unknown
        }
    }
}
