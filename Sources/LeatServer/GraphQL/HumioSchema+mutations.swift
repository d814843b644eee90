internal import LeatCore
internal import LeatQuery
internal import LeatStorage

extension HumioSchema {
    /// The changes that a caller may make.
    var mutation: GraphQLObject {
        GraphQLObject(
            "Mutation",
            fields: self.fileChanges.merging(self.queryChanges) { first, _ in first }
                .merging(["createRepository": { arguments in try await self.createRepository(arguments) }]) { $1 }
        )
    }

    private var fileChanges: [String: GraphQLObject.Resolver] {
        [
            "newFile": { arguments in
                try self.checkMayChange()
                let repository = try self.known(arguments, "name")
                let name = try arguments.text("fileName")
                guard self.endpoint.files.bytes(name, in: repository) == nil else {
                    throw GraphQLFault("there is a file '\(name)' already")
                }
                try await self.keep(LookupRows(headers: [], rows: []), name, repository)
                let table = LookupRows(headers: [], rows: [])
                return .object(LookupFileObject(name: name, table: table).snapshot(offset: 0, limit: 0, filter: nil))
            },
            "removeFile": { arguments in
                try self.checkMayChange()
                let repository = try self.known(arguments, "name")
                let name = try arguments.text("fileName")
                let files = self.endpoint.files
                guard try await Blocking.run({ try files.remove(name, in: repository) }) else {
                    throw GraphQLFault("there is no file '\(name)' in '\(repository)'")
                }
                return .object(GraphQLObject("BooleanResultType", values: ["result": .value(true)]))
            },
            "updateFile": { arguments in try await self.updateFile(arguments) },
        ]
    }

    /// Puts rows in the place of those from `offset` up to `offset + limit`.
    private func updateFile(_ arguments: GraphQLArguments) async throws -> GraphQLNode {
        try self.checkMayChange()
        let repository = try self.known(arguments, "name")
        let name = try arguments.text("fileName")
        var table = try self.table(name, repository)
        let offset = arguments.number("offset") ?? 0
        let limit = arguments.number("limit") ?? LookupFileObject.lineCountStandard
        for change in arguments["columnChanges"]?.array ?? [] {
            try table.changeColumn(change["changeKind"]?.string ?? "", at: change["index"]?.int ?? -1)
        }
        let rows = (arguments["changedRows"]?.array ?? []).map { row in (row.array ?? []).map { $0.scalarText ?? "" } }
        // Who removes lines sends no headers.
        let headers = (arguments["headers"]?.array ?? []).map { $0.scalarText ?? "" }
        if !headers.isEmpty { table.headers = headers }
        try table.replace(from: offset, limit: limit, with: rows)
        try await self.keep(table, name, repository)
        let object = LookupFileObject(name: name, table: table)
        return .object(object.snapshot(offset: offset, limit: limit, filter: nil))
    }

    private var queryChanges: [String: GraphQLObject.Resolver] {
        [
            "createSavedQuery": { arguments in
                let input = try arguments.object("input")
                let query = SavedQuery(
                    id: LibraryEndpoints.newID(),
                    name: try input.text("name"),
                    queryString: try input.text("queryString")
                )
                return try await self.save(query, try self.known(input, "viewName"))
            },
            "updateSavedQuery": { arguments in
                let input = try arguments.object("input")
                let repository = try self.known(input, "viewName")
                var query = try self.savedQuery(try input.text("id"), repository)
                if let name = input["name"]?.string { query.name = name }
                if let text = input["queryString"]?.string { query.queryString = text }
                return try await self.save(query, repository)
            },
            "deleteSavedQuery": { arguments in
                try self.checkMayChange()
                let input = try arguments.object("input")
                let repository = try self.known(input, "viewName")
                let query = try self.savedQuery(try input.text("id"), repository)
                let queries = self.endpoint.queries
                try await Blocking.run { try queries.remove(query, in: repository) }
                return Self.result(query)
            },
        ]
    }

    private func savedQuery(_ id: String, _ repository: String) throws(GraphQLFault) -> SavedQuery {
        if let query = self.endpoint.queries.query(id: id, in: repository) { return query }
        throw GraphQLFault("there is no saved query with the id '\(id)' in '\(repository)'")
    }

    private func save(_ query: SavedQuery, _ repository: String) async throws -> GraphQLNode {
        try self.checkMayChange()
        let queries = self.endpoint.queries
        try await Blocking.run { try queries.set(query, in: repository) }
        return Self.result(query)
    }

    private static func result(_ query: SavedQuery) -> GraphQLNode {
        .object(GraphQLObject("SavedQueryResult", values: ["savedQuery": .object(Self.savedQuery(query))]))
    }

    private func createRepository(_ arguments: GraphQLArguments) async throws -> GraphQLNode {
        try self.checkMayChange()
        if let bound = self.credential.scope { throw GraphQLFault("the token is for the repository '\(bound)'") }
        let name = try arguments.text("name")
        let store = self.endpoint.store
        try await Blocking.run { _ = try store.createRepository(name) }
        let repository = GraphQLObject("Repository", values: ["id": .text(name), "name": .text(name)])
        return .object(GraphQLObject("CreateRepositoryMutation", values: ["repository": .object(repository)]))
    }
}
