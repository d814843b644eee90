internal import HTTPTypes
internal import LeatCore
internal import LeatStorage

/// The ingest APIs beside Elasticsearch's: Humio's, Splunk's, Loki's, OTLP's and plain JSON or text.
///
/// A request is stored whole, or refused whole; an API that can name single bad events says which.
struct IngestEndpoints: Sendable {
    let digester: Digester
    let budget: IngestBudget
    let limits: IngestLimits
    let metrics: ServerMetrics
    let time: any TimeSource
    let acks: SplunkAcks

    /// An ingest request whose body was read.
    struct Incoming: Sendable {
        let call: Call
        let route: Route
        let body: [UInt8]
        let repository: String
        /// The parser that the token or the request names.
        let parser: String?
        /// The name of the token, empty in open mode.
        var credential = ""

        /// Whether the body is protobuf and not JSON.
        var isProtobuf: Bool { self.call.isProtobuf }
    }

    func reply(
        to call: Call,
        _ name: IngestProtocol,
        repository: String?,
        credential: Credential
    ) async throws -> Reply {
        let route = Route.ingest(name, repository: repository)
        // Docker's driver for Splunk looks whether somebody is there.
        if call.method == .options, name == .splunkEvent { return Reply(200) }
        guard call.method == .post || call.method == .put else {
            var fault = RequestFault(
                status: 405,
                type: "method_not_allowed",
                reason: "send events with POST",
                for: route
            )
            fault.headers = [.init(name: "Allow", value: "POST")]
            throw fault
        }
        let target = credential.repository(named: repository)
        if name == .journald {
            return try await self.journald(call, route, repository: target, credential: credential)
        }
        let body: [UInt8]
        let share: IngestShare
        do {
            share = try IngestShare(self.budget, repository: target)
            body = try await call.wholeBody(limit: self.limits.bodyByteCountMax, share: share)
        } catch let fault as RequestFault {
            var worded = RequestFault(status: fault.status, type: fault.type, reason: fault.reason, for: route)
            worded.headers = fault.headers
            throw worded
        }
        defer { withExtendedLifetime(share) {} }
        let incoming = Incoming(
            call: call,
            route: route,
            body: body,
            repository: target,
            parser: credential.parser ?? call.target["parser"],
            credential: credential.id
        )
        switch name {
        case .humioStructured: return try await self.humioStructured(incoming)
        case .humioUnstructured: return try await self.humioUnstructured(incoming)
        case .json: return try await self.json(incoming)
        case .raw: return try await self.raw(incoming)
        case .splunkEvent: return try await self.splunkEvents(incoming)
        case .splunkRaw: return try await self.splunkRaw(incoming)
        case .splunkAck: return try await self.splunkAcks(incoming)
        case .loki: return try await self.loki(incoming)
        case .otlp: return try await self.otlp(incoming)
        case .logplex: return try await self.logplex(incoming)
        case .splunkHealth, .journald: preconditionFailure("answered before")
        }
    }

    /// A writer for the events of a request.
    func writer(_ incoming: Incoming) -> EventWriter {
        EventWriter(limits: self.limits, arrivedAt: incoming.call.arrivedAt)
    }

    /// Stores what was written; on return it may be acknowledged.
    ///
    /// - Parameters:
    ///   - writer: The events.
    ///   - incoming: The request that brought them.
    ///   - name: Its API.
    ///   - refused: Reasons of events that were refused.
    ///   - choice: What chooses the parser when neither token nor request names one.
    /// - Throws: What storage refuses.
    func store(
        _ writer: inout EventWriter,
        _ incoming: Incoming,
        _ name: IngestProtocol,
        refused: [String] = [],
        parser choice: ParserChoice = .unparsed
    ) async throws {
        let batch = writer.batch(repository: incoming.repository)
        let parser = incoming.parser.map { ParserChoice.named($0) } ?? choice
        if !batch.parts.isEmpty { _ = try await self.digester.digest(batch, parser: parser) }
        self.metrics.ingested(
            ServerMetrics.IngestKey(name: name.rawValue, repository: incoming.repository),
            items: writer.count,
            bytes: incoming.body.count,
            refused: refused
        )
        if writer.textCutCount > 0 { self.metrics.textsCut(writer.textCutCount) }
    }

    /// The body as one JSON value.
    func value(_ incoming: Incoming) throws(RequestFault) -> JSONValue {
        do throws(JSONError) {
            return try JSONValue(incoming.body)
        } catch {
            throw RequestFault(
                status: 400,
                type: "bad_request",
                reason: "the body is not JSON: \(error)",
                for: incoming.route
            )
        }
    }

    /// A protobuf body as the tree of its JSON form.
    func message(
        _ bytes: [UInt8],
        _ incoming: Incoming,
        _ read: (UnsafeRawBufferPointer) throws(ProtobufReader.Fault) -> JSONValue
    ) throws(RequestFault) -> JSONValue {
        do throws(ProtobufReader.Fault) {
            return try bytes.withUnsafeBufferPointer { (bytes) throws(ProtobufReader.Fault) in
                try read(UnsafeRawBufferPointer(bytes))
            }
        } catch {
            throw self.refusal("the body is not the protobuf message that belongs here: \(error.reason)", incoming)
        }
    }

    /// A refusal of the whole request because of one of its events.
    func refusal(_ reason: String, _ incoming: Incoming) -> RequestFault {
        RequestFault(status: 400, type: "bad_request", reason: reason, for: incoming.route)
    }
}
