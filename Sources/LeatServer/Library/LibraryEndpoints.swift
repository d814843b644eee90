internal import HTTPTypes
internal import LeatCore
internal import LeatQuery
internal import LeatStorage

/// `…/repositories/NAME/files` and `…/savedqueries`: what queries of a repository may look up and call.
struct LibraryEndpoints: Sendable {
    let store: Store
    let files: LookupFiles
    let queries: SavedQueries

    // MARK: files

    /// `GET` lists, `POST` takes a form (`multipart/form-data`, as humiolib sends it); with a name `GET` gives the bytes,
    /// `PUT` takes them, `DELETE` forgets them.
    func files(_ call: Call, repository: String, name: String?) async throws -> Reply {
        try self.check(repository)
        let files = self.files
        switch (call.method, name) {
        case (.get, nil), (.head, nil):
            let list = files.list(repository).map { file -> JSONValue in
                ["name": .string(file.name), "size": JSONValue(file.byteCount)]
            }
            return Reply(200, json: .array(list))
        case (.post, nil): return try await self.upload(call, repository)
        case (.get, let name?), (.head, let name?):
            guard let bytes = files.bytes(name, in: repository) else { throw self.noFile(name, repository) }
            let mediaType = name.hasSuffix(".json") ? "application/json" : "text/csv; charset=utf-8"
            return Reply(200, bytes.array, mediaType: mediaType)
        case (.put, nil): throw Self.nameless(call)
        case (.put, let name?), (.post, let name?):
            let bytes = try await call.wholeBody(limit: ServerLimits.lookupFileByteCountMax)
            try await Blocking.run { try files.set(bytes, name, in: repository) }
            return Reply(200, json: ["name": .string(name), "size": JSONValue(bytes.count)])
        case (.delete, let name?):
            guard try await Blocking.run({ try files.remove(name, in: repository) }) else {
                throw self.noFile(name, repository)
            }
            return Reply(204)
        default: throw RequestFault.text(405, "method_not_allowed", "use GET, POST, PUT or DELETE")
        }
    }

    private func upload(_ call: Call, _ repository: String) async throws -> Reply {
        let limit = ServerLimits.lookupFileByteCountMax + (64 << 10)
        let body = try await call.wholeBody(limit: limit)
        guard let form = MultipartBody(body, mediaType: call.header("content-type") ?? "") else {
            throw RequestFault.text(
                400,
                "bad_request",
                "send the file as multipart/form-data, or PUT it to …/files/NAME"
            )
        }
        guard let part = form.parts.first(where: { $0.name == "file" && $0.fileName != nil }), let name = part.fileName
        else { throw RequestFault.text(400, "bad_request", "the form has no field 'file' with a file name") }
        let files = self.files
        let bytes = Array(part.bytes)
        try await Blocking.run { try files.set(bytes, name, in: repository) }
        return Reply(200, json: ["name": .string(name), "size": JSONValue(bytes.count)])
    }

    private func noFile(_ name: String, _ repository: String) -> RequestFault {
        let names = self.files.list(repository).map(\.name)
        let nearest = NearestName.find(name, among: names).map { "; did you mean '\($0)'?" } ?? ""
        return .text(404, "unknown_file", "no lookup file '\(name)'\(nearest)")
    }

    // MARK: saved queries

    /// `GET` lists; with a name `GET` shows, `PUT` keeps `{"queryString": …}`, `DELETE` forgets.
    func savedQueries(_ call: Call, repository: String, name: String?) async throws -> Reply {
        try self.check(repository)
        let queries = self.queries
        switch (call.method, name) {
        case (.get, nil), (.head, nil): return Reply(200, json: .array(queries.list(repository).map(\.document)))
        case (.post, nil): return try await self.save(call, repository, name: nil)
        case (.get, let name?), (.head, let name?):
            return Reply(200, json: try self.query(name, repository).document)
        case (.put, nil): throw Self.nameless(call)
        case (.put, let name?), (.post, let name?): return try await self.save(call, repository, name: name)
        case (.delete, let name?):
            let query = try self.query(name, repository)
            try await Blocking.run { try queries.remove(query, in: repository) }
            return Reply(204)
        default: throw RequestFault.text(405, "method_not_allowed", "use GET, PUT or DELETE")
        }
    }

    private static func nameless(_ call: Call) -> RequestFault {
        .text(400, "bad_name", "the path needs a name behind \(call.target.path)")
    }

    private func query(_ name: String, _ repository: String) throws(RequestFault) -> SavedQuery {
        if let query = self.queries.query(named: name, in: repository) { return query }
        let names = self.queries.list(repository).map(\.name)
        let nearest = NearestName.find(name, among: names).map { "; did you mean '\($0)'?" } ?? ""
        throw .text(404, "unknown_query", "no saved query '\(name)'\(nearest)")
    }

    private func save(_ call: Call, _ repository: String, name: String?) async throws -> Reply {
        let bytes = try await call.wholeBody(limit: ServerLimits.controlBodyByteCountMax)
        let body: JSONValue
        do {
            body = try JSONValue(bytes)
        } catch {
            throw RequestFault.text(400, "bad_request", "the body is not JSON: \(error)")
        }
        guard let text = body["queryString"]?.string, let name = name ?? body["name"]?.string else {
            throw RequestFault.text(400, "bad_request", "the members name and queryString (strings) are needed")
        }
        let known = self.queries.query(named: name, in: repository)
        let query = SavedQuery(id: known?.id ?? Self.newID(), name: name, queryString: text)
        let queries = self.queries
        do {
            try await Blocking.run { try queries.set(query, in: repository) }
        } catch let errors as QueryErrors {
            return QueryEndpoint.reply(to: errors, asJSON: call.accepts(["application/json"]) != nil)
        }
        return Reply(200, json: query.document)
    }

    /// An id that no other query has.
    static func newID() -> String { String(SystemRandom.uint64(), radix: 36) }

    private func check(_ repository: String) throws {
        guard self.store.repository(named: repository) == nil else { return }
        throw StorageError.unknownRepository(
            name: repository,
            nearest: NearestName.find(repository, among: self.store.repositories.map(\.name))
        )
    }
}
