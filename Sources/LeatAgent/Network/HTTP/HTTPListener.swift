internal import LeatCore

/// An answer.
struct Answer {
    var status = 200
    var contentType = "application/json"
    var headers: [(name: String, value: String)] = []
    var body: [UInt8] = []

    /// An answer of text.
    static func text(_ text: String, status: Int = 200, contentType: String = "text/plain") -> Answer {
        Answer(status: status, contentType: contentType, body: Array(text.utf8))
    }

    /// An answer of JSON text.
    static func json(_ text: String, status: Int = 200) -> Answer { Answer(status: status, body: Array(text.utf8)) }

    /// The bytes on the wire; `isHead`: without the body.
    fileprivate func bytes(keepsAlive: Bool, isHead: Bool) -> [UInt8] {
        var head = "HTTP/1.1 \(self.status) \(Self.reason(self.status))\r\n"
        if !self.body.isEmpty { head += "Content-Type: \(self.contentType)\r\n" }
        for header in self.headers { head += "\(header.name): \(header.value)\r\n" }
        // An answer without content has no length either.
        if self.status != 204 { head += "Content-Length: \(self.body.count)\r\n" }
        head += "Connection: \(keepsAlive ? "keep-alive" : "close")\r\n\r\n"
        return Array(head.utf8) + (isHead || self.status == 204 ? [] : self.body)
    }

    private static func reason(_ status: Int) -> String {
        switch status {
        case 201: "Created"
        case 204: "No Content"
        case 200..<300: "OK"
        case 401: "Unauthorized"
        case 403: "Forbidden"
        case 404: "Not Found"
        case 405: "Method Not Allowed"
        case 413: "Content Too Large"
        case 415: "Unsupported Media Type"
        case 431: "Request Header Fields Too Large"
        case 503: "Service Unavailable"
        case 500...: "Internal Server Error"
        default: "Bad Request"
        }
    }
}

/// A small HTTP/1.1 server on the loop; requests of a connection are answered one after the other.
final class HTTPListener {
    /// Gets a request, and answers it by one call of `respond`, at once or later.
    typealias Handler = (_ request: ReceivedRequest, _ respond: @escaping (Answer) -> Void) -> Void

    private static let bodyByteCountMax = 1 << 20

    private let bodyByteCountMax: Int
    private let handler: Handler
    private var server: StreamServer?

    /// A connection and the requests on it.
    private final class Exchange {
        let connection: ServerConnection
        var parser: HTTPRequestParser
        var isAnswering = false
        var isOver = false

        init(_ connection: ServerConnection, bodyByteCountMax: Int) {
            self.connection = connection
            self.parser = HTTPRequestParser(bodyByteCountMax: bodyByteCountMax)
        }
    }

    /// The port that is listened on.
    var port: Int { self.server?.port ?? 0 }

    init(
        _ options: StreamServer.Options,
        tls: TLSServer? = nil,
        loop: EventLoop,
        bodyByteCountMax: Int = HTTPListener.bodyByteCountMax,
        handler: @escaping Handler
    ) throws(InputError) {
        self.bodyByteCountMax = bodyByteCountMax
        self.handler = handler
        self.server = try StreamServer(options, tls: tls, loop: loop) { [weak self] in self?.serve($0) }
    }

    /// Goes on reading from connections that were paused.
    func resume() { self.server?.resume() }

    /// Ends all connections and listens no more.
    func close() { self.server?.close() }

    private func serve(_ connection: ServerConnection) {
        let exchange = Exchange(connection, bodyByteCountMax: self.bodyByteCountMax)
        // The exchange lives as long as the connection's closure, which the connection drops when it closes.
        connection.received = { [weak self] bytes in
            exchange.parser.append(bytes)
            self?.proceed(exchange)
            // Requests behind one that is being answered wait at the client.
            if exchange.isAnswering { exchange.connection.pause() }
        }
    }

    private func proceed(_ exchange: Exchange) {
        while !exchange.isAnswering, !exchange.isOver {
            switch exchange.parser.next() {
            case .more: return
            case .sendContinue: exchange.connection.send(Array("HTTP/1.1 100 Continue\r\n\r\n".utf8))
            case .refuse(let status):
                exchange.isOver = true
                let answer = Answer.json("{\"error\":\"bad request\"}", status: status)
                exchange.connection.send(answer.bytes(keepsAlive: false, isHead: false))
                exchange.connection.closeWhenSent()
            case .request(var request):
                request.peer = exchange.connection.peer
                self.answer(request, exchange)
            }
        }
    }

    private func answer(_ request: ReceivedRequest, _ exchange: Exchange) {
        exchange.isAnswering = true
        exchange.connection.pendingAnswerCount += 1
        let isHead = request.method == "HEAD"
        self.handler(request) { [weak self] answer in
            precondition(exchange.isAnswering, "a request is answered once")
            exchange.isAnswering = false
            if !request.keepsAlive { exchange.isOver = true }
            exchange.connection.send(answer.bytes(keepsAlive: request.keepsAlive, isHead: isHead))
            exchange.connection.pendingAnswerCount -= 1
            exchange.connection.resume()
            if !request.keepsAlive { exchange.connection.closeWhenSent() }
            // The next request may have arrived already; a long row of them must not grow the stack.
            self?.server?.loop.enqueue { self?.proceed(exchange) }
        }
    }
}
