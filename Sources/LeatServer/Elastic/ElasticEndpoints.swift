internal import HTTPTypes
internal import LeatCore

/// What shippers ask an Elasticsearch before and beside their bulk requests; `elasticsearch-bulk.md` 1.8.
struct ElasticEndpoints: Sendable {
    /// The version that `GET /` reports; shippers refuse servers that are older than themselves.
    let version: String
    let definitions: ElasticDefinitions
    let indexes: IndexEndpoints
    let monitoring: MonitoringEndpoints
    let clusterID: String

    /// The answer to everything but ingest.
    func reply(to call: Call, _ route: ElasticRoute, _ asker: IndexAsker) async throws -> Reply {
        let isRead = call.method == .get || call.method == .head
        switch route {
        case .info: return try await self.allow(call, isRead) { self.info(call) }
        case .license: return try await self.allow(call, isRead) { Self.json(call, Self.license) }
        case .xpack: return try await self.allow(call, isRead) { Self.json(call, Self.xpack) }
        case .clusterHealth: return try await self.allow(call, isRead) { Self.json(call, self.health) }
        case .nodes: return try await self.allow(call, isRead) { Self.json(call, self.nodes(call)) }
        case .cat(let name, let index):
            return try await self.allow(call, isRead) { try await self.indexes.cat(call, name, index, asker) }
        case .definition(let kind, let name): return try self.definitions.reply(to: call, kind, name, asker)
        case .index(let name, let mayBePrefix):
            if mayBePrefix, isRead, try await !self.indexes.exists(name, asker) { return self.info(call) }
            return try await self.indexes.reply(to: call, index: name, asker)
        case .refresh:
            return Self.json(call, ["_shards": ["total": 1, "successful": 1, "failed": 0]])
        case .count(let index): return try await self.indexes.count(call, index, asker)
        case .search(let index): return try await self.indexes.search(call, index, asker)
        case .update:
            throw RequestFault.elastic(400, "illegal_argument_exception", "documents cannot be changed; send a new one")
        case .bulk, .document, .create:
            throw Self.methodNotAllowed(call, allowed: ["POST", "PUT"])
        case .unknown:
            throw Self.noHandler(call)
        }
    }

    static func noHandler(_ call: Call) -> RequestFault {
        .elastic(404, "resource_not_found_exception", "no handler found for uri [\(call.target.path)]")
    }

    /// Answers with JSON, as `filter_path` and `pretty` say.
    static func json(_ call: Call, status: Int = 200, _ value: JSONValue) -> Reply {
        var value = value
        if let filter = call.target["filter_path"].flatMap({ FilterPath($0) }) {
            value = filter.apply(to: value) ?? .object([])
        }
        let text = call.target.flag("pretty") ? Array(value.prettyText.utf8) : value.bytes
        return Reply(status, text, mediaType: Self.mediaType(for: call))
    }

    /// A refusal, with a `stack_trace` for clients that ask for one; where we failed is nobody else's business.
    static func reply(to call: Call, _ fault: RequestFault) -> Reply {
        var body = fault.elasticBody
        if call.target.flag("error_trace"), case .object(let members) = body {
            let trace = JSONValue.Member("stack_trace", .string("\(fault.type): \(fault.reason)"))
            let error = (body["error"]?.object ?? []) + [trace]
            body = .object(members.map { $0.key == "error" ? .init("error", .object(error)) : $0 })
        }
        var reply = Self.json(call, status: fault.status, body)
        reply.headers = fault.headers
        return reply
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

    private func allow(_ call: Call, _ isAllowed: Bool, _ reply: () async throws -> Reply) async throws -> Reply {
        guard isAllowed else { throw Self.methodNotAllowed(call, allowed: ["GET", "HEAD"]) }
        return try await reply()
    }

    private func info(_ call: Call) -> Reply {
        Self.json(
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

    private var health: JSONValue {
        [
            "cluster_name": "leat", "status": .string(Self.color(self.monitoring)), "timed_out": false,
            "number_of_nodes": 1, "number_of_data_nodes": 1, "active_primary_shards": 1, "active_shards": 1,
            "relocating_shards": 0, "initializing_shards": 0, "unassigned_shards": 0, "delayed_unassigned_shards": 0,
            "number_of_pending_tasks": 0, "number_of_in_flight_fetch": 0, "task_max_waiting_in_queue_millis": 0,
            "active_shards_percent_as_number": .number("100.0"),
        ]
    }

    /// Elasticsearch's word for how the server is: red while it refuses events.
    static func color(_ monitoring: MonitoringEndpoints) -> String { monitoring.fault == nil ? "green" : "red" }

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
}
