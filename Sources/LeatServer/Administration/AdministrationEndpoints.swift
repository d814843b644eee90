internal import HTTPTypes
internal import LeatCore
internal import LeatStorage

/// Repositories and maintenance.
struct AdministrationEndpoints: Sendable {
    let store: Store
    let digester: Digester
    let library: LibraryEndpoints

    func reply(to call: Call, _ route: Route, credential: Credential) async throws -> Reply {
        switch route {
        case .repositories: return try await self.repositories(call, credential)
        case .repository(let name): return try await self.repository(call, name)
        case .fields(let name): return try await self.fields(call, name)
        case .compact: return try await self.compact(call)
        default: throw RequestFault.text(404, "not_found", "no such endpoint")
        }
    }

    private func repositories(_ call: Call, _ credential: Credential) async throws -> Reply {
        switch call.method {
        case .get, .head: return Reply(200, json: MonitoringEndpoints.value(self.store.status(), for: credential))
        case .post:
            let body = try await call.jsonBody()
            try MemberNames.check(body, ["name"] + Self.retentionMembers)
            guard let name = body["name"]?.string else {
                throw RequestFault.text(400, "bad_request", "the member name (a string) is missing")
            }
            return try await self.create(name, body)
        default: throw RequestFault.text(405, "method_not_allowed", "use GET or POST")
        }
    }

    private func repository(_ call: Call, _ name: String) async throws -> Reply {
        let store = self.store
        switch call.method {
        case .get, .head:
            guard let status = store.status().repositories.first(where: { $0.repository.name == name }) else {
                throw self.unknown(name)
            }
            return Reply(200, json: MonitoringEndpoints.value(status))
        case .put, .patch, .post:
            let body = try await call.jsonBody()
            try MemberNames.check(body, ["name"] + Self.retentionMembers)
            guard let known = store.repository(named: name) else { return try await self.create(name, body) }
            let retention = try Self.retention(body, changing: known.retention)
            try await Blocking.run { try store.setRetention(retention, of: name) }
            return Reply(200, json: ["name": .string(name)])
        case .delete:
            guard name != RepositoryNames.own else {
                throw RequestFault.text(
                    403,
                    "security_exception",
                    "'\(name)' holds the server's own log and audit events and cannot be deleted; its retention can be set"
                )
            }
            let (files, queries) = (self.library.files, self.library.queries)
            try await Blocking.run {
                try store.deleteRepository(name)
                try files.removeAll(of: name)
                try queries.removeAll(of: name)
            }
            self.digester.forget(name)
            return Reply(204)
        default: throw RequestFault.text(405, "method_not_allowed", "use GET, PUT or DELETE")
        }
    }

    private func unknown(_ name: String) -> StorageError {
        let names = self.store.repositories.map(\.name)
        return .unknownRepository(name: name, nearest: NearestName.find(name, among: names))
    }

    private func create(_ name: String, _ body: JSONValue) async throws -> Reply {
        let store = self.store
        let retention = try Self.retention(body, changing: .standard)
        try await Blocking.run { _ = try store.createRepository(name, retention: retention) }
        return Reply(201, json: ["name": .string(name)])
    }

    /// More days have no nanoseconds in 64 bits; nobody waits for them.
    private static let daysEnd: Int64 = 100_000

    private static let retentionMembers = ["retentionDays", "retentionSeconds", "retentionBytes"]

    /// A retention with what the members name changed.
    private static func retention(_ body: JSONValue, changing old: Retention) throws(RequestFault) -> Retention {
        var retention = old
        if let value = body["retentionDays"] {
            retention.ageSeconds = try Self.positive(value, "retentionDays", below: Self.daysEnd).map { $0 * 86_400 }
        }
        if let value = body["retentionSeconds"] {
            retention.ageSeconds = try Self.positive(value, "retentionSeconds", below: Self.daysEnd * 86_400)
        }
        if let value = body["retentionBytes"] {
            retention.byteCount = try Self.positive(value, "retentionBytes").map { UInt64($0) }
        }
        return retention
    }

    private static func positive(
        _ value: JSONValue,
        _ name: String,
        below end: Int64 = 1 << 50
    ) throws(RequestFault) -> Int64? {
        if value.isNull { return nil }
        guard let number = value.integer, number > 0, number < end else {
            throw .text(400, "bad_request", "'\(name)' must be a positive number below \(end), or null for no limit")
        }
        return number
    }

    /// The names of the fields of a repository's newest events, for completion.
    private func fields(_ call: Call, _ name: String) async throws -> Reply {
        let store = self.store
        guard store.repository(named: name) != nil else { throw self.unknown(name) }
        let names = try await Blocking.run { () throws -> [String] in
            var names: Set<String> = []
            for block in try store.snapshot(repository: name).blocks.prefix(8) {
                names.formUnion(try block.read().fieldNames)
            }
            return names.sorted()
        }
        return Reply(200, json: ["fields": .array(names.map { .string($0) })])
    }

    private func compact(_ call: Call) async throws -> Reply {
        guard call.method == .post else { throw RequestFault.text(405, "method_not_allowed", "use POST") }
        let store = self.store
        try await Blocking.run { try store.compact() }
        return Reply(200, json: ["status": "OK"])
    }
}
