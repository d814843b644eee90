import LeatTesting
import Testing

@testable import LeatShell

/// Completion from a server that takes its time.
@Suite(.serialized, .enabled(if: Tmux.isUsable, Tmux.missing)) struct SlowCompletionTests {
    /// A session whose server sends the names of the fields when the body calls the function that it gets.
    static func session(_ body: (Tmux, _ answer: () -> Void) throws -> Void) throws {
        try withTemporaryFolder { folder in
            let server = CannedServer { request in
                request.path.hasSuffix("/fields") ? .stream("") : ShellSessionTests.answer(request)
            }
            defer { server.stop() }
            let tmux = try Tmux(width: 80, height: 24, server: server.url, folder: folder)
            try tmux.waitFor("default>")
            try tmux.type("serv")
            try tmux.press("Tab")
            try tmux.waitFor("default> serv\nasking the server; any key goes on without")
            try body(tmux) {
                server.push(#"{"fields":["level","service","@rawstring"]}"#)
                server.dropStreams()
            }
        }
    }

    @Test func namesAreWaitedFor() throws {
        try Self.session { tmux, answer in
            answer()
            try tmux.waitFor("default> service")
            #expect(try !tmux.screen().contains("asking"))
        }
    }

    @Test func controlCEndsTheWaitAndKeepsTheLine() throws {
        try Self.session { tmux, _ in
            try tmux.press("C-c")
            try tmux.type("ant")
            try tmux.waitFor("default> servant")
            #expect(try !tmux.screen().contains("asking"))
        }
    }

    @Test func otherKeysEndTheWaitAndAreTyped() throws {
        try Self.session { tmux, _ in
            try tmux.type("ices")
            try tmux.waitFor("default> services")
        }
    }
}
