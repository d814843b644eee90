import LeatCore
import LeatTesting
import Testing

@testable import LeatAgent

struct HTTPRequestParserTests {
    private static func parse(_ text: String, pieceByteCount: Int, limit: Int = 100) -> [String] {
        var parser = HTTPRequestParser(bodyByteCountMax: limit)
        let bytes = Array(text.utf8)
        var seen: [String] = []
        for start in stride(from: 0, to: bytes.count, by: pieceByteCount) {
            ByteSlice(Array(bytes[start..<min(start + pieceByteCount, bytes.count)])).withUnsafeBytes {
                parser.append($0)
            }
            loop: while true {
                switch parser.next() {
                case .more: break loop
                case .sendContinue: seen.append("continue")
                case .request(let request):
                    let body = String(decoding: request.body, as: UTF8.self)
                    seen.append("\(request.method) \(request.path) \(request.keepsAlive) \(body)")
                case .refuse(let status):
                    seen.append("refuse \(status)")
                    return seen
                }
            }
        }
        return seen
    }

    static let requests: [(text: String, seen: [String])] = [
        ("GET /a?b=c HTTP/1.1\r\nHost: x\r\n\r\n", ["GET /a true "]),
        ("GET /a HTTP/1.0\r\n\r\n", ["GET /a false "]),
        (
            "POST / HTTP/1.1\r\nContent-Length: 3\r\n\r\nabcPOST /2 HTTP/1.1\r\ncontent-length: 1\r\nConnection: close\r\n\r\nd",
            ["POST / true abc", "POST /2 false d"]
        ),
        (
            "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;x=y\r\nde\r\n0\r\nTrailer: 1\r\n\r\nGET /n HTTP/1.1\r\n\r\n",
            ["POST / true abcde", "GET /n true "]
        ),
        (
            "POST / HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\nx",
            ["continue", "POST / true x"]
        ),
        ("POST / HTTP/1.1\r\nContent-Length: 101\r\n\r\n", ["refuse 413"]),
        ("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n65\r\n", ["refuse 413"]),
        ("POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n", ["refuse 400"]),
        ("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", ["refuse 400"]),
        ("nonsense\r\n\r\n", ["refuse 400"]),
        ("GET / HTTP/1.1\r\n" + String(repeating: "x", count: 70_000), ["refuse 431"]),
    ]

    @Test(arguments: requests)
    func requestsAreTakenApartHoweverTheyArrive(text: String, seen: [String]) {
        for pieceByteCount in [1, 7, 100_000] where text.utf8.count < 1_000 || pieceByteCount > 1 {
            #expect(Self.parse(text, pieceByteCount: pieceByteCount) == seen)
        }
    }

    @Test
    func nonsenseNeverTraps() {
        var random = SeededRandom(seed: 3)
        let whole = Array(Self.requests[3].text.utf8)
        for _ in 0..<2_000 {
            var bytes = whole
            for _ in 0..<3 {
                bytes[Int.random(in: 0..<bytes.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
            }
            _ = Self.parse(String(decoding: bytes, as: UTF8.self), pieceByteCount: 11)
        }
    }
}
