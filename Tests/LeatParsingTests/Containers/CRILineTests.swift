import LeatCore
import LeatParsing
import Testing

struct CRILineTests {
    struct Case: Sendable {
        var line: String
        var nanoseconds: Int64
        var stream: LogStream = .stdout
        var isPartial = false
        var message = "hello"
    }

    static let wellFormed: [Case] = [
        Case(line: "2026-03-14T09:26:53.591793158Z stdout F hello", nanoseconds: 1_773_480_413_591_793_158),
        Case(line: "1970-01-01T00:00:00.000000000Z stderr F hello", nanoseconds: 0, stream: .stderr),
        Case(line: "1969-12-31T23:59:59.999999999Z stdout P hello", nanoseconds: -1, isPartial: true),
        Case(
            line: "2024-02-29T12:00:00.5Z stderr P ",
            nanoseconds: 1_709_208_000_500_000_000,
            stream: .stderr,
            isPartial: true,
            message: ""
        ),
        Case(line: "2024-02-29T12:00:00Z stdout F", nanoseconds: 1_709_208_000_000_000_000, message: ""),
        Case(line: "2024-02-29T14:30:00.000000001+02:30 stdout F hello", nanoseconds: 1_709_208_000_000_000_001),
        Case(line: "2024-02-29T04:00:00.123456-08:00 stdout F hello", nanoseconds: 1_709_208_000_123_456_000),
        Case(line: "2024-02-29T12:00:00.000000000Z stdout F:x:y hello", nanoseconds: 1_709_208_000_000_000_000),
        Case(
            line: "2024-02-29T12:00:00.1234567890Z stdout F  hello ",
            nanoseconds: 1_709_208_000_123_456_789,
            message: " hello "
        ),
    ]

    @Test(arguments: wellFormed)
    func takesTheLineApart(_ expected: Case) throws {
        let bytes = ByteSlice(expected.line)
        let line = try #require(CRILine(bytes.unsafeBytes))
        #expect(line.nanoseconds == expected.nanoseconds)
        #expect(line.stream == expected.stream)
        #expect(line.isPartial == expected.isPartial)
        #expect(String(decoding: line.message(in: bytes.unsafeBytes), as: UTF8.self) == expected.message)
        let time = String(decoding: line.timeText(in: bytes.unsafeBytes), as: UTF8.self)
        #expect(expected.line.hasPrefix(time + " std"))
    }

    static let malformed = [
        "", "hello", "2026-03-14T09:26:53.591793158Z", "2026-03-14T09:26:53.591793158Z stdout",
        "2026-03-14T09:26:53.591793158Z stdin F x", "2026-03-14T09:26:53.591793158Z stdout X x",
        "2026-13-14T09:26:53.591793158Z stdout F x", "2026-02-29T09:26:53.591793158Z stdout F x",
        "2026-03-14T24:26:53.591793158Z stdout F x", "2026-03-14T09:60:53.591793158Z stdout F x",
        "2026-03-14 09:26:53.591793158Z stdout F x", "2026-03-14T09:26:53.Z stdout F x",
        "2026-03-14T09:26:53.591793158 stdout F x", "1026-03-14T09:26:53.591793158Z stdout F x",
        "2026-03-14T09:26:53.591793158Z stdout Fx", "2026-0:-14T09:26:53.591793158Z stdout F x",
    ]

    @Test(arguments: malformed)
    func refusesWhatIsNotCRI(_ line: String) {
        let bytes = ByteSlice(line)
        #expect(CRILine(bytes.unsafeBytes) == nil)
    }

    @Test
    func changedBytesNeverTrap() {
        var random = SeededRandom(seed: 3)
        let original = Array("2026-03-14T09:26:53.591793158+02:00 stdout F:t hello".utf8)
        for _ in 0..<20_000 {
            var bytes = original
            for _ in 0..<Int.random(in: 0..<4, using: &random) {
                bytes[Int.random(in: 0..<bytes.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
            }
            bytes.removeLast(Int.random(in: 0...bytes.count, using: &random))
            bytes.withUnsafeBytes { line in
                if let parsed = CRILine(line) { #expect(parsed.messageStart <= line.count) }
            }
        }
    }
}
