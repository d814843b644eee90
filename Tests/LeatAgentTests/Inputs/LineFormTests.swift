import LeatTesting
import Testing

@testable import LeatAgent

/// How the keys of a `tail` say in which form its lines are.
struct LineFormTests {
    static let lines: [(keys: String, line: String, record: String)] = [
        ("Parser docker", #"{"level":"info","n":1}"#, #"{"level":"info","n":1}"#),
        ("Parser docker\n    Docker_Mode On", #"{"level":"info"}"#, #"{"level":"info"}"#),
        ("Parser docker", "plain", #"{"log":"plain"}"#),
        ("Parser cri", "2026 stdout F x", #"{"message":"x"}"#),
    ]

    @Test(arguments: lines)
    func aContainersParserReadsLinesInAnotherForm(keys: String, line: String, record: String) throws {
        try withTemporaryFolder { folder in
            try folder.write("a.log", line + "\n")
            try folder.write(
                "parsers.conf",
                """
                [PARSER]
                    Name docker
                    Format json
                [PARSER]
                    Name cri
                    Format regex
                    Regex ^\\d+ stdout F (?<message>.*)$
                """
            )
            let world = try AgentWorld(folder)
            try world.start(
                """
                [SERVICE]
                    Flush 0.01
                    Parsers_File \(folder.path("parsers.conf"))
                [INPUT]
                    Name tail
                    Path \(folder.path("a.log"))
                    Read_From_Head On
                    \(keys)
                [OUTPUT]
                    Name file
                    Match *
                    Path \(folder.path)
                    File out
                    Format plain
                """
            )
            #expect(try world.lines("out", count: 1) == [record])
        }
    }

    /// Definitions under the names of container formats, with the records of two lines.
    static let definitions: [(definition: String, lines: [String], records: [String])] = [
        (
            "Name cri\nFormat regex\nTime_Key time\nTime_Format %Y-%m-%dT%H:%M:%S.%L%z\nTime_Keep On\n"
                + #"Regex ^(?<time>[^ ]+) (?<stream>stdout|stderr) (?<flag>[^ ]*) (?<log>.*)$"#,
            ["2026-11-30T08:00:00.000000001Z stdout F a", "2026-11-30T08:00:00.000000002Z stderr F b"],
            [
                #"{"time":"2026-11-30T08:00:00.000000001Z","stream":"stdout","flag":"F","log":"a"}"#,
                #"{"time":"2026-11-30T08:00:00.000000002Z","stream":"stderr","flag":"F","log":"b"}"#,
            ]
        ),
        (
            "Name cri\nFormat regex\nTime_Key time\nTime_Format %Y-%m-%dT%H:%M:%S.%L%z\n"
                + #"Regex ^(?<time>[^ ]+) (?<stream>stdout|stderr) (?<flag>[^ ]*) (?<log>.*)$"#,
            ["2026-11-30T08:00:00.000000001Z stdout P a", "2026-11-30T08:00:00.000000002Z stdout F b"],
            [#"{"stream":"stdout","flag":"P","log":"a"}"#, #"{"stream":"stdout","flag":"F","log":"b"}"#]
        ),
        (
            "Name docker\nFormat json\nTime_Key time\nTime_Format %Y-%m-%dT%H:%M:%S.%L\nTime_Keep On",
            [
                #"{"log":"a","stream":"stdout","time":"2026-11-30T08:00:00.1Z","pod":1}"#,
                #"{"log":"b","stream":"stdout","time":"2026-11-30T08:00:00.2Z","pod":2}"#,
            ],
            [
                #"{"log":"a","stream":"stdout","time":"2026-11-30T08:00:00.1Z","pod":1}"#,
                #"{"log":"b","stream":"stdout","time":"2026-11-30T08:00:00.2Z","pod":2}"#,
            ]
        ),
        (
            "Name docker\nFormat json\nTime_Key ts",
            [#"{"log":"a\n","stream":"stdout","time":"2026-11-30T08:00:00.1Z"}"#, #"{"m":1}"#],
            [#"{"log":"a\n","stream":"stdout","time":"2026-11-30T08:00:00.1Z"}"#, #"{"m":1}"#]
        ),
    ]

    @Test(arguments: definitions)
    func aDefinitionUnderAContainersNameCounts(definition: String, lines: [String], records: [String]) throws {
        try withTemporaryFolder { folder in
            try folder.write("a.log", lines.joined(separator: "\n") + "\n")
            let keys = definition.split(separator: "\n").map { "    \($0)\n" }.joined()
            let name = definition.split(separator: "\n")[0].dropFirst(5)
            let world = try AgentWorld(folder)
            try world.start(
                "[SERVICE]\n    Flush 0.01\n[PARSER]\n\(keys)[INPUT]\n    Name tail\n    Path \(folder.path("a.log"))\n"
                    + "    Read_From_Head On\n    Parser \(name)\n[OUTPUT]\n    Name file\n    Match *\n    Path \(folder.path)\n"
                    + "    File out\n    Format plain\n"
            )
            #expect(try world.lines("out", count: 2) == records)
        }
    }

    @Test
    func aMultilineParserMayJudgeAFieldOfParsedLines() throws {
        try withTemporaryFolder { folder in
            let lines = [
                #"{"text":"ERROR a","level":"e"}"#, #"{"text":"  at b","level":"x"}"#,
                #"{"text":"  at \"c\"","level":"y"}"#,
                "no object", #"{"text":"ERROR d","level":"f"}"#, #"{"level":"no text"}"#,
            ]
            try folder.write("a.log", lines.joined(separator: "\n") + "\n")
            let world = try AgentWorld(folder)
            try world.start(
                """
                [SERVICE]
                    Flush 0.01
                [PARSER]
                    Name json
                    Format json
                [MULTILINE_PARSER]
                    name errors
                    type regex
                    flush_timeout 50
                    parser json
                    key_content text
                    rule "start_state" "/^ERROR/" "cont"
                    rule "cont" "/^  at/" "cont"
                [INPUT]
                    Name tail
                    Path \(folder.path("a.log"))
                    Read_From_Head On
                    multiline.parser errors
                [OUTPUT]
                    Name file
                    Match *
                    Path \(folder.path)
                    File out
                    Format plain
                """
            )
            let expected = [
                #"{"text":"ERROR a\n  at b\n  at \"c\"","level":"e"}"#, #"{"log":"no object"}"#,
                #"{"text":"ERROR d","level":"f"}"#, #"{"log":"{\"level\":\"no text\"}"}"#,
            ]
            #expect(try world.lines("out", count: 4) == expected)
        }
    }
}
