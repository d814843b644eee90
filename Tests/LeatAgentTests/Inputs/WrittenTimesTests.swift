import LeatCore
import LeatParsing
import LeatTesting
import Testing

@testable import LeatAgent

/// The `time` of joined container lines is that of their first line, digit by digit.
struct WrittenTimesTests {
    private static func docker(_ text: String, _ time: String) -> String {
        #"{"log":"\#(text)","stream":"stdout","time":"\#(time)"}"# + "\n"
    }

    private static func times(_ records: [String]) -> [String] {
        records.map { String($0.matches(of: #/"time":"(.*?)"/#).map { $0.output.1 }.joined(separator: "|")) }
    }

    static let lines: [(isTrace: Bool, docker: Bool, text: String, times: [String])] = [
        (
            false, true,
            Self.docker("one ", "2026-11-30T10:00:00.1234567Z") + Self.docker("two ", "2026-11-30T10:00:01Z")
                + Self.docker(#"three\n"#, "2026-11-30T10:00:02Z") + Self.docker("x ", "2026-11-30T10:00:03.5Z")
                + Self.docker(#"y\n"#, "2026-11-30T10:00:04Z"),
            ["2026-11-30T10:00:00.1234567Z", "2026-11-30T10:00:03.5Z"]
        ),
        (
            false, false,
            "2026-11-30T10:00:00.10+01:00 stdout P one \n2026-11-30T10:00:01Z stderr P other \n"
                + "2026-11-30T10:00:02Z stdout F two\n2026-11-30T10:00:03Z stderr F end\n",
            ["2026-11-30T10:00:00.10+01:00", "2026-11-30T10:00:01Z"]
        ),
        (
            true, false,
            "2026-11-30T10:00:00Z stdout F plain\n2026-11-30T10:00:01.5Z stdout P Err\n2026-11-30T10:00:02Z stdout F or: x\n"
                + "2026-11-30T10:00:03Z stdout F \tat y\n2026-11-30T10:00:04.25Z stdout F after\n",
            ["2026-11-30T10:00:00Z", "2026-11-30T10:00:01.5Z", "2026-11-30T10:00:04.25Z"]
        ),
    ]

    @Test(arguments: lines)
    func areKeptExactly(isTrace: Bool, docker: Bool, text: String, times: [String]) throws {
        try withTemporaryFolder { folder in
            let world = try TailWorld(folder)
            try world.append(text, to: "a.log")
            try world.start { options in
                options.form.readsDocker = docker
                options.form.readsCRI = !docker
                if isTrace { options.form.multiline = BuiltInMultiline.rules("java").map { MultilineMachine($0) } }
            }
            defer { world.stop() }
            world.pass(.seconds(5))
            #expect(Self.times(world.records) == times, "\(world.records)")
        }
    }
}
