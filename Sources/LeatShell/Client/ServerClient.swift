internal import LeatCore
internal import NIOCore
internal import NIOHTTP1
internal import NIOPosix
internal import NIOSSL

/// Talks to one leat-server; every request has a connection of its own, so that ending it ends the work behind it.
public struct ServerClient: Sendable {
    public let address: ServerAddress
    public let token: Secret?
    /// A file of certificates of which one must have signed the server's; `nil`: what the system trusts.
    let authorityPath: String?

    /// How long a connection may take to come about, in seconds.
    static let connectSecondsMax: Int64 = 5
    /// Bytes of a body that is kept whole: an error, a list.
    static let bodyByteCountMax = 16 << 20

    init(address: ServerAddress, token: Secret? = nil, authorityPath: String? = nil) {
        self.address = address
        self.token = token
        self.authorityPath = authorityPath
    }

    /// Sends a request and hands out the answer's status and bytes, in pieces as they arrive.
    ///
    /// The bytes are valid only during the call. Cancelling the task closes the connection. A call that returns `false`
    /// wants no more bytes.
    func perform(
        _ request: ServerRequest,
        onHead: (ServerReplyHead) throws -> Void,
        onBytes: (UnsafeRawBufferPointer) throws -> Bool
    ) async throws {
        try await self.exchange(request, over: try await self.connect(), onHead: onHead, onBytes: onBytes)
    }

    private func exchange(
        _ request: ServerRequest,
        over channel: Connection,
        onHead: (ServerReplyHead) throws -> Void,
        onBytes: (UnsafeRawBufferPointer) throws -> Bool
    ) async throws {
        try await channel.executeThenClose { inbound, outbound in
            try await self.send(request, to: outbound)
            var hasHead = false
            do {
                try await Self.receive(
                    from: inbound,
                    onHead: {
                        hasHead = true
                        try onHead($0)
                    },
                    onBytes: onBytes
                )
            } catch let error as IOError {
                let reason = "the connection to \(self.address) broke: \(systemReason(error.errnoCode))"
                throw CommandError(.serverUnreachable, reason, mayPass: true)
            } catch let error where TLSFailure.isOne(error) {
                throw TLSFailure.error(error, self.address)
            } catch is HTTPParserError {
                // What began as an answer and does not end as one was cut off.
                if hasHead { throw Self.cutOff }
                throw CommandError(.serverUnreachable, "\(self.address) does not speak HTTP; is it a leat-server?")
            }
        }
    }

    private static let cutOff = CommandError(
        .serverUnreachable,
        "the server closed the connection in the middle of its answer",
        mayPass: true
    )

    /// Sends a request and gathers the whole answer.
    func fetch(_ request: ServerRequest) async throws -> ServerReply {
        try await self.whole(request, over: try await self.connect())
    }

    /// Sends a request and gathers the good answer, trying a server that is being restarted again for so many seconds.
    ///
    /// A request that must not be sent twice is tried again only when none of it has been sent, or all was refused.
    func ask(_ request: ServerRequest, repository: String? = nil, retrySeconds: Int) async throws -> ServerReply {
        let reply = try await Patience.run(seconds: retrySeconds) {
            let channel = try await self.connect()
            let reply: ServerReply
            do {
                reply = try await self.whole(request, over: channel)
            } catch let error as CommandError where error.mayPass && !request.isRepeatable {
                throw CommandError(error.status, error.reason)
            }
            if reply.status == 503 || reply.status == 429 { throw self.failure(status: reply.status, body: reply.body) }
            return reply
        }
        guard (200..<300).contains(reply.status) else {
            throw self.failure(status: reply.status, body: reply.body, repository: repository)
        }
        return reply
    }

    private func whole(_ request: ServerRequest, over channel: Connection) async throws -> ServerReply {
        var head = ServerReplyHead(status: 0, headers: [:])
        var body: [UInt8] = []
        try await self.exchange(request, over: channel) {
            head = $0
        } onBytes: { bytes in
            body.append(contentsOf: bytes)
            return body.count <= Self.bodyByteCountMax
        }
        return ServerReply(status: head.status, headers: head.headers, body: body)
    }

    private typealias Connection = NIOAsyncChannel<HTTPClientResponsePart, HTTPClientRequestPart>

    private func connect() async throws -> Connection {
        let tls = self.address.isSecure ? try TLSFailure.context(trusting: self.authorityPath) : nil
        let host = self.address.host
        do {
            return try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
                .connectTimeout(.seconds(Self.connectSecondsMax))
                .channelOption(.recvAllocator, value: FixedSizeRecvByteBufferAllocator(capacity: 128 << 10))
                .connect(host: host, port: self.address.port) { channel in
                    channel.eventLoop.makeCompletedFuture {
                        let pipeline = channel.pipeline.syncOperations
                        if let tls {
                            let name = Self.isAddress(host) ? nil : host
                            try pipeline.addHandler(NIOSSLClientHandler(context: tls, serverHostname: name))
                        }
                        try pipeline.addHTTPClientHandlers()
                        return try Connection(wrappingChannelSynchronously: channel)
                    }
                }
        } catch {
            try Task.checkCancellation()
            throw Self.unreachable(self.address, error)
        }
    }

    /// Whether TLS must not be told this name, as it is an address.
    private static func isAddress(_ host: String) -> Bool {
        host.contains(":") || host.allSatisfy { $0.isNumber || $0 == "." }
    }

    private static func unreachable(_ address: ServerAddress, _ error: any Error) -> CommandError {
        let reason: String
        var mayPass = true
        switch error {
        case let error as NIOConnectionError:
            if let first = error.connectionErrors.first?.error {
                reason = Self.reason(first)
            } else {
                reason = "host '\(address.host)' is not known"
                mayPass = false
            }
        default:
            reason = Self.reason(error)
            mayPass = error is IOError
        }
        let hint = "start leat-server there, or name another with --server or LEAT_SERVER"
        let message = "cannot reach the server at \(address): \(reason); \(hint)"
        return CommandError(.serverUnreachable, message, mayPass: mayPass)
    }

    private static func reason(_ error: any Error) -> String {
        switch error {
        case let error as IOError: systemReason(error.errnoCode)
        case ChannelError.connectTimeout: "no answer within \(Self.connectSecondsMax) s"
        default: "\(error)"
        }
    }

    private func send(
        _ request: ServerRequest,
        to outbound: NIOAsyncChannelOutboundWriter<HTTPClientRequestPart>
    ) async throws {
        var headers = HTTPHeaders(request.headers)
        headers.add(name: "Host", value: self.address.hostHeader)
        headers.add(name: "User-Agent", value: "leat")
        headers.add(name: "Connection", value: "close")
        if let token { headers.add(name: "Authorization", value: "Bearer \(token.value)") }
        if !request.body.isEmpty || request.method != .get {
            headers.add(name: "Content-Length", value: String(request.body.count))
        }
        let head = HTTPRequestHead(
            version: .http1_1,
            method: HTTPMethod(rawValue: request.method.rawValue),
            uri: self.address.pathPrefix + request.path,
            headers: headers
        )
        do {
            try await outbound.write(.head(head))
            if !request.body.isEmpty { try await outbound.write(.body(.byteBuffer(ByteBuffer(bytes: request.body)))) }
            try await outbound.write(.end(nil))
        } catch is CancellationError {
            throw CancellationError()
        } catch let error as ChannelError {
            // The server may have answered and closed before it read everything: the answer says why.
            if case .ioOnClosedChannel = error { return }
            throw Self.unreachable(self.address, error)
        } catch {
            throw Self.unreachable(self.address, error)
        }
    }

    private static func receive(
        from inbound: NIOAsyncChannelInboundStream<HTTPClientResponsePart>,
        onHead: (ServerReplyHead) throws -> Void,
        onBytes: (UnsafeRawBufferPointer) throws -> Bool
    ) async throws {
        var hasEnded = false
        for try await part in inbound {
            switch part {
            case .head(let head):
                let headers = head.headers.map { ($0.name.lowercased(), $0.value) }
                let status = Int(head.status.code)
                try onHead(ServerReplyHead(status: status, headers: Dictionary(headers) { first, _ in first }))
            case .body(let buffer):
                guard try buffer.withUnsafeReadableBytes(onBytes) else { return }
            case .end:
                hasEnded = true
            }
            if hasEnded { return }
        }
        try Task.checkCancellation()
        throw Self.cutOff
    }
}
