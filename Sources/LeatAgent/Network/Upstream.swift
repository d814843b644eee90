internal import LeatCore

/// The servers of one output: the only one, or those of an upstream file, which share the load and stand in for each other.
final class Upstream {
    /// A server, and how it is reached.
    struct Node {
        let endpoint: Endpoint
        let tls: TLSClient?
    }

    /// How long a server that failed is asked only when all others fail too.
    private static let penalty = Duration.seconds(10)

    let nodes: [Node]
    private let loop: EventLoop
    private var failedUntil: [UInt64]
    private var turn = 0

    init(_ nodes: [Node], loop: EventLoop) {
        precondition(!nodes.isEmpty, "an output has a server")
        self.nodes = nodes
        self.loop = loop
        self.failedUntil = [UInt64](repeating: 0, count: nodes.count)
    }

    /// The servers in the order in which to try them: in turn, those that failed lately last.
    func order() -> [Int] {
        self.turn = (self.turn + 1) % self.nodes.count
        let now = self.loop.time.monotonicNanoseconds()
        let all = (0..<self.nodes.count).map { ($0 + self.turn) % self.nodes.count }
        return all.filter { self.failedUntil[$0] <= now } + all.filter { self.failedUntil[$0] > now }
    }

    func noteFailure(of index: Int) {
        self.failedUntil[index] = self.loop.time.monotonicNanoseconds() + Self.penalty.wholeNanoseconds
    }

    func noteSuccess(of index: Int) { self.failedUntil[index] = 0 }
}

/// Sends the requests of one worker of an output, one at a time, to a server that answers.
final class HTTPClient {
    private let upstream: Upstream
    private let connections: [HTTPConnection]
    private let authorizer: (any RequestAuthorizer)?
    private let loop: EventLoop
    private(set) var isBusy = false

    /// `authorizer`: who proves to the servers who sends, where that takes more than a header.
    init(_ upstream: Upstream, authorizer: (any RequestAuthorizer)? = nil, loop: EventLoop) {
        self.upstream = upstream
        self.authorizer = authorizer
        self.loop = loop
        self.connections = upstream.nodes.map { HTTPConnection(endpoint: $0.endpoint, tls: $0.tls, loop: loop) }
    }

    /// Sends a request; `onBody` gets the response's body as it arrives, `completion` its head at the end.
    ///
    /// A server that cannot be reached leaves the request to the next one. One that may have seen it does not, so that
    /// nothing is doubled without need.
    func send(
        _ request: HTTPRequest,
        body: [UInt8],
        onBody: @escaping (UnsafeRawBufferPointer) -> Void,
        completion: @escaping (Result<HTTPResponseParser.Head, HTTPFailure>) -> Void
    ) {
        precondition(!self.isBusy, "one request at a time")
        self.isBusy = true
        let order = self.upstream.order()[...]
        guard let authorizer = self.authorizer else {
            return self.send(request, body: body, to: order, onBody: onBody, completion: completion)
        }
        authorizer.authorize(request) { [weak self, loop] result in
            switch result {
            case .success(let request):
                self?.send(request, body: body, authorizer, onBody: onBody, completion: completion)
            case .failure(let failure):
                // As every answer, it comes later.
                loop.enqueue {
                    self?.isBusy = false
                    completion(.failure(HTTPFailure(reason: failure.reason, wasSent: false)))
                }
            }
        }
    }

    /// Sends a request that proves who sends it; where the proof is not accepted it is as if nobody had answered.
    private func send(
        _ request: HTTPRequest,
        body: [UInt8],
        _ authorizer: any RequestAuthorizer,
        onBody: @escaping (UnsafeRawBufferPointer) -> Void,
        completion: @escaping (Result<HTTPResponseParser.Head, HTTPFailure>) -> Void
    ) {
        let answer = Excerpt()
        let takeBody = { (bytes: UnsafeRawBufferPointer) in
            answer.take(bytes)
            onBody(bytes)
        }
        self.send(request, body: body, to: self.upstream.order()[...], onBody: takeBody) { result in
            if case .success(let head) = result, head.status >= 400,
                let reason = authorizer.refusal(of: request, status: head.status, text: answer.text)
            {
                return completion(.failure(HTTPFailure(reason: reason, wasSent: true)))
            }
            completion(result)
        }
    }

    private func send(
        _ request: HTTPRequest,
        body: [UInt8],
        to order: ArraySlice<Int>,
        onBody: @escaping (UnsafeRawBufferPointer) -> Void,
        completion: @escaping (Result<HTTPResponseParser.Head, HTTPFailure>) -> Void
    ) {
        guard let index = order.first else { preconditionFailure("no server is left to try") }
        self.connections[index].send(request, body: body, onBody: onBody) { [weak self] result in
            guard let self else { return }
            switch result {
            case .success:
                self.upstream.noteSuccess(of: index)
            case .failure(let failure):
                self.upstream.noteFailure(of: index)
                if !failure.wasSent, order.count > 1 {
                    return self.send(
                        request,
                        body: body,
                        to: order.dropFirst(),
                        onBody: onBody,
                        completion: completion
                    )
                }
            }
            self.isBusy = false
            completion(result)
        }
    }

    /// Ends all connections; a running request fails.
    func close() {
        self.authorizer?.close()
        for connection in self.connections { connection.close() }
    }
}
