import Foundation
import LeatCore
import LeatTesting
import Testing

@testable import LeatShell

/// The commands of `docs/shell.md` that stand behind `$` give what is printed below them.
@Suite(.enabled(if: Tmux.program != nil, "the program leat is missing")) struct DocumentationTests {
    static let log = """
        {"@timestamp":"2026-11-20T12:00:00Z","service":"cart","level":"error","message":"connection refused"}
        {"@timestamp":"2026-11-20T12:00:01Z","service":"web","level":"info","message":"GET /","latency_ms":12}
        {"@timestamp":"2026-11-20T12:00:02Z","service":"cart","level":"error","message":"could not charge the card"}
        {"@timestamp":"2026-11-20T12:00:03Z","service":"cart","level":"info","message":"paid","latency_ms":250}

        """

    /// The path of `docs/shell.md`, also where the package is built from links to its folders.
    static let page: String? = {
        let folder = URL(filePath: #filePath).resolvingSymlinksInPath().deletingLastPathComponent()
        let path = folder.appending(path: "../../../docs/shell.md").path
        return FileManager.default.fileExists(atPath: path) ? path : nil
    }()

    @Test func commandsGiveWhatThePageShows() throws {
        let page = try #require(Self.page)
        let program = try #require(Tmux.program)
        // What needs a server is taken with the release build: `TourTests`.
        let text = try PosixFileSystem().contents(page).text.components(separatedBy: "\n## A server")[0]
        var count = 0
        for block in text.components(separatedBy: "```\n").enumerated() where block.offset % 2 == 1 {
            guard block.element.hasPrefix("$ ") else { continue }
            let lines = block.element.split(separator: "\n", maxSplits: 1, omittingEmptySubsequences: false)
            let command = lines[0].dropFirst(2).replacing("leat ", with: "\(program) ")
            try withTemporaryFolder { folder in
                _ = try folder.write("app.log", Self.log)
                let script = "cd \(folder.path); \(command) 2>&1"
                let shell = try RunningProgram("/bin/sh", ["-c", script], folder: folder)
                _ = try shell.wait(within: .seconds(60))
                #expect(shell.output == String(lines[1]), "\(command)")
            }
            count += 1
        }
        #expect(count >= 6)
    }
}
