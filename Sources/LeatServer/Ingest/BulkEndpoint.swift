internal import HTTPTypes
internal import HummingbirdCore
internal import LeatCore
internal import LeatStorage
internal import NIOCore

/// Elasticsearch's bulk API, and single documents: request bytes to stored rows to an answer.
struct BulkEndpoint: Sendable {
    let digester: Digester
    let budget: IngestBudget
    let limits: IngestLimits
    let metrics: ServerMetrics
    let time: any TimeSource

    /// `POST|PUT …/_bulk`.
    ///
    /// - Parameters:
    ///   - call: The request.
    ///   - index: The index that the URL names.
    ///   - needsIndex: Whether an action without an index is a fault, as in Elasticsearch; never in a batch of our agent.
    ///   - repository: Where the events go.
    ///   - credential: Who sends them.
    /// - Returns: The answer.
    /// - Throws: The refusal of the whole request.
    func bulk(
        _ call: Call,
        _ index: String?,
        _ needsIndex: Bool,
        repository: String,
        credential: Credential
    ) async throws -> Reply {
        guard call.method == .post || call.method == .put else {
            throw ElasticEndpoints.methodNotAllowed(call, allowed: ["POST", "PUT"])
        }
        let key = try BatchKey(header: call.header("x-leat-batch"), credential: credential)
        let share = try IngestShare(self.budget, repository: repository)
        var request = BulkRequest(
            arrivedAt: call.arrivedAt,
            limits: self.limits,
            defaultIndex: index ?? "",
            needsIndex: needsIndex && key == nil
        )
        try await self.read(call, share) { (bytes) throws(RequestFault) in try request.consume(bytes) }
        try request.finish()
        let (reply, outcome) = try await self.store(&request, call, key, repository: repository, credential)
        let bytes = call.target.flag("pretty") ? Array(try JSONValue(reply.bytes()).prettyText.utf8) : reply.bytes()
        var answer = Reply(200, bytes, mediaType: ElasticEndpoints.mediaType(for: call))
        if outcome.differsFromFirst {
            answer = answer.with("Warning", "299 leat \"batch number was stored before with another body\"")
        }
        return answer
    }

    /// `POST …/INDEX/_doc`, `PUT …/INDEX/_doc/ID`, `PUT …/INDEX/_create/ID`.
    func document(
        _ call: Call,
        index: String,
        id: String?,
        kind: BulkAction.Kind,
        repository: String,
        credential: Credential
    ) async throws -> Reply {
        guard call.method == .post || (call.method == .put && id != nil) else {
            throw ElasticEndpoints.methodNotAllowed(call, allowed: id == nil ? ["POST"] : ["POST", "PUT"])
        }
        let share = try IngestShare(self.budget, repository: repository)
        let body = try await call.wholeBody(limit: self.limits.bodyByteCountMax, share: share)
        guard !body.isEmpty else { throw RequestFault.elastic(400, "parse_exception", "request body is required") }
        let kind = call.target["op_type"] == "create" ? .create : kind
        var request = BulkRequest(
            arrivedAt: call.arrivedAt,
            limits: self.limits,
            defaultIndex: index,
            needsIndex: true
        )
        try request.add(body, BulkAction(kind: kind, index: index, id: id))
        let (reply, _) = try await self.store(&request, call, nil, repository: repository, credential)
        let (status, value) = reply.single()
        return ElasticEndpoints.json(call, status: status, value)
    }

    /// Feeds the body, decompressed, to `consume`; plain bodies piece by piece as they arrive.
    private func read(
        _ call: Call,
        _ share: IngestShare,
        _ consume: (UnsafeRawBufferPointer) throws(RequestFault) -> Void
    ) async throws {
        let limit = self.limits.bodyByteCountMax
        if let length = call.contentLength, length > limit { throw Call.tooLarge(limit) }
        if try call.contentCodings.isEmpty {
            var byteCount = 0
            for try await piece in call.body {
                byteCount += piece.readableBytes
                guard byteCount <= limit else { throw Call.tooLarge(limit) }
                try share.take(piece.readableBytes)
                try piece.withUnsafeReadableBytes { try consume($0) }
            }
        } else {
            let bytes = try await call.wholeBody(limit: limit, share: share)
            try bytes.withUnsafeBytes { try consume($0) }
        }
    }

    /// Stores what a request brought and words the answer.
    private func store(
        _ request: inout BulkRequest,
        _ call: Call,
        _ key: BatchKey?,
        repository: String,
        _ credential: Credential
    ) async throws -> (BulkReply, AppendOutcome) {
        let (batch, items, places) = request.batch(repository: repository, key: key)
        var outcome = AppendOutcome()
        // A request whose items were all refused is remembered only if a repeat could ask for it.
        if !batch.parts.isEmpty || key != nil {
            let parser = ParserChoice(credential.parser ?? call.target["parser"])
            outcome = try await self.digester.digest(batch, parser: parser)
        }
        self.count(request, items, repository: repository)
        let reply = BulkReply(
            items: items,
            outcome: outcome,
            placeOfPart: places,
            idPrefix: self.idPrefix(outcome),
            filter: call.target["filter_path"].flatMap { FilterPath($0) },
            tookMilliseconds: self.milliseconds(since: call.arrivedAt)
        )
        return (reply, outcome)
    }

    private func count(_ request: BulkRequest, _ items: BulkItems, repository: String) {
        self.metrics.ingested(
            ServerMetrics.IngestKey(name: "bulk", repository: repository),
            items: items.count - items.refused.count,
            bytes: request.byteCount,
            refused: items.refused.map(\.type)
        )
        if request.textCutCount > 0 { self.metrics.textsCut(request.textCutCount) }
    }

    private func milliseconds(since start: Timestamp) -> Int {
        max(0, Int(self.time.now().milliseconds - start.milliseconds))
    }

    /// What generated ids begin with: the first stored row's own id tells requests apart.
    private func idPrefix(_ outcome: AppendOutcome) -> String {
        guard let batch = outcome.stored.first, case .integer(let ids) = self.column("@id", of: batch),
            let first = ids.values.first
        else { return "r" }
        return String(first, radix: 36) + "."
    }

    private func column(_ name: String, of batch: Batch) -> Column? {
        do { return try batch.column(name) } catch { return nil }
    }
}

extension BatchKey {
    /// The key in the header `X-Leat-Batch`: `<series>-<number>-<xxh128 of the body>`, series and hash in hexadecimal.
    ///
    /// - Throws: 400 for a header that is no key.
    init?(header: String?, credential: Credential) throws(RequestFault) {
        guard let header else { return nil }
        let parts = header.split(separator: "-", omittingEmptySubsequences: false)
        guard parts.count == 3, let series = UInt128(parts[0], radix: 16), let number = UInt64(parts[1]), number > 0,
            let hash = UInt128(parts[2], radix: 16)
        else {
            throw .elastic(
                400,
                "illegal_argument_exception",
                "header X-Leat-Batch must be <series>-<number>-<hash>, with series and hash in hexadecimal"
            )
        }
        self.init(credential: credential.id, series: series, number: number, hash: hash)
    }
}

/// Names of repositories that the server itself knows.
enum RepositoryNames {
    /// Where events go whose request names no repository.
    static let standard = "default"
    /// Where the server keeps its own log.
    static let own = "leat-internal"
}
