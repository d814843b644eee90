import LeatCore
import Testing

@testable import LeatAgent

@Suite struct HTTPResponseParserTests {
    private static func parse(_ text: String, pieceByteCount: Int, closes: Bool = false) throws -> (
        parser: HTTPResponseParser, body: String, used: Int
    ) {
        var parser = HTTPResponseParser()
        var body: [UInt8] = []
        let bytes = Array(text.utf8)
        var used = 0
        while used < bytes.count, !parser.isDone {
            let end = min(bytes.count, used + pieceByteCount)
            used += try bytes[used..<end].withUnsafeBytes { try parser.consume($0) { body.append(contentsOf: $0) } }
        }
        if closes { try parser.close() }
        return (parser, String(decoding: body, as: UTF8.self), used)
    }

    static let responses: [(text: String, status: Int, body: String, keepsAlive: Bool)] = [
        ("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", 200, "hello", true),
        ("HTTP/1.1 204 No Content\r\n\r\n", 204, "", true),
        ("HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nhi", 200, "hi", false),
        ("HTTP/1.1 200 OK\r\nConnection: close\r\ncontent-length: 0\r\n\r\n", 200, "", false),
        (
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n4;x=y\r\ndefg\r\n  2 ;z\r\nhi\r\n0\r\nTrailer: t\r\n\r\n",
            200, "abcdefghi", true
        ),
        ("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 503 Busy\r\nContent-Length: 1\r\n\r\n!", 503, "!", true),
    ]

    @Test(arguments: responses.indices, [1, 3, 1_000])
    func responsesAreTheSameHoweverTheyAreCut(index: Int, pieceByteCount: Int) throws {
        let row = Self.responses[index]
        let found = try Self.parse(row.text, pieceByteCount: pieceByteCount)
        #expect(found.parser.isDone)
        #expect(found.parser.head.status == row.status)
        #expect(found.parser.head.keepsAlive == row.keepsAlive)
        #expect(found.body == row.body)
        #expect(found.used == row.text.utf8.count)
    }

    @Test func aBodyWithoutLengthEndsWithTheConnection() throws {
        let found = try Self.parse("HTTP/1.1 200 OK\r\n\r\nall of it", pieceByteCount: 4, closes: true)
        #expect(found.parser.isDone)
        #expect(found.body == "all of it")
        #expect(!found.parser.head.keepsAlive)
    }

    @Test(arguments: ["HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhel", "HTTP/1.1 200", "SSH-2.0-x\r\n"])
    func aResponseThatIsNotWholeIsAnError(text: String) {
        #expect(throws: HTTPResponseParser.Malformed.self) {
            try Self.parse(text, pieceByteCount: 100, closes: true)
        }
    }
}
