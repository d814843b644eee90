internal import HTTPTypes
internal import NIOCore
internal import NIOHTTPTypes

/// What every connection needs that neither NIO nor Hummingbird does: `100 Continue`, large reads, and an end for bodies
/// that come too slowly.
///
/// A client that sends `Expect: 100-continue` waits for our word before it sends the body. It gets it at once, unless its
/// `Content-Length` says that the body will be refused; then the refusal comes first and the body is never sent.
final class ConnectionHandler: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPRequestPart
    typealias InboundOut = HTTPRequestPart
    typealias OutboundIn = HTTPResponsePart
    typealias OutboundOut = HTTPResponsePart

    private let bodyByteCountMax: Int
    private let slowNanoseconds: Int64
    private var pace = BodyPace()
    private var check: Scheduled<Void>?
    /// Tells queries when their client is gone.
    let presence = ClientPresence()

    /// - Parameters:
    ///   - bodyByteCountMax: Bodies longer than this are refused unread.
    ///   - slowSeconds: For so long a body may come more slowly than `ServerLimits.slowBodyBytesPerSecond`.
    init(bodyByteCountMax: Int, slowSeconds: Int) {
        self.bodyByteCountMax = bodyByteCountMax
        self.slowNanoseconds = Int64(slowSeconds) * 1_000_000_000
    }

    func handlerAdded(context: ChannelHandlerContext) {
        // Large reads cost 6 to 40 % less CPU per byte than NIO's 64 KiB (spec/fast-swift.md, section 6); small first ones
        // keep thousands of idle connections cheap.
        let reads = AdaptiveRecvByteBufferAllocator(
            minimum: 4_096,
            initial: 4_096,
            maximum: ServerLimits.receiveBufferByteCount
        )
        context.channel.setOption(.recvAllocator, value: reads).whenFailure { [channel = context.channel] _ in
            channel.close(promise: nil)
        }
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch self.unwrapInboundIn(data) {
        case .head(let head): self.begin(head, context)
        case .body(let piece): self.pace.received(piece.readableBytes, at: .now())
        case .end:
            self.pace.end()
            self.check?.cancel()
            self.check = nil
        }
        context.fireChannelRead(data)
    }

    func read(context: ChannelHandlerContext) {
        self.pace.waits(at: .now())
        context.read()
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case ChannelEvent.inputClosed? = event as? ChannelEvent { self.presence.leave() }
        context.fireUserInboundEventTriggered(event)
    }

    func channelInactive(context: ChannelHandlerContext) {
        self.check?.cancel()
        self.presence.leave()
        context.fireChannelInactive()
    }

    private func begin(_ head: HTTPRequest, _ context: ChannelHandlerContext) {
        if head.headerFields[.expect]?.lowercased() == "100-continue",
            Int(head.headerFields[.contentLength] ?? "0") ?? 0 <= self.bodyByteCountMax
        {
            context.writeAndFlush(self.wrapOutboundOut(.head(HTTPResponse(status: .continue))), promise: nil)
        }
        // An upload of a journal may go on for ever, and rest.
        if head.path?.hasSuffix("/upload") ?? false { return }
        self.pace.begin(at: .now())
        self.schedule(context)
    }

    /// Looks at the pace after a while, as long as the body has not ended.
    private func schedule(_ context: ChannelHandlerContext) {
        let delay = TimeAmount.nanoseconds(self.slowNanoseconds)
        self.check = context.eventLoop.assumeIsolated().scheduleTask(in: delay) {
            if self.pace.isSlow(at: .now(), after: self.slowNanoseconds) {
                context.close(promise: nil)
            } else {
                self.schedule(context)
            }
        }
    }
}

/// How fast the body of a request comes, while we wait for it; time in which we do not read is not the client's.
struct BodyPace {
    private var isBody = false
    private var byteCount = 0
    private var waitedNanoseconds: Int64 = 0
    private var waitsSince: NIODeadline?

    /// A body begins.
    mutating func begin(at now: NIODeadline) {
        self = BodyPace()
        self.isBody = true
        self.waitsSince = now
    }

    /// More bytes are asked for.
    mutating func waits(at now: NIODeadline) {
        if self.isBody, self.waitsSince == nil { self.waitsSince = now }
    }

    /// Bytes of the body came.
    mutating func received(_ count: Int, at now: NIODeadline) {
        guard self.isBody else { return }
        self.byteCount += count
        self.waitedNanoseconds += self.waiting(at: now)
        self.waitsSince = nil
    }

    /// The body is complete.
    mutating func end() { self.isBody = false }

    /// Whether the client has kept us waiting for longer than `grace` and sent too little meanwhile.
    func isSlow(at now: NIODeadline, after grace: Int64) -> Bool {
        let waited = self.waitedNanoseconds + self.waiting(at: now)
        guard self.isBody, waited >= grace else { return false }
        return Int64(self.byteCount) < waited / 1_000_000_000 * Int64(ServerLimits.slowBodyBytesPerSecond)
    }

    private func waiting(at now: NIODeadline) -> Int64 {
        self.waitsSince.map { (now - $0).nanoseconds } ?? 0
    }
}
