internal import HTTPTypes
internal import LeatCore
internal import LeatStorage
internal import Synchronization

/// What shippers ask an Elasticsearch before and beside their bulk requests; `elasticsearch-bulk.md` 1.8.
struct ElasticEndpoints: Sendable {
    /// The version that `GET /` reports; shippers refuse servers that are older than themselves.
    let version: String
    let store: Store
    let definitions: ElasticDefinitions
    let clusterID: String

    /// The answer to everything but ingest.
    func reply(to call: Call, _ route: ElasticRoute, repository: String?) async throws -> Reply {
        let isRead = call.method == .get || call.method == .head
        switch route {
        case .info: return try self.allow(call, isRead) { self.info(call) }
        case .license: return try self.allow(call, isRead) { self.json(call, Self.license) }
        case .xpack: return try self.allow(call, isRead) { self.json(call, Self.xpack) }
        case .clusterHealth: return try self.allow(call, isRead) { self.json(call, Self.health) }
        case .nodes: return try self.allow(call, isRead) { self.json(call, self.nodes(call)) }
        case .cat(let name): return try self.allow(call, isRead) { self.cat(call, name) }
        case .definition(let kind, let name): return try self.definition(call, kind, name)
        case .index(let name): return try await self.index(call, name)
        case .refresh:
            return self.json(call, ["_shards": ["total": 1, "successful": 1, "failed": 0]])
        case .count: return self.json(call, self.count(repository))
        case .search: return try self.search(call, repository)
        case .update:
            throw RequestFault.elastic(400, "illegal_argument_exception", "documents cannot be changed; send a new one")
        case .bulk, .document, .create:
            throw Self.methodNotAllowed(call, allowed: ["POST", "PUT"])
        case .unknown:
            throw RequestFault.elastic(
                404,
                "resource_not_found_exception",
                "no handler found for uri [\(call.target.path)]"
            )
        }
    }

    /// Answers with JSON, as `filter_path` and `pretty` say.
    func json(_ call: Call, status: Int = 200, _ value: JSONValue) -> Reply {
        var value = value
        if let filter = call.target["filter_path"].flatMap({ FilterPath($0) }) {
            value = filter.apply(to: value) ?? .object([])
        }
        let text = call.target.flag("pretty") ? Array(value.prettyText.utf8) : value.bytes
        return Reply(status, text, mediaType: Self.mediaType(for: call))
    }

    /// JSON, or the vendor's type if the client asks for it.
    static func mediaType(for call: Call) -> String {
        guard let accept = call.header("accept")?.lowercased(),
            let start = accept.firstRange(of: "application/vnd.elasticsearch+json")
        else { return "application/json" }
        let parameters = accept[start.upperBound...].prefix { $0 != "," }
        guard let version = parameters.firstRange(of: "compatible-with=") else {
            return "application/vnd.elasticsearch+json"
        }
        let digits = parameters[version.upperBound...].prefix(while: \.isNumber)
        return "application/vnd.elasticsearch+json;compatible-with=\(digits)"
    }

    static func methodNotAllowed(_ call: Call, allowed: [String]) -> RequestFault {
        var fault = RequestFault.elastic(
            405,
            "method_not_allowed_exception",
            "incorrect HTTP method for uri [\(call.target.path)] and method [\(call.method.rawValue)], allowed: \(allowed)"
        )
        fault.headers = [.init(name: "Allow", value: allowed.joined(separator: ", "))]
        return fault
    }

    private func allow(_ call: Call, _ isAllowed: Bool, _ reply: () -> Reply) throws(RequestFault) -> Reply {
        guard isAllowed else { throw Self.methodNotAllowed(call, allowed: ["GET", "HEAD"]) }
        return reply()
    }

    private func info(_ call: Call) -> Reply {
        self.json(
            call,
            [
                "name": "leat", "cluster_name": "leat", "cluster_uuid": .string(self.clusterID),
                "version": [
                    "number": .string(self.version), "build_flavor": "default", "build_type": "docker",
                    "build_hash": "0000000000000000000000000000000000000000", "build_date": "2026-01-01T00:00:00.000Z",
                    "build_snapshot": false, "lucene_version": "9.12.0",
                    "minimum_wire_compatibility_version": "7.17.0", "minimum_index_compatibility_version": "7.0.0",
                ],
                "tagline": "You Know, for Search",
            ]
        )
    }

    private static let license: JSONValue = [
        "license": [
            "status": "active", "uid": "00000000-0000-0000-0000-000000000000", "type": "basic", "mode": "basic",
            "issue_date": "2026-01-01T00:00:00.000Z", "issue_date_in_millis": 1_767_225_600_000, "max_nodes": 1_000,
            "issued_to": "leat", "issuer": "leat", "start_date_in_millis": -1,
        ]
    ]

    private static let xpack: JSONValue = [
        "build": ["hash": "0000000", "date": "2026-01-01T00:00:00.000Z"],
        "license": [
            "uid": "00000000-0000-0000-0000-000000000000", "type": "basic", "mode": "basic", "status": "active",
        ],
        "features": [
            "ilm": ["available": false, "enabled": false], "security": ["available": false, "enabled": false],
            "monitoring": ["available": false, "enabled": false],
        ],
        "tagline": "You know, for X",
    ]

    private static let health: JSONValue = [
        "cluster_name": "leat", "status": "green", "timed_out": false, "number_of_nodes": 1, "number_of_data_nodes": 1,
        "active_primary_shards": 1, "active_shards": 1, "relocating_shards": 0, "initializing_shards": 0,
        "unassigned_shards": 0, "delayed_unassigned_shards": 0, "number_of_pending_tasks": 0,
        "number_of_in_flight_fetch": 0, "task_max_waiting_in_queue_millis": 0,
        "active_shards_percent_as_number": .number("100.0"),
    ]

    /// One node at the address by which the client came: sniffing clients move to what stands here.
    private func nodes(_ call: Call) -> JSONValue {
        guard let host = call.authority ?? call.header("host"), host.contains(":") else {
            return [
                "_nodes": ["total": 0, "successful": 0, "failed": 0], "cluster_name": "leat", "nodes": .object([]),
            ]
        }
        return [
            "_nodes": ["total": 1, "successful": 1, "failed": 0], "cluster_name": "leat",
            "nodes": [
                "leat": [
                    "name": "leat", "transport_address": .string(host), "host": .string(host), "ip": "127.0.0.1",
                    "version": .string(self.version), "build_flavor": "default", "build_type": "docker",
                    "roles": ["data", "ingest", "master"],
                    "http": [
                        "bound_address": [.string(host)], "publish_address": .string(host),
                        "max_content_length_in_bytes": 104_857_600,
                    ],
                ]
            ],
        ]
    }

    private func cat(_ call: Call, _ name: String) -> Reply {
        let rows: [[JSONValue.Member]]
        switch name {
        case "health":
            rows = [[.init("cluster", "leat"), .init("status", "green"), .init("node.total", "1")]]
        case "indices", "count":
            rows = self.store.status().repositories.map { status in
                let row: [JSONValue.Member] = [
                    .init("health", "green"), .init("status", "open"), .init("index", .string(status.repository.name)),
                    .init("docs.count", .string(String(status.rowCount))),
                    .init("store.size", .string("\(status.byteCount)b")),
                ]
                return name == "count" ? [row[2], JSONValue.Member("count", row[3].value)] : row
            }
        default: rows = []
        }
        if call.target["format"] == "json" || call.accepts(["application/json"]) != nil {
            return self.json(call, .array(rows.map { .object($0) }))
        }
        let lines = rows.map { row in row.map { $0.value.string ?? "" }.joined(separator: " ") + "\n" }
        return Reply(200, text: lines.joined())
    }

    private func definition(_ call: Call, _ kind: String, _ name: String?) throws -> Reply {
        switch call.method {
        case .put, .post:
            self.definitions.add(kind, name ?? "")
            return self.json(call, ["acknowledged": true])
        case .delete:
            guard self.definitions.remove(kind, name ?? "") else { throw Self.missing(kind, name) }
            return self.json(call, ["acknowledged": true])
        case .get, .head:
            guard let name else { return self.json(call, Self.list(kind, self.definitions.names(kind))) }
            guard self.definitions.contains(kind, name) else { throw Self.missing(kind, name) }
            return self.json(call, Self.list(kind, [name]))
        default: throw Self.methodNotAllowed(call, allowed: ["GET", "HEAD", "PUT", "POST", "DELETE"])
        }
    }

    private static func missing(_ kind: String, _ name: String?) -> RequestFault {
        .elastic(404, "resource_not_found_exception", "\(kind.drop { $0 == "_" }) matching [\(name ?? "")] not found")
    }

    private static func list(_ kind: String, _ names: [String]) -> JSONValue {
        switch kind {
        case "_data_stream":
            return [
                "data_streams": .array(
                    names.map { ["name": .string($0), "timestamp_field": ["name": "@timestamp"], "status": "GREEN"] }
                )
            ]
        case "_index_template":
            return ["index_templates": .array(names.map { ["name": .string($0), "index_template": .object([])] })]
        case "_component_template":
            return [
                "component_templates": .array(names.map { ["name": .string($0), "component_template": .object([])] })
            ]
        default:
            return .object(names.map { .init($0, .object([])) })
        }
    }

    private func index(_ call: Call, _ name: String) async throws -> Reply {
        let missing = RequestFault.elastic(404, "index_not_found_exception", "no such index [\(name)]")
        switch call.method {
        case .put:
            guard self.definitions.add("index", name) else {
                throw RequestFault.elastic(400, "resource_already_exists_exception", "index [\(name)] already exists")
            }
            return self.json(call, ["acknowledged": true, "shards_acknowledged": true, "index": .string(name)])
        case .get, .head:
            guard self.definitions.contains("index", name) else { throw missing }
            return self.json(
                call,
                .object([.init(name, ["aliases": .object([]), "mappings": .object([]), "settings": .object([])])])
            )
        case .delete:
            guard self.definitions.remove("index", name) else { throw missing }
            return self.json(call, ["acknowledged": true])
        default: throw Self.methodNotAllowed(call, allowed: ["GET", "HEAD", "PUT", "DELETE"])
        }
    }

    private func rowCount(_ repository: String?) -> Int {
        self.store.status().repositories
            .filter { repository == nil || $0.repository.name == repository }
            .reduce(0) { $0 + $1.rowCount }
    }

    private func count(_ repository: String?) -> JSONValue {
        [
            "count": JSONValue(self.rowCount(repository)),
            "_shards": ["total": 1, "successful": 1, "skipped": 0, "failed": 0],
        ]
    }

    private func search(_ call: Call, _ repository: String?) throws(RequestFault) -> Reply {
        guard call.target["size"] == "0" else {
            throw RequestFault.elastic(
                400,
                "illegal_argument_exception",
                "only size=0 is answered here; query with POST /api/v1/repositories/NAME/query"
            )
        }
        let total: JSONValue = ["value": JSONValue(self.rowCount(repository)), "relation": "eq"]
        return self.json(
            call,
            [
                "took": 0, "timed_out": false,
                "_shards": ["total": 1, "successful": 1, "skipped": 0, "failed": 0],
                "hits": ["total": total, "max_score": .null, "hits": .array([])],
            ]
        )
    }
}

/// Templates, policies, pipelines, data streams and indexes that shippers define: acknowledged and known by name, since
/// shippers send them (up to 400 KB) again and again to a server that does not know them.
final class ElasticDefinitions: Sendable {
    private struct State {
        var names: Set<[String]> = []
        var order: [[String]] = []
    }

    private let state = Mutex(State())

    /// Remembers a definition; answers whether it is new.
    @discardableResult
    func add(_ kind: String, _ name: String) -> Bool {
        self.state.withLock { state in
            guard state.names.insert([kind, name]).inserted else { return false }
            state.order.append([kind, name])
            if state.order.count > ServerLimits.definitionCountMax { state.names.remove(state.order.removeFirst()) }
            return true
        }
    }

    /// Forgets a definition; answers whether it was known.
    func remove(_ kind: String, _ name: String) -> Bool {
        self.state.withLock { state in
            state.order.removeAll { $0 == [kind, name] }
            return state.names.remove([kind, name]) != nil
        }
    }

    func contains(_ kind: String, _ name: String) -> Bool {
        self.state.withLock { $0.names.contains([kind, name]) }
    }

    /// The names of a kind, oldest first.
    func names(_ kind: String) -> [String] {
        self.state.withLock { state in state.order.filter { $0[0] == kind }.map { $0[1] } }
    }
}
