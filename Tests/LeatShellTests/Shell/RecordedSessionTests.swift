import Foundation
import LeatCore
import LeatTesting
import Testing

@testable import LeatShell

/// A session as somebody would have it, screen by screen, at two sizes of terminal.
///
/// The screens are in `Fixtures/screens`; `UPDATE_GOLDEN=1` writes them anew.
@Suite(.serialized, .enabled(if: Tmux.isUsable, Tmux.missing)) struct RecordedSessionTests {
    static let sizes: [(width: Int, height: Int)] = [(80, 24), (120, 40)]

    static func answer(_ request: CannedServer.Request) -> CannedServer.Answer {
        if request.body.contains("timeChart") {
            let services = ["cart", "web", "payments", "kube-proxy"]
            let rows = (0..<20).flatMap { bucket in
                services.enumerated().map { number, name in
                    #"{"_bucket":"\#(1_795_176_000_000 + bucket * 60_000)","service":"\#(name)","#
                        + #""_count":"\#((bucket * (number + 3)) % 17)"}"#
                }
            }
            let end =
                #"{"@leat":{"done":true,"warnings":[],"partial":false,"columns":["_bucket","service","_count"],"#
                + #""aggregate":true,"cost":{"events":512,"bytes":40960,"milliseconds":7}}}"#
            return .reply(status: 200, body: (rows + [end]).joined(separator: "\n") + "\n")
        }
        if request.body.contains("count()\",") {
            let end = #"{"@leat":{"done":true,"warnings":[],"partial":false,"columns":["_count"],"aggregate":true}}"#
            return .reply(status: 200, body: "{\"_count\":\"10482\"}\n\(end)\n")
        }
        if request.body.contains("groupBy(service") {
            let rows = [("cart", 120, "12.3456789"), ("web", 44, "0.25"), ("日本語", 3, "1")].map { row in
                #"{"service":"\#(row.0)","_count":"\#(row.1)","_avg":"\#(row.2)"}"#
            }
            let end =
                #"{"@leat":{"done":true,"warnings":["3 of 4 nodes answered"],"partial":true,"#
                + #""columns":["service","_count","_avg"],"aggregate":true}}"#
            return .reply(status: 200, body: (rows + [end]).joined(separator: "\n") + "\n")
        }
        if request.body.contains("level=error") && !request.body.contains("isLive\":true") {
            let events = [
                #"{"@timestamp":1795176002250,"@id":"2","service":"web","@rawstring":"{\"level\":\"error\",\"msg\":"#
                    + #"\"upstream timed out\",\"path\":\"/api/v1/cart/items\",\"status\":504,\"user\":\"u-81\"}"}"#,
                #"{"@timestamp":1795176001000,"@id":"1","service":"cart","@rawstring":"ERROR bad \u001b[31m byte"}"#,
            ]
            return .reply(status: 200, body: (events + [ShellSessionTests.end]).joined(separator: "\n") + "\n")
        }
        return ShellSessionTests.answer(request)
    }

    @Test(arguments: sizes)
    func screensAreAsRecorded(size: (width: Int, height: Int)) throws {
        let screens = try Self.record(size)
        let folder = URL(filePath: #filePath).resolvingSymlinksInPath().deletingLastPathComponent()
        let path = folder.appending(path: "../Fixtures/screens/session-\(size.width)x\(size.height).golden").path
        if environment("UPDATE_GOLDEN") != nil {
            try screens.write(toFile: path, atomically: true, encoding: .utf8)
        }
        let golden = try PosixFileSystem().contents(path).text
        #expect(screens == golden, "UPDATE_GOLDEN=1 writes the screens anew")
    }

    /// The screens of the session, each below a line that names it.
    private static func record(_ size: (width: Int, height: Int)) throws -> String {
        try withTemporaryFolder { folder in
            let server = CannedServer(Self.answer)
            defer { server.stop() }
            let tmux = try Tmux(width: size.width, height: size.height, server: server.url, folder: folder)
            var text = ""
            func keep(_ name: String, until shown: String) throws {
                try tmux.waitFor(shown)
                text += "=== \(name)\n" + (try ShellSessionTests.golden(tmux, server)) + "\n"
            }
            try keep("the prompt", until: "default>")
            try tmux.type("l")
            try tmux.press("Tab")
            try keep("choices", until: "level")
            try tmux.type("evel=err")
            try tmux.press("Tab")
            try keep("a completed value", until: "level=error")
            try tmux.press("Enter")
            try keep("events", until: "2 rows")
            try Self.ask("level=error | cont()", tmux)
            try keep("a mistake", until: "did you mean 'count'?\ndefault>")
            try tmux.press("C-l")
            try Self.ask("groupBy(service, function=[count(), avg(ms)])", tmux)
            try keep("groups", until: "3 rows")
            try tmux.press("C-l")
            try Self.ask("timeChart(service)", tmux)
            try keep("a chart", until: "80 rows")
            try tmux.press("C-l")
            try Self.ask("count()", tmux)
            try keep("one number", until: "1 row")
            try Self.tail(tmux, server)
            try tmux.type("\\q")
            try tmux.press("Enter")
            try tmux.waitFor("ended with 0")
            return text
        }
    }

    private static func ask(_ text: String, _ tmux: Tmux) throws {
        try tmux.type(text)
        try tmux.press("Enter")
    }

    /// A live tail that is paused, resumed and left; its status line has times and is not recorded.
    private static func tail(_ tmux: Tmux, _ server: CannedServer) throws {
        try Self.ask("\\tail level=error", tmux)
        try eventually { server.streamCount == 1 }
        server.push(#"{"@timestamp":1795176000250,"@id":"8","service":"cart","@rawstring":"first"}"#)
        try tmux.waitFor("cart first")
        try tmux.press("Space")
        try tmux.waitFor("PAUSED")
        try tmux.press("Space")
        try tmux.press("C-c")
        try tmux.waitFor("cart first\ndefault>")
    }
}
