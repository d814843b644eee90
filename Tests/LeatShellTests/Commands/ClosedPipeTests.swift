import LeatTesting
import Testing

@testable import LeatShell

/// A reader of a pipe that has enough.
@Suite(.enabled(if: Tmux.program != nil, "the program leat is missing")) struct ClosedPipeTests {
    /// No further event comes that would be refused by the pipe.
    @Test func tailEndsWithItsReader() throws {
        try withTemporaryFolder { folder in
            let server = CannedServer(ShellSessionTests.answer)
            defer { server.stop() }
            let program = try #require(Tmux.program)
            let shell = try RunningProgram(
                "/bin/sh",
                ["-c", "\(program) tail --json --server \(server.url) | head -n 1; echo then"],
                folder: folder
            )
            try eventually(within: .seconds(60), "the live stream") { server.streamCount == 1 }
            server.push(#"{"@timestamp":1795176000250,"@id":"1","service":"cart","@rawstring":"first"}"#)
            #expect(try shell.wait(within: .seconds(30)) == .exited(0), "\(shell.errors)")
            #expect(shell.output.hasSuffix("first\"}\nthen\n"))
        }
    }
}
