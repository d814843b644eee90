internal import LeatCore
internal import LeatQuery
internal import LeatStorage

/// The objects behind `/graphql`, for one caller.
struct HumioSchema: Sendable {
    let endpoint: GraphQLEndpoint
    let credential: Credential

    init(_ endpoint: GraphQLEndpoint, _ credential: Credential) {
        self.endpoint = endpoint
        self.credential = credential
    }

    // MARK: queries

    var query: GraphQLObject {
        GraphQLObject(
            "Query",
            fields: [
                "searchDomains": { _ in .list(self.repositoryNames.map { .object(self.repository($0)) }) },
                "searchDomain": { arguments in .object(self.repository(try self.known(arguments, "name"))) },
                "repositories": { _ in .list(self.repositoryNames.map { .object(self.repository($0)) }) },
                "repository": { arguments in .object(self.repository(try self.known(arguments, "name"))) },
                "viewer": { _ in
                    .object(
                        GraphQLObject(
                            "Account",
                            values: ["username": .text(self.userName), "id": .text(self.userName)]
                        )
                    )
                },
                "organizations": { _ in .list([.object(Self.organization)]) },
                "organization": { _ in .object(Self.organization) },
                "meta": { _ in
                    .object(GraphQLObject("HumioMetadata", values: ["version": .text(MonitoringEndpoints.version)]))
                },
                "getFileContent": { arguments in
                    let repository = try self.known(arguments, "name")
                    let name = try arguments.text("fileName")
                    let table = try self.table(name, repository)
                    return .object(
                        LookupFileObject(name: name, table: table).snapshot(
                            offset: arguments.number("offset") ?? 0,
                            limit: arguments.number("limit") ?? LookupFileObject.lineCountStandard,
                            filter: arguments["filterString"]?.string
                        )
                    )
                },
            ]
        )
    }

    private static let organization = GraphQLObject(
        "Organization",
        values: ["id": .text("leat"), "name": .text("leat"), "description": .text("this server")]
    )

    private var userName: String { self.credential.id.isEmpty ? "local" : self.credential.id }

    /// The repositories that the caller may see.
    private var repositoryNames: [String] {
        self.endpoint.store.repositories.map(\.name).filter {
            self.credential.scope == nil || self.credential.scope == $0
        }
        .sorted()
    }

    /// The repository that an argument names.
    func known(_ arguments: GraphQLArguments, _ argument: String) throws(GraphQLFault) -> String {
        let name = try arguments.text(argument)
        guard self.repositoryNames.contains(name) else {
            let hint = NearestName.find(name, among: self.repositoryNames).map { "; did you mean '\($0)'?" } ?? ""
            throw GraphQLFault("unknown repository or view '\(name)'\(hint)")
        }
        return name
    }

    private func repository(_ name: String) -> GraphQLObject {
        GraphQLObject(
            "Repository",
            "SearchDomain",
            fields: [
                "id": { _ in .text(name) }, "name": { _ in .text(name) }, "description": { _ in .null },
                "files": { _ in
                    .list(self.endpoint.files.list(name).map { .object(LookupFileObject.entry($0.name)) })
                },
                "savedQueries": { _ in
                    .list(self.endpoint.queries.list(name).map { .object(Self.savedQuery($0)) })
                },
                "savedQuery": { arguments in
                    let id = try arguments.text("id")
                    return self.endpoint.queries.query(id: id, in: name).map { .object(Self.savedQuery($0)) } ?? .null
                },
                "parsers": { _ in
                    .list(self.endpoint.parsers.names.map { .object(self.parser($0)) })
                },
            ]
        )
    }

    private func parser(_ name: String) -> GraphQLObject {
        let script = self.endpoint.parsers.definition(name)?.script ?? ""
        let isBuiltIn = JSONValue.bool(self.endpoint.parsers.isBuiltIn(name))
        return GraphQLObject(
            "Parser",
            values: ["id": .text(name), "name": .text(name), "script": .text(script), "isBuiltIn": .value(isBuiltIn)]
        )
    }

    static func savedQuery(_ query: SavedQuery) -> GraphQLObject {
        GraphQLObject(
            "SavedQuery",
            values: [
                "id": .text(query.id), "name": .text(query.name), "displayName": .text(query.name),
                "query": .object(GraphQLObject("HumioQuery", values: ["queryString": .text(query.queryString)])),
            ]
        )
    }

    // MARK: files

    /// The rows of a file.
    func table(_ name: String, _ repository: String) throws(GraphQLFault) -> LookupRows {
        guard let bytes = self.endpoint.files.bytes(name, in: repository) else {
            throw GraphQLFault("there is no file '\(name)' in '\(repository)'")
        }
        return LookupRows(bytes)
    }

    /// Keeps rows as a file.
    func keep(_ table: LookupRows, _ name: String, _ repository: String) async throws {
        let bytes = table.bytes
        let files = self.endpoint.files
        try await Blocking.run { try files.set(bytes, name, in: repository) }
    }

    /// Refuses changes by tokens that may only ask.
    func checkMayChange() throws(GraphQLFault) {
        guard self.credential.mayAdminister else { throw GraphQLFault("an admin token is needed to change this") }
    }
}
