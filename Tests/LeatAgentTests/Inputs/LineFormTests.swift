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
