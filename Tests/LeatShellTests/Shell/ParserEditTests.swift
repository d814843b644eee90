import Glibc
import LeatCore
import LeatTesting
import Testing

@testable import LeatShell

/// `leat parser edit` in a pseudo-terminal.
@Suite(.serialized, .enabled(if: Tmux.isUsable, Tmux.missing)) struct ParserEditTests {
    /// A parser in the user's editor: wrong at first, pointed at, edited again, tested, saved.
    @Test func aParserIsEditedUntilItIsRight() throws {
        try withTemporaryFolder { folder in
            let server = CannedServer { request in
                request.method == "GET" ? .reply(status: 404, body: "no parser") : .reply(status: 200, body: "{}")
            }
            defer { server.stop() }
            let editor = try folder.write(
                "editor.sh",
                """
                #!/bin/sh
                echo edited >> \(folder.path)/times
                if [ "$(wc -l < \(folder.path)/times)" = 1 ]; then word=parseJsn; else word=parseJson; fi
                printf 'name: mine\nscript: |\n  %s()\ntestCases:\n- event:\n    rawString: "{}"\n' $word > "$1"

                """
            )
            _ = editor.withCString { chmod($0, 0o755) }
            let tmux = try Tmux(
                width: 80,
                height: 24,
                server: server.url,
                folder: folder,
                arguments: "parser edit mine",
                environment: "EDITOR=\(editor)"
            )
            try tmux.waitFor("edit again?")
            let screen = try tmux.screen()
            #expect(screen.contains("unknown function 'parseJsn'"))
            #expect(server.requests.allSatisfy { $0.method == "GET" })
            try tmux.press("Enter")
            try tmux.waitFor("parser 'mine' is there; 1 test case passed")
            try tmux.waitFor("ended with 0")
            #expect(server.requests.last?.method == "PUT")
            #expect(server.requests.last?.body.contains("parseJson()") == true)
        }
    }
}
