internal import LeatCore

/// A live aggregate: a query job that the server keeps up to date as events arrive, asked for its answer every second.
struct LiveAggregate: Sendable {
    let text: String
    let settings: ShellSettings
    /// How far back the window reaches.
    let window: String

    static let windowDefault = "10m"
    private static let intervalMilliseconds: Int64 = 1_000

    /// An answer as it is now.
    struct Answer: Sendable {
        var preview: AnswerPreview
        var warnings: [String] = []
        /// Events that the history had.
        var eventCount = 0
    }

    /// Calls `onAnswer` with the answer until the task is cancelled.
    ///
    /// - Throws: What stands in the way of the first answer; later failures are told by `onNote`.
    func run(onAnswer: (Answer) throws -> Void, onNote: (String) -> Void) async throws {
        let client = self.settings.client
        var backoff = Backoff.connection
        var wasConnected = false
        while true {
            do {
                let job = try await self.create(client)
                try await self.poll(job, client) { answer in
                    wasConnected = true
                    backoff.reset()
                    try onAnswer(answer)
                }
            } catch let error as CommandError where wasConnected && error.status == .serverUnreachable {
                onNote("trying again: \(error.reason)")
            }
            // A job that is gone was not asked for in time, as on a machine that slept: it is made anew. The wait is for a server
            // that is being restarted, or that drops each job at once.
            try await Task.sleep(for: backoff.next())
        }
    }

    private func path(_ job: String? = nil) -> String {
        let base = "/api/v1/repositories/\(ServerRequest.encoded(self.settings.repository))/queryjobs"
        return job.map { "\(base)/\(ServerRequest.encoded($0))" } ?? base
    }

    private func create(_ client: ServerClient) async throws -> String {
        let request = QueryRequest(
            repository: self.settings.repository,
            text: self.text,
            start: Moment.forServer(self.window),
            isLive: true
        )
        let headers = [("Content-Type", "application/json"), ("Accept", "application/json")]
        let reply = try await client.fetch(ServerRequest(.post, self.path(), headers: headers, body: request.json))
        guard reply.status == 200 else {
            throw client.failure(status: reply.status, body: reply.body, repository: self.settings.repository)
        }
        guard let id = try reply.json()["id"]?.string else {
            throw CommandError(.serverUnreachable, "the server made a query job but did not name it")
        }
        return id
    }

    /// Asks until the job is gone or the task is cancelled; then the server is told that nobody asks any more.
    private func poll(_ job: String, _ client: ServerClient, onAnswer: (Answer) throws -> Void) async throws {
        do {
            while true {
                let reply = try await client.fetch(ServerRequest(.get, self.path(job)))
                if reply.status == 404 { return }
                guard reply.status == 200 else { throw client.failure(status: reply.status, body: reply.body) }
                try onAnswer(Self.answer(try reply.json()))
                // The server keeps the answer up to date by itself; nobody reads one that changes more often.
                try await Task.sleep(for: .milliseconds(Self.intervalMilliseconds))
            }
        } catch is CancellationError {
            let request = ServerRequest(.delete, self.path(job))
            // The task is cancelled, so that another one has to say it; a server that cannot hear it forgets by itself.
            _ = await Task { try await client.fetch(request) }.result
            throw CancellationError()
        }
    }

    private static func answer(_ json: JSONValue) -> Answer {
        let metaData = json["metaData"]
        var preview = AnswerPreview(columns: metaData?["fieldOrder"]?.array?.compactMap(\.string))
        preview.rows = (json["events"]?.array ?? []).map { JSONLine.bytes(of: $0) }
        var answer = Answer(preview: preview)
        answer.warnings = metaData?["warnings"]?.array?.compactMap(\.string) ?? []
        answer.eventCount = metaData?["processedEvents"]?.int ?? 0
        return answer
    }
}

/// An object of a server's answer as a line that writers of answers take: values are strings.
enum JSONLine {
    static func bytes(of value: JSONValue) -> [UInt8] {
        var line = JSONWriter()
        line.beginObject()
        if case .object(let members) = value {
            for member in members {
                line.key(member.key)
                switch member.value {
                case .string(let text), .number(let text): line.value(text)
                case .bool(let flag): line.value(flag ? "true" : "false")
                case .array(let elements): line.value(elements.compactMap(\.string).joined(separator: ", "))
                case .null, .object: line.value("")
                }
            }
        }
        line.endObject()
        return line.bytes
    }
}
