internal import HTTPTypes
internal import HummingbirdCore
internal import LeatCore
internal import LeatStorage
internal import Logging
internal import NIOCore
internal import NIOHTTP1
internal import Synchronization

/// Turns requests into answers: who may, which handler, and how a failure is worded.
final class Dispatcher: Sendable {
    private let endpoints: Endpoints
    private let access: Access
    private let audit: Audit
    private let failedLogins: FailedLogins
    private let metrics: ServerMetrics
    private let logger: Logger
    private let time: any TimeSource

    init(
        endpoints: Endpoints,
        access: Access,
        audit: Audit,
        metrics: ServerMetrics,
        logger: Logger,
        time: any TimeSource
    ) {
        self.endpoints = endpoints
        self.access = access
        self.audit = audit
        self.failedLogins = FailedLogins(time: time)
        self.metrics = metrics
        self.logger = logger
        self.time = time
    }

    /// Ends live streams and refuses new work; running requests go on.
    func beginDraining() {
        self.logger.info("stopping: no new connections, running requests may take \(ServerLimits.shutdownSeconds) s")
        self.endpoints.beginDraining()
    }

    /// Answers one request on its connection.
    func respond(to request: Request, channel: any Channel, writer: consuming ResponseWriter) async throws {
        let started = self.time.monotonicNanoseconds()
        let call = Call(
            request,
            client: channel.remoteAddress?.ipAddress ?? "unknown",
            isFromLoopback: Self.isLoopback(channel.remoteAddress),
            arrivedAt: self.time.now(),
            presence: try await Self.presence(on: channel)
        )
        let route = Route.of(call.target)
        self.metrics.requestBegan()
        defer { self.metrics.requestEnded() }
        let (reply, user) = try await self.reply(to: call, route)
        self.audit.record(call, route, user: user, status: reply.status)
        self.metrics.answered(route, status: reply.status, nanoseconds: self.time.monotonicNanoseconds() - started)
        self.logger.debug(
            "request",
            metadata: [
                "method": "\(call.method)", "path": "\(call.target.path)", "status": "\(reply.status)",
                "ms": "\((self.time.monotonicNanoseconds() - started) / 1_000_000)",
            ]
        )
        try await Self.write(reply, isHead: call.method == .head, to: writer)
    }

    /// The answer, failures included; throws only when the connection is broken.
    ///
    /// - Returns: The answer, and the name of who asked; `nil` when that is not known.
    private func reply(to call: Call, _ route: Route) async throws -> (Reply, user: String?) {
        let credential: Credential
        do throws(RequestFault) {
            try self.access.checkOrigin(of: call, route)
            credential = try self.access.credential(of: call, for: route)
        } catch {
            self.note(error, route, repository: nil)
            return (Self.reply(self.slowedDown(error, call, route), call, route), nil)
        }
        return (try await self.reply(to: call, route, credential), credential.id)
    }

    /// A refusal of a wrong token, or, after many from one address, the advice to wait.
    private func slowedDown(_ fault: RequestFault, _ call: Call, _ route: Route) -> RequestFault {
        let isWrongToken = fault.type == "security_exception" && fault.status == 401 || fault.type == "splunk_4"
        guard isWrongToken, call.header("authorization") != nil, self.failedLogins.isTooMany(from: call.client) else {
            return fault
        }
        var slowed = RequestFault(
            status: 429,
            type: "security_exception",
            reason: "too many wrong tokens from this address; wait a minute",
            for: route
        )
        slowed.headers = [.init(name: "Retry-After", value: "60")]
        return slowed
    }

    private func reply(to call: Call, _ route: Route, _ credential: Credential) async throws -> Reply {
        do {
            return try await self.endpoints.reply(to: call, route, credential: credential)
        } catch let fault as RequestFault {
            self.note(fault, route, repository: credential.repository(named: route.repository))
            return Self.reply(fault, call, route)
        } catch let error as StorageError {
            let fault = RequestFault(error, for: route)
            self.note(fault, route, repository: credential.repository(named: route.repository))
            if fault.status >= 500 { self.logger.error("storage refused a request", metadata: ["error": "\(error)"]) }
            return Self.reply(fault, call, route)
        } catch let error
            where error is CancellationError || error is ChannelError || error is IOError || error is HTTPParserError
            || call.presence.isGone
        {
            // Nobody is there to answer, or what came is no HTTP, which the connection answers with 400.
            throw error
        } catch {
            self.logger.error("request failed", metadata: ["path": "\(call.target.path)", "error": "\(error)"])
            return Self.reply(RequestFault.internalFailure(for: route), call, route)
        }
    }

    /// A refusal as the client of the API that was called reads it.
    private static func reply(_ fault: RequestFault, _ call: Call, _ route: Route) -> Reply {
        if case .ingest(.otlp, _) = route { return OTLPAnswer.failure(fault, isProtobuf: call.isProtobuf) }
        if case .elastic = route, fault.style == .elastic { return ElasticEndpoints.reply(to: call, fault) }
        return Reply(fault)
    }

    /// Counts a refusal; of ingest requests the first, the tenth, the hundredth and so on is logged.
    private func note(_ fault: RequestFault, _ route: Route, repository: String?) {
        let count = self.metrics.refused(route, repository: repository, reason: fault.type)
        guard count > 0, String(count).dropFirst().allSatisfy({ $0 == "0" }), String(count).first == "1" else { return }
        self.logger.warning(
            "ingest request refused",
            metadata: [
                "protocol": "\(route.label)", "repository": "\(repository ?? "")", "reason": "\(fault.type)",
                "status": "\(fault.status)", "count": "\(count)", "error": "\(fault.reason)",
            ]
        )
    }

    private static func presence(on channel: any Channel) async throws -> ClientPresence {
        try await channel.eventLoop.submit {
            let presence = try channel.pipeline.syncOperations.handler(type: ConnectionHandler.self).presence
            presence.beginRequest()
            return presence
        }.get()
    }

    private static func isLoopback(_ address: SocketAddress?) -> Bool {
        guard let address else { return false }
        switch address {
        case .v4: return address.ipAddress?.hasPrefix("127.") ?? false
        case .v6: return address.ipAddress == "::1" || address.ipAddress?.hasPrefix("::ffff:127.") ?? false
        case .unixDomainSocket: return true
        }
    }

    private static func write(_ reply: Reply, isHead: Bool, to writer: consuming ResponseWriter) async throws {
        var head = HTTPResponse(status: .init(code: reply.status))
        head.headerFields[.contentType] = reply.mediaType
        if let product = HTTPField.Name("X-Elastic-Product") { head.headerFields[product] = "Elasticsearch" }
        for header in reply.headers {
            if let name = HTTPField.Name(header.name) { head.headerFields[name] = header.value }
        }
        switch reply.body {
        case .bytes(let bytes):
            if reply.status != 204 { head.headerFields[.contentLength] = String(bytes.count) }
            let body = isHead || bytes.isEmpty ? ResponseBody() : ResponseBody(byteBuffer: ByteBuffer(bytes: bytes))
            try await writer.write(response: head, body: body)
        case .stream(let stream):
            let body = ResponseBody { writer in
                var pieces = ReplyWriter(writer)
                try await stream(&pieces)
            }
            try await writer.write(response: head, body: body)
        }
    }
}
