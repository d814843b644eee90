internal import HTTPTypes
internal import LeatCore
internal import LeatQuery
internal import LeatStorage

/// `GET|POST /api/v1/repositories/NAME/deletions`, `GET /api/v1/repositories/NAME/deletions/ID`.
struct DeletionEndpoints: Sendable {
    let store: Store
    let deletions: DeletionQueue
    let time: any TimeSource

    func reply(to call: Call, repository: String, id: String?) async throws -> Reply {
        if repository == RepositoryNames.own, call.method == .post {
            throw RequestFault.text(403, "security_exception", "audit events in '\(repository)' cannot be deleted")
        }
        guard self.store.repository(named: repository) != nil else {
            let names = self.store.repositories.map(\.name)
            throw StorageError.unknownRepository(
                name: repository,
                nearest: NearestName.find(repository, among: names)
            )
        }
        switch (call.method, id) {
        case (.get, nil), (.head, nil):
            let own = self.deletions.all.filter { $0.repository == repository }
            return Reply(200, json: .array(own.map(\.description)))
        case (.get, .some(let id)), (.head, .some(let id)):
            guard let deletion = self.deletions.deletion(id), deletion.repository == repository else {
                throw RequestFault.text(404, "unknown_deletion", "no deletion '\(id)' in '\(repository)'")
            }
            return Reply(200, json: deletion.description)
        case (.post, nil): return try await self.create(call, repository: repository)
        default: throw RequestFault.text(405, "method_not_allowed", id == nil ? "use GET or POST" : "use GET")
        }
    }

    /// Body: `{"queryString","start","end"}` as for a query, `start` and a query of at least one character required.
    ///
    /// 200 when the events are gone, 202 when that takes longer than a client likes to wait.
    private func create(_ call: Call, repository: String) async throws -> Reply {
        let bytes = try await call.wholeBody(limit: ServerLimits.controlBodyByteCountMax)
        let request = try QueryRequest(bytes, now: self.time.now())
        guard request.asked.start.map({ !$0.isNull }) ?? false else {
            throw RequestFault.text(400, "bad_request", "the member start is missing; write \"all\" for all times")
        }
        guard !request.queryString.trimming().isEmpty else {
            throw RequestFault.text(400, "bad_request", "an empty query names no events; write * for all")
        }
        guard !request.isLive else {
            throw RequestFault.text(400, "bad_request", "a live query cannot name what to delete")
        }
        do {
            _ = try DeletionQueue.selection(
                request.queryString,
                start: request.start,
                end: request.end,
                now: self.time.now(),
                blocks: StoredBlocks(store: self.store, repository: repository)
            )
        } catch let errors as QueryErrors {
            throw RequestFault.text(400, "bad_query", "\(errors)")
        }
        let deletions = self.deletions
        let added = try await Blocking.run { try deletions.add(request, repository: repository) }
        let deletion = await deletions.wait(for: added, milliseconds: ServerLimits.deletionWaitMilliseconds)
        return Reply(deletion.state == .running ? 202 : 200, json: deletion.description)
    }
}
