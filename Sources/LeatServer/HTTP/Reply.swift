internal import HTTPTypes
internal import HummingbirdCore
internal import LeatCore
internal import NIOCore

/// The answer to a request.
struct Reply: Sendable {
    /// What follows the head.
    enum Body: Sendable {
        case bytes([UInt8])
        /// Written piece by piece; the closure must call `finish` of its writer, or throw.
        case stream(@Sendable (inout ReplyWriter) async throws -> Void)
    }

    var status: Int
    var mediaType: String?
    var headers: [RequestFault.Header] = []
    var body: Body

    /// An answer of bytes.
    init(_ status: Int, _ bytes: [UInt8] = [], mediaType: String? = nil) {
        self.status = status
        self.mediaType = mediaType
        self.body = .bytes(bytes)
    }

    /// An answer of JSON.
    init(_ status: Int, json value: JSONValue) {
        self.init(status, value.bytes, mediaType: "application/json")
    }

    /// An answer of text.
    init(_ status: Int, text: String) {
        self.init(status, Array(text.utf8), mediaType: "text/plain; charset=utf-8")
    }

    /// An answer that is written while it is made.
    init(
        _ status: Int,
        mediaType: String,
        stream: @escaping @Sendable (inout ReplyWriter) async throws -> Void
    ) {
        self.status = status
        self.mediaType = mediaType
        self.body = .stream(stream)
    }

    /// A refusal.
    init(_ fault: RequestFault) {
        let body = fault.body
        self.init(fault.status, body.bytes, mediaType: body.mediaType)
        self.headers = fault.headers
    }

    /// The same answer with one more header.
    func with(_ name: String, _ value: String) -> Reply {
        var reply = self
        reply.headers.append(RequestFault.Header(name: name, value: value))
        return reply
    }

    /// The bytes of the body; empty for a stream.
    var bytes: [UInt8] {
        if case .bytes(let bytes) = self.body { bytes } else { [] }
    }
}

/// Takes the pieces of a streamed answer; suspends while the client does not read.
struct ReplyWriter {
    private var writer: any ResponseBodyWriter
    private let allocator = ByteBufferAllocator()

    init(_ writer: any ResponseBodyWriter) { self.writer = writer }

    /// Sends bytes; throws when the client is gone.
    mutating func write(_ bytes: [UInt8]) async throws {
        guard !bytes.isEmpty else { return }
        try await self.writer.write(ByteBuffer(bytes: bytes))
    }

    /// Ends the answer.
    mutating func finish() async throws { try await self.writer.finish(nil) }
}
