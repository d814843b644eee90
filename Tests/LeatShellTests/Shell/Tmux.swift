import Foundation
import LeatCore
import LeatTesting
import Testing

/// The real `leat` in a terminal of tmux.
final class Tmux {
    /// The program beside the tests, or that of `$LEAT_BIN`.
    static let program: String? = {
        let package = URL(filePath: #filePath).deletingLastPathComponent().path + "/../../.."
        let beside = URL(filePath: CommandLine.arguments[0]).deletingLastPathComponent().path
        let folders: [String?] = [environment("LEAT_BIN"), beside, package + "/.build/debug"]
        return folders.compactMap { $0 }.map { $0 + "/leat" }.first {
            FileManager.default.isExecutableFile(atPath: $0)
        }
    }()

    static let isThere = ["/usr/bin/tmux", "/usr/local/bin/tmux", "/bin/tmux"].first {
        FileManager.default.isExecutableFile(atPath: $0)
    }

    /// Why tests of this kind are skipped.
    static let missing: Comment = "tmux or the program leat is missing"
    static var isUsable: Bool { self.program != nil && self.isThere != nil }

    private let socket = "leat-test-\(String(SystemRandom.uint64(), radix: 36))"
    private let folder: TemporaryFolder

    init(
        width: Int,
        height: Int,
        server: String,
        folder: TemporaryFolder,
        command: String? = nil,
        arguments: String = "",
        environment: String = ""
    ) throws {
        self.folder = folder
        let program = try command ?? #require(Self.program)
        let command =
            "env -i PATH=/usr/bin:/bin HOME=\(folder.path) TERM=screen-256color LC_ALL=C.UTF-8 LEAT_SERVER=\(server) "
            + "LEAT_PAGER=cat \(environment) \(program) \(arguments); echo ended with $?; sleep 100"
        try self.run(["-f", "/dev/null", "new-session", "-d", "-x", "\(width)", "-y", "\(height)", command])
    }

    deinit {
        do {
            try self.run(["kill-server"])
        } catch {
            // The server has gone already.
        }
    }

    @discardableResult
    private func run(_ arguments: [String]) throws -> String {
        let tmux = try #require(Self.isThere)
        let program = try RunningProgram(
            tmux,
            ["-L", self.socket, "-u"] + arguments,
            environment: ["LC_ALL": "C.UTF-8", "TMUX": ""],
            folder: self.folder
        )
        _ = try program.wait(within: .seconds(60))
        return program.output
    }

    /// Types text as it is.
    func type(_ text: String) throws { try self.run(["send-keys", "-l", text]) }

    /// Presses keys by tmux's names, such as `Enter`, `C-c`, `Tab`.
    func press(_ keys: String...) throws { try self.run(["send-keys"] + keys) }

    /// Pastes text, with the marks of bracketed paste only where the program has asked for them.
    func paste(_ text: String, marked: Bool = false) throws {
        try self.run(["set-buffer", text])
        try self.run(["paste-buffer"] + (marked ? ["-p"] : []))
    }

    func resize(width: Int, height: Int) throws {
        try self.run(["resize-window", "-x", "\(width)", "-y", "\(height)"])
    }

    /// The screen without empty lines at its end.
    func screen() throws -> String {
        var text = try self.run(["capture-pane", "-p"])
        while text.last == "\n" { text.removeLast() }
        return text
    }

    /// Waits until the screen shows the text.
    func waitFor(_ text: String, within limit: Duration = .seconds(60)) throws {
        var last = ""
        do {
            try eventually(within: limit, "'\(text)' on the screen") {
                last = try self.screen()
                return last.contains(text)
            }
        } catch {
            Issue.record("the screen is:\n\(last)")
            throw error
        }
    }
}
