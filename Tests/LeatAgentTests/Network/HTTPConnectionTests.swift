import LeatCore
import LeatTesting
import Testing

@testable import LeatAgent

/// How long a connection waits for a server that says nothing.
struct HTTPConnectionTests {
    static let silences: [(answer: String, responseTimeout: Duration, readIdleTimeout: Duration?, reason: String)] = [
        ("", .milliseconds(50), nil, "response timeout reached: no answer from"),
        ("", .milliseconds(50), .seconds(60), "response timeout reached: no answer from"),
        ("HTTP/1.1 200 OK\r\nContent-Le", .milliseconds(50), .seconds(60), "response timeout reached: no answer from"),
        (
            "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc", .seconds(60), .milliseconds(50),
            "read idle timeout reached"
        ),
        ("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc", .milliseconds(50), nil, "read idle timeout reached"),
    ]

    @Test(arguments: silences)
    func aSilentServerFailsTheRequest(
        answer: String,
        responseTimeout: Duration,
        readIdleTimeout: Duration?,
        reason: String
    ) throws {
        let loop = try EventLoop(time: SystemTime())
        let server = try StreamServer(StreamServer.Options(host: "127.0.0.1"), loop: loop) { connection in
            connection.received = { _ in connection.send(Array(answer.utf8)) }
        }
        defer { server.close() }
        var endpoint = Endpoint(host: "127.0.0.1", port: server.port)
        endpoint.responseTimeout = responseTimeout
        endpoint.readIdleTimeout = readIdleTimeout
        let client = HTTPConnection(endpoint: endpoint, tls: nil, loop: loop)
        var failure: HTTPFailure?
        client.send(HTTPRequest(), body: [1], onBody: { _ in }) { result in
            if case .failure(let found) = result { failure = found }
        }
        try eventually("the request fails") {
            loop.turn(waitsAtMost: .milliseconds(5))
            return failure != nil
        }
        #expect(failure?.reason.hasPrefix(reason) == true, "\(failure?.reason ?? "")")
    }
}
