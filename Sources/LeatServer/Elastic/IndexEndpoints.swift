internal import HTTPTypes
internal import LeatCore
internal import LeatQuery

/// Who asks about an index, and in which repository.
struct IndexAsker: Sendable {
    let repository: String
    let credential: Credential
}

/// Indexes, as far as a store of logs has them: one is there when events came for it (`#index`) or somebody made it.
struct IndexEndpoints: Sendable {
    let executor: SearchExecutor
    let definitions: ElasticDefinitions
    let monitoring: MonitoringEndpoints
    let time: any TimeSource

    // MARK: /INDEX

    /// Whether there is an index of that name.
    func exists(_ name: String, _ asker: IndexAsker) async throws -> Bool {
        let isDefined = ["index", "_data_stream"].contains { kind in
            self.definitions.contains(.init(asker.repository, kind, name))
        }
        if isDefined { return true }
        // The first event makes the repository of a token.
        guard self.executor.has(repository: asker.repository) else { return false }
        return try await self.count(IndexPattern.filter(name), asker) > 0
    }

    /// `GET|HEAD|PUT|DELETE /INDEX`.
    func reply(to call: Call, index name: String, _ asker: IndexAsker) async throws -> Reply {
        switch call.method {
        case .put:
            if let fault = IndexName.fault(name) {
                let reason = "Invalid index name [\(name)], \(fault)"
                throw RequestFault.elastic(400, "invalid_index_name_exception", reason)
            }
            let definition = ElasticDefinitions.Name(asker.repository, "index", name)
            guard try await !self.exists(name, asker), self.definitions.add(definition) else {
                throw RequestFault.elastic(400, "resource_already_exists_exception", "index [\(name)] already exists")
            }
            return ElasticEndpoints.json(
                call,
                ["acknowledged": true, "shards_acknowledged": true, "index": .string(name)]
            )
        case .get, .head:
            guard try await self.exists(name, asker) else { throw Self.missing(name) }
            let index: JSONValue = ["aliases": .object([]), "mappings": .object([]), "settings": .object([])]
            return ElasticEndpoints.json(call, .object([.init(name, index)]))
        case .delete:
            if self.definitions.remove(.init(asker.repository, "index", name)) {
                return ElasticEndpoints.json(call, ["acknowledged": true])
            }
            guard try await self.exists(name, asker) else { throw Self.missing(name) }
            throw RequestFault.elastic(
                403,
                "security_exception",
                "events of [\(name)] go with their retention, or with POST /api/v1/repositories/NAME/deletions"
            )
        default: throw ElasticEndpoints.methodNotAllowed(call, allowed: ["GET", "HEAD", "PUT", "DELETE"])
        }
    }

    private static func missing(_ name: String) -> RequestFault {
        .elastic(404, "index_not_found_exception", "no such index [\(name)]")
    }

    // MARK: counting

    /// `GET|POST /INDEX/_count`.
    func count(_ call: Call, _ index: String?, _ asker: IndexAsker) async throws -> Reply {
        let body = try await self.body(of: call)
        for member in body.object ?? [] where member.key != "query" {
            throw ElasticQuery.fault("request does not support [\(member.key)]")
        }
        return ElasticEndpoints.json(
            call,
            [
                "count": JSONValue(try await self.hitCount(call, body, index, asker)),
                "_shards": ["total": 1, "successful": 1, "skipped": 0, "failed": 0],
            ]
        )
    }

    /// `GET|POST /INDEX/_search` with `size` 0: how many events there are, not which.
    func search(_ call: Call, _ index: String?, _ asker: IndexAsker) async throws -> Reply {
        let body = try await self.body(of: call)
        guard (call.target["size"] ?? body["size"]?.scalarText) == "0" else {
            throw RequestFault.elastic(
                400,
                "illegal_argument_exception",
                "only size=0 is answered here; query with POST /api/v1/repositories/NAME/query"
            )
        }
        let known: Set<String> = ["query", "size", "from", "track_total_hits", "timeout", "sort", "_source"]
        for member in body.object ?? [] where !known.contains(member.key) {
            throw ElasticQuery.fault("[\(member.key)] is not answered here")
        }
        let started = self.time.monotonicNanoseconds()
        let count = JSONValue(try await self.hitCount(call, body, index, asker))
        let total = call.target.flag("rest_total_hits_as_int") ? count : ["value": count, "relation": "eq"]
        return ElasticEndpoints.json(
            call,
            [
                "took": JSONValue(Int((self.time.monotonicNanoseconds() - started) / 1_000_000)), "timed_out": false,
                "_shards": ["total": 1, "successful": 1, "skipped": 0, "failed": 0],
                "hits": ["total": total, "max_score": .null, "hits": .array([])],
            ]
        )
    }

    private func body(of call: Call) async throws -> JSONValue {
        guard call.method == .get || call.method == .post else {
            throw ElasticEndpoints.methodNotAllowed(call, allowed: ["GET", "POST"])
        }
        let bytes = try await call.wholeBody(limit: ServerLimits.controlBodyByteCountMax)
        if bytes.allSatisfy({ $0 <= 0x20 }) { return .object([]) }
        do throws(JSONError) {
            return try JSONValue(bytes)
        } catch {
            throw ElasticQuery.fault("the body is not JSON: \(error)")
        }
    }

    /// The events of an index that a body, or the parameter `q`, asks for.
    private func hitCount(
        _ call: Call,
        _ body: JSONValue,
        _ index: String?,
        _ asker: IndexAsker
    ) async throws -> Int {
        var filters = [IndexPattern.filter(index)]
        if let query = body["query"] { filters.append(try ElasticQuery(now: call.arrivedAt).filter(query)) }
        if let text = call.target["q"] {
            let joinsByAnd = call.target["default_operator"]?.lowercased() == "and"
            filters.append(try LuceneQuery.filter(text, field: call.target["df"], joinsByAnd: joinsByAnd))
        }
        let count = try await self.count(FilterText.all(filters), asker)
        if count == 0, !call.target.flag("ignore_unavailable") {
            for name in IndexPattern.names(index) where try await !self.exists(name, asker) { throw Self.missing(name) }
        }
        return count
    }

    private func count(_ filter: String, _ asker: IndexAsker) async throws -> Int {
        let rows = try await self.rows("\(filter) | count()", asker)
        return rows.first?["_count"].flatMap { Int($0) } ?? 0
    }

    /// The rows of a query over all times.
    private func rows(_ query: String, _ asker: IndexAsker) async throws -> [[String: String]] {
        let body: JSONValue = ["queryString": .string(query), "start": "all"]
        let request = try QueryRequest(body.bytes, now: self.time.now())
        let plan: QueryPlan
        do {
            plan = try self.executor.plan(request, repository: asker.repository, credential: asker.credential)
        } catch {
            throw ElasticQuery.fault("the query cannot be asked: \(error.diagnostics[0].message)")
        }
        try self.executor.check(repository: asker.repository)
        let result = try await self.executor.answer(
            to: plan,
            repository: asker.repository,
            user: asker.credential.id
        )
        return try result.rows.order.map { row in
            let renderer = try RowRenderer(result.rows.batches[Int(row.batch)])
            return Dictionary(renderer.fields(row: Int(row.row)).map { ($0.name, $0.value) }) { $1 }
        }
    }

    // MARK: /_cat

    /// `GET /_cat/health`, `/_cat/indices[/INDEX]`, `/_cat/count[/INDEX]`.
    func cat(_ call: Call, _ name: String, _ index: String?, _ asker: IndexAsker) async throws -> Reply {
        let now = TimestampWriter.text(call.arrivedAt, precision: .seconds)
        let clock: [(String, String)] = [
            ("epoch", String(call.arrivedAt.milliseconds / 1_000)), ("timestamp", String(now.dropFirst(11).prefix(8))),
        ]
        switch name {
        case "health":
            let color = ElasticEndpoints.color(self.monitoring)
            let row = [("cluster", "leat"), ("status", color), ("node.total", "1"), ("node.data", "1")]
            return CatTable(rows: [clock + row]).reply(to: call)
        case "count":
            let count = try await self.count(IndexPattern.filter(index), asker)
            return CatTable(rows: [clock + [("count", String(count))]]).reply(to: call)
        case "indices": return CatTable(rows: try await self.indexRows(index, asker)).reply(to: call)
        default:
            throw ElasticEndpoints.noHandler(call)
        }
    }

    private func indexRows(_ pattern: String?, _ asker: IndexAsker) async throws -> [[(String, String)]] {
        let query = "#index=* | \(IndexPattern.filter(pattern)) | groupBy(#index, limit=max)"
        var counts: [String: String] = [:]
        for row in try await self.rows(query, asker) { counts[row["#index"] ?? ""] = row["_count"] }
        for name in self.definitions.names("index", in: asker.repository) where counts[IndexName.tag(name)] == nil {
            if IndexPattern.fits(name, pattern) { counts[name] = "0" }
        }
        return counts.sorted { $0.key < $1.key }.map { name, count in
            [
                ("health", "green"), ("status", "open"), ("index", name), ("uuid", name), ("pri", "1"), ("rep", "0"),
                ("docs.count", count), ("docs.deleted", "0"),
            ]
        }
    }
}

/// A table of `/_cat`: columns of text, or JSON.
struct CatTable: Sendable {
    let rows: [[(String, String)]]

    /// As `format`, `Accept`, `h` (columns) and `v` (a line of names) want it.
    func reply(to call: Call) -> Reply {
        let wanted = call.target["h"].map { $0.split(separator: ",").map { $0.trimming() } }
        let rows = self.rows.map { row in
            wanted.map { names in names.compactMap { name in row.first { $0.0 == name } } } ?? row
        }
        if call.target["format"] == "json" || call.accepts(["application/json", "text/plain"]) == "application/json" {
            let objects = rows.map { row in JSONValue.object(row.map { .init($0.0, .string($0.1)) }) }
            return ElasticEndpoints.json(call, .array(objects))
        }
        let names = call.target.flag("v") ? rows.first.map { [$0.map(\.0)] } ?? [] : []
        let lines = (names + rows.map { $0.map(\.1) }).map { $0.joined(separator: " ") + "\n" }
        return Reply(200, text: lines.joined())
    }
}
