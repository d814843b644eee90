import LeatCore
import LeatParsing
import Testing

struct DockerLineTests {
    static let wellFormed: [(line: String, message: String, isPartial: Bool, stream: LogStream)] = [
        (#"{"log":"hello\n","stream":"stdout","time":"2026-03-14T09:26:53.591793158Z"}"#, "hello", false, .stdout),
        (#"{"log":"part","stream":"stderr","time":"2026-03-14T09:26:53.591793158Z"}"#, "part", true, .stderr),
        (#"{"log":"\n","stream":"stdout","time":"2026-03-14T09:26:53.591793158Z"}"#, "", false, .stdout),
        (#"{"log":"","stream":"stdout","time":"2026-03-14T09:26:53.591793158Z"}"#, "", true, .stdout),
        (#"{"log":"a\\n","stream":"stdout","time":"2026-03-14T09:26:53.591793158Z"}"#, #"a\\n"#, true, .stdout),
        (#"{"log":"a\\\n","stream":"stdout","time":"2026-03-14T09:26:53.591793158Z"}"#, #"a\\"#, false, .stdout),
        (
            #"{"log":"{\"a\":\"b\"}\r\n","stream":"stdout","time":"2026-03-14T09:26:53.591793158Z"}"#,
            #"{\"a\":\"b\"}\r"#, false, .stdout
        ),
        (
            #"{"log":"x\n","stream":"stdout","attrs":{"tag":"}\"{","n":[1,"]"]},"time":"2026-03-14T09:26:53.591793158Z"}"#,
            "x", false, .stdout
        ),
        (
            #" { "time" : "2026-03-14T09:26:53.591793158Z" , "stream":"stdout", "n": 1, "log":"x\n" } "#, "x", false,
            .stdout
        ),
    ]

    @Test(arguments: wellFormed)
    func takesTheLineApart(line: String, message: String, isPartial: Bool, stream: LogStream) throws {
        let bytes = ByteSlice(line)
        let parsed = try #require(DockerLine(bytes.unsafeBytes))
        #expect(String(decoding: parsed.escapedMessage(in: bytes.unsafeBytes), as: UTF8.self) == message)
        #expect(parsed.isPartial == isPartial)
        #expect(parsed.stream == stream)
        #expect(parsed.nanoseconds == 1_773_480_413_591_793_158)
    }

    @Test
    func otherMembersAreFound() throws {
        let text = #"{"log":"x\n","stream":"stdout","attrs":{"a":"}"}, "n" : 1 ,"time":"2024-02-29T12:00:00Z","z":"y"}"#
        let bytes = ByteSlice(text)
        let parsed = try #require(DockerLine(bytes.unsafeBytes))
        let others = parsed.otherRanges.map { bytes.unsafeBytes.slice($0).trimmed.text }
        #expect(others == [#""attrs":{"a":"}"}"#, #""n" : 1"#, #""z":"y""#])
    }

    @Test
    func timesWithoutFractionAreRead() throws {
        let bytes = ByteSlice(#"{"log":"x\n","stream":"stdout","time":"2024-02-29T12:00:00Z"}"#)
        let parsed = try #require(DockerLine(bytes.unsafeBytes))
        #expect(parsed.nanoseconds == 1_709_208_000_000_000_000)
        #expect(String(decoding: parsed.timeText(in: bytes.unsafeBytes), as: UTF8.self) == "2024-02-29T12:00:00Z")
    }

    @Test(arguments: ["2024-02-29T14:00:00+02:00", "2024-02-29T14:00:00.000+0200", "2024-02-29T06:30:00-0530"])
    func otherZonesAreRead(time: String) throws {
        let bytes = ByteSlice(#"{"log":"x\n","stream":"stdout","time":"\#(time)"}"#)
        let parsed = try #require(DockerLine(bytes.unsafeBytes))
        #expect(parsed.nanoseconds == 1_709_208_000_000_000_000)
    }

    static let malformed = [
        "", "{}", "hello", #"{"log":"x\n","stream":"stdout"}"#,
        #"{"log":"x\n","stream":"std","time":"2024-02-29T12:00:00Z"}"#,
        #"{"log":"x\n","stream":"stdout","time":"2024-02-29T12:00:00"}"#,
        #"{"log":"x\n","stream":"stdout","time":"2024-02-29T12:00:00Z""#,
        #"{"log":"x\n","stream":"stdout","time":"2024-02-29T12:00:00Z"} x"#,
        #"{"log":"x\n,"stream":"stdout","time":"2024-02-29T12:00:00Z"}"#,
        #"{"log":1,"stream":"stdout","time":"2024-02-29T12:00:00Z"}"#,
    ]

    @Test(arguments: malformed)
    func refusesWhatIsNotDocker(_ line: String) {
        let bytes = ByteSlice(line)
        #expect(DockerLine(bytes.unsafeBytes) == nil)
    }

    @Test
    func changedBytesNeverTrap() {
        var random = SeededRandom(seed: 4)
        let original = Array(
            #"{"log":"a\"b\\\n","stream":"stdout","attrs":{"a":[1]},"time":"2024-02-29T12:00:00Z"}"#.utf8
        )
        let alphabet = Array(#"{}[]",:\ntu 0"#.utf8)
        for _ in 0..<20_000 {
            var bytes = original
            for _ in 0..<Int.random(in: 0..<5, using: &random) {
                bytes[Int.random(in: 0..<bytes.count, using: &random)] = alphabet.randomElement(using: &random) ?? 0
            }
            bytes.removeLast(Int.random(in: 0...bytes.count, using: &random))
            bytes.withUnsafeBytes { line in
                if let parsed = DockerLine(line) { #expect(parsed.messageRange.upperBound <= line.count) }
            }
        }
    }
}
