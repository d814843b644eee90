internal import HTTPTypes
internal import LeatCore
internal import LeatStorage

/// All handlers, by route.
struct Endpoints: Sendable {
    let bulk: BulkEndpoint
    let ingest: IngestEndpoints
    let elastic: ElasticEndpoints
    let query: QueryEndpoint
    let jobs: QueryJobs
    let administration: AdministrationEndpoints
    let deletions: DeletionEndpoints
    let tokens: TokenEndpoints
    let users: UserEndpoints
    let parsers: ParserEndpoints
    let monitoring: MonitoringEndpoints
    let live: LiveQueries
    let library: LibraryEndpoints
    let graphQL: GraphQLEndpoint

    /// The server stops: live streams end.
    func beginDraining() {
        self.live.drain()
        self.monitoring.beginDraining()
    }

    /// The answer to a request that may be answered.
    func reply(to call: Call, _ route: Route, credential: Credential) async throws -> Reply {
        switch route {
        case .elastic(let elastic, let repository):
            return try await self.reply(to: call, elastic, repository: repository, credential)
        case .ingest(.splunkHealth, _): return self.monitoring.splunkHealth()
        case .ingest(let name, let repository):
            return try await self.ingest.reply(to: call, name, repository: repository, credential: credential)
        case .query(let repository):
            return try await self.query.reply(to: call, repository: repository, credential: credential)
        case .queryJobs(let repository):
            return try await self.jobs.create(call, repository: repository, credential: credential)
        case .queryJob(let repository, let id):
            return try await self.jobs.reply(to: call, repository: repository, id: id)
        case .files(let repository, let name):
            return try await self.library.files(call, repository: repository, name: name)
        case .savedQueries(let repository, let name):
            return try await self.library.savedQueries(call, repository: repository, name: name)
        case .graphQL: return try await self.graphQL.reply(to: call, credential: credential)
        case .deletions(let repository, let id):
            return try await self.deletions.reply(to: call, repository: repository, id: id)
        case .parsers(let name): return try await self.parsers.reply(to: call, name: name)
        case .tokens: return try await self.tokens.reply(to: call, name: nil)
        case .token(let name): return try await self.tokens.reply(to: call, name: name)
        case .users(let id): return try await self.users.reply(to: call, id: id)
        case .repositories, .repository, .fields, .compact:
            return try await self.administration.reply(to: call, route, credential: credential)
        case .health(let form): return self.monitoring.health(form)
        case .status: return self.monitoring.status(for: credential)
        case .metrics: return try await self.monitoring.metrics(call)
        case .unknown:
            throw ElasticEndpoints.noHandler(call)
        }
    }

    private func reply(
        to call: Call,
        _ route: ElasticRoute,
        repository: String?,
        _ credential: Credential
    ) async throws -> Reply {
        let target = credential.repository(named: repository)
        switch route {
        case .bulk(let index):
            // Who chooses the repository, by the URL or the token, needs no index.
            let needsIndex = repository == nil && credential.scope == nil
            return try await self.bulk.bulk(call, index, needsIndex, repository: target, credential: credential)
        case .document(let index, let id) where call.method == .post || call.method == .put:
            return try await self.bulk.document(
                call,
                index: index,
                id: id,
                kind: .index,
                repository: target,
                credential: credential
            )
        case .create(let index, let id):
            return try await self.bulk.document(
                call,
                index: index,
                id: id,
                kind: .create,
                repository: target,
                credential: credential
            )
        default:
            return try await self.elastic.reply(to: call, route, IndexAsker(repository: target, credential: credential))
        }
    }
}
