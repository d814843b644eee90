import LeatCore
import LeatTesting
import Testing

@testable import LeatAgent

@Suite struct BulkResponseReaderTests {
    private static func read(_ text: String, pieceByteCount: Int = .max) -> BulkResponseReader {
        var reader = BulkResponseReader()
        let bytes = Array(text.utf8)
        var offset = 0
        while offset < bytes.count {
            let end = min(bytes.count, offset + min(pieceByteCount, bytes.count))
            bytes[offset..<end].withUnsafeBytes { reader.consume($0) }
            offset = end
        }
        return reader
    }

    static let mixed = """
        {"took":3,"errors":true,"items":[{"create":{"_index":"i","status":201}},\
        {"create":{"status":429,"error":{"type":"es_rejected_execution_exception","reason":"a \\"}]\\" b"}}},\
        {"index":{"error":{"type":"mapper","caused_by":{"type":"x"}},"status":400,"_id":"q"}},{"create":{"status":409}}]}
        """

    @Test(arguments: [1, 2, 7, 64, .max])
    func itemsAreTheSameHoweverTheAnswerIsCut(pieceByteCount: Int) {
        let reader = Self.read(Self.mixed, pieceByteCount: pieceByteCount)
        #expect(reader.errors == true)
        #expect(reader.isComplete)
        #expect(!reader.isMalformed)
        #expect(reader.items.map(\.status) == [201, 429, 400, 409])
        let reasons = reader.items.map { String(decoding: $0.reason, as: UTF8.self) }
        #expect(reasons[0] == "")
        #expect(reasons[1] == #"{"type":"es_rejected_execution_exception","reason":"a \"}]\" b"}"#)
        #expect(reasons[2] == #"{"type":"mapper","caused_by":{"type":"x"}}"#)
    }

    @Test func noItemIsReadWhenThereAreNoErrors() {
        let reader = Self.read(#"{"took":1,"errors":false,"items":[{"create":{"status":20"#)
        #expect(reader.errors == false)
        #expect(reader.isComplete)
        #expect(reader.items.isEmpty)
    }

    @Test(arguments: ["", "{", "{\"errors\":true,\"items\":[{\"create\":{\"status\":2", "]", "<html>", "{]}"])
    func anAnswerThatIsNotWholeIsNotComplete(text: String) {
        let reader = Self.read(text)
        #expect(!reader.isComplete || reader.isMalformed)
    }

    @Test func randomBytesNeverTrap() {
        var random = SeededRandom(seed: 11)
        let letters = Array(#"{}[]",:\ertu0129 items"errors"status"#.utf8)
        for _ in 0..<3_000 {
            var reader = BulkResponseReader()
            let bytes = (0..<Int.random(in: 0...120, using: &random)).map { _ in
                letters[Int.random(in: 0..<letters.count, using: &random)]
            }
            bytes.withUnsafeBytes { reader.consume($0) }
            #expect(reader.items.count <= bytes.count)
        }
    }
}
