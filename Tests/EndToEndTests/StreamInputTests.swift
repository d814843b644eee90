import Foundation
import LeatCore
import LeatTesting
import Testing

/// The agent as a filter between programs: what comes in on standard input goes out on standard output.
@Suite(.enabled(if: Programs.areBuilt, Programs.missing)) struct StreamInputTests {
    @Test func standardInputBecomesEventsAndItsEndStopsTheAgent() throws {
        try withTemporaryFolder { folder in
            let agent = try RunningProgram(
                Programs.agent,
                ["-q", "-i", "stdin", "-o", "stdout", "-m", "*"],
                environment: ["LEAT_STATE": folder.path("state")],
                input: "{\"a\":1}\n{\"a\":\"two\"}\nplain text\n{\"broken\":\n",
                folder: folder
            )
            #expect(try agent.wait(within: .seconds(20)) == .exited(0), "\(agent.errors)")
            let lines = agent.output.split(separator: "\n")
            #expect(lines.count == 4)
            for (line, record) in zip(lines, ["{\"a\"=>1}", "{\"a\"=>\"two\"}", "{\"log\"=>\"plain text\"}"]) {
                #expect(line.hasSuffix(", \(record)]"), "\(line)")
            }
        }
    }

    @Test func theGrepFilterOfTheCommandLineDropsWhatDoesNotMatch() throws {
        try withTemporaryFolder { folder in
            let agent = try RunningProgram(
                Programs.agent,
                ["-q", "-i", "stdin", "-F", "grep", "-p", "regex=level error", "-m", "*", "-o", "stdout", "-m", "*"],
                environment: ["LEAT_STATE": folder.path("state")],
                input: "{\"level\":\"info\"}\n{\"level\":\"error\",\"n\":2}\n",
                folder: folder
            )
            #expect(try agent.wait(within: .seconds(20)) == .exited(0), "\(agent.errors)")
            #expect(agent.output.split(separator: "\n").count == 1)
            #expect(agent.output.contains("{\"level\"=>\"error\", \"n\"=>2}"))
        }
    }
}
