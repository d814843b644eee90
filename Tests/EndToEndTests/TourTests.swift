import Foundation
import LeatCore
import LeatTesting
import Testing

/// The tour of `docs/shell.md`, taken from its first command to its last with the real programs.
@Suite(.enabled(if: Programs.areBuilt, Programs.missing)) struct TourTests {
    struct Step {
        var command: String
        var output: [String] = []
    }

    /// The commands behind `$` and what the page shows below each, in the order of the page.
    static func steps(of page: String) -> [Step] {
        var steps: [Step] = []
        for (number, block) in page.components(separatedBy: "```\n").enumerated() where number % 2 == 1 {
            for line in block.split(separator: "\n", omittingEmptySubsequences: false).dropLast() {
                if line.hasPrefix("$ ") {
                    steps.append(Step(command: String(line.dropFirst(2))))
                } else if block.hasPrefix("$ ") {
                    steps[steps.count - 1].output.append(String(line))
                }
            }
        }
        return steps
    }

    /// Whether lines are what the page shows; `…` there stands for anything, alone on a line for any number of lines.
    static func matches(_ lines: ArraySlice<String>, _ shown: ArraySlice<String>) -> Bool {
        guard let first = shown.first else { return lines.isEmpty }
        if first == "…" {
            return (lines.startIndex...lines.endIndex).contains { Self.matches(lines[$0...], shown.dropFirst()) }
        }
        guard let line = lines.first, Self.matches(line, first) else { return false }
        return Self.matches(lines.dropFirst(), shown.dropFirst())
    }

    private static func matches(_ line: String, _ shown: String) -> Bool {
        let parts = shown.components(separatedBy: "…")
        guard parts.count > 1 else { return line == shown }
        return parts.count == 2 && line.hasPrefix(parts[0]) && line.hasSuffix(parts[1])
    }

    static let log = """
        {"@timestamp":"2026-11-20T12:00:00Z","service":"cart","level":"error","message":"connection refused"}
        {"@timestamp":"2026-11-20T12:00:01Z","service":"web","level":"info","message":"GET /","latency_ms":12}
        {"@timestamp":"2026-11-20T12:00:02Z","service":"cart","level":"error","message":"could not charge the card"}
        {"@timestamp":"2026-11-20T12:00:03Z","service":"cart","level":"info","message":"paid","latency_ms":250}

        """

    @Test func everyCommandGivesWhatThePageShows() throws {
        let page = try PosixFileSystem().contents(Programs.package + "/docs/shell.md").text
        let steps = Self.steps(of: page)
        #expect(steps.count >= 35)
        for block in page.components(separatedBy: "```\n").enumerated() where block.offset % 2 == 1 {
            #expect(block.element.hasPrefix("$ "), "a block without a command that is run: \(block.element)")
        }
        try withTemporaryFolder { folder in
            let server = try TestServer(folder: folder)
            _ = try folder.write("app.log", Self.log)
            for step in steps {
                let shell = try RunningProgram(
                    "/bin/sh",
                    ["-c", "cd \(folder.path) && { \(step.command); } 2>&1"],
                    environment: [
                        "HOME": folder.path, "PATH": "\(Programs.folder):/usr/bin:/bin", "LEAT_SERVER": server.url,
                        "EDITOR": "true",
                    ],
                    folder: folder
                )
                _ = try shell.wait(within: .seconds(60))
                let lines = shell.output.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
                #expect(
                    Self.matches(lines.dropLast(), step.output[...]),
                    "$ \(step.command)\n\(shell.output)"
                )
            }
        }
    }
}
