import LeatCore
import LeatTesting
import Testing

@testable import LeatServer

@Suite struct BulkFramingTests {
    /// The lines that a body has, as `A` and `S` with line numbers, or the reason of its refusal.
    static func lines(_ body: [UInt8], pieces: [Int] = []) -> String {
        var framing = BulkFraming()
        var result: [String] = []
        do throws(RequestFault) {
            var start = 0
            for end in pieces + [body.count] {
                try Array(body[start..<end]).withUnsafeBufferPointer { (bytes) throws(RequestFault) in
                    try framing.consume(UnsafeRawBufferPointer(bytes)) { event in
                        switch event {
                        case .action(let line, let number):
                            result.append("A\(number):\(String(decoding: line, as: UTF8.self))")
                            return !line.elementsEqual("delete".utf8)
                        case .source(let line, let number):
                            result.append("S\(number):\(String(decoding: line, as: UTF8.self))")
                            return false
                        }
                    }
                }
                start = end
            }
            try framing.finish()
        } catch {
            return error.reason
        }
        return result.joined(separator: " ")
    }

    static let cases: [(body: String, lines: String)] = [
        ("a\nb\n", "A1:a S2:b"),
        ("a\r\nb\r\n", "A1:a S2:b"),
        ("\n\na\nb\n\nc\nd\n", "A3:a S4:b A6:c S7:d"),
        ("a\n\n", "A1:a S2:"),
        ("delete\na\nb\n", "A1:delete A2:a S3:b"),
        ("", "request body is required"),
        ("\n\n", "Validation Failed: 1: no requests added;"),
        ("a\nb", "The bulk request must be terminated by a newline [\\n]"),
        ("a\n", "The bulk request must be terminated by a newline [\\n]"),
        ("a", "The bulk request must be terminated by a newline [\\n]"),
    ]

    @Test(arguments: cases)
    func findsTheseLines(body: String, lines: String) {
        #expect(Self.lines(Array(body.utf8)) == lines)
    }

    @Test func piecesDoNotMatter() {
        var random = SeededRandom(seed: 7)
        for _ in 0..<300 {
            let count = Int.random(in: 0...40, using: &random)
            let body = (0..<count).map { _ in Array("a\n\r{d".utf8).randomElement(using: &random) ?? 0 }
            let cuts = (0..<3).map { _ in Int.random(in: 0...count, using: &random) }.sorted()
            #expect(Self.lines(body, pieces: cuts) == Self.lines(body), "\(body) \(cuts)")
        }
    }
}
