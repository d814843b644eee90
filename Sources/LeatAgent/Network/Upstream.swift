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
    private(set) var isBusy = false

    init(_ upstream: Upstream, loop: EventLoop) {
        self.upstream = upstream
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
        self.send(request, body: body, to: self.upstream.order()[...], onBody: onBody, completion: completion)
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
    func close() { for connection in self.connections { connection.close() } }
}
