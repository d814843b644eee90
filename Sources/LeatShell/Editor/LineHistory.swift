internal import Glibc
internal import LeatCore

/// The lines that were sent, oldest first, in a file that only the user can read.
///
/// Bounded; the same line twice in a row is kept once; lines that begin with a space, and commands that carry tokens, are
/// never kept. In the file a newline within a line is written as `\n` and a backslash as `\\`.
struct LineHistory: Sendable {
    static let lineCountMax = 10_000

    private(set) var lines: [String] = []
    /// Where the lines are kept; `nil`: nowhere.
    let path: String?

    init(path: String?) { self.path = path }

    /// Where the history of this user is: below `$XDG_STATE_HOME`, else below `$HOME/.local/state`.
    static func path(environment: [String: String]) -> String? {
        if let folder = environment["XDG_STATE_HOME"], !folder.isEmpty { return folder + "/leat/history" }
        guard let home = environment["HOME"], !home.isEmpty else { return nil }
        return home + "/.local/state/leat/history"
    }

    /// Reads the file, if there is one.
    mutating func load() throws(FileSystemError) {
        guard let path else { return }
        let files = PosixFileSystem()
        guard try files.status(path) != nil else { return }
        let text = try files.contents(path).text
        self.lines = text.split(separator: "\n").suffix(Self.lineCountMax).map { Self.unescape($0) }
    }

    /// Adds a line and appends it to the file; returns why that failed, if it did.
    mutating func add(_ line: String) -> String? {
        guard !line.isEmpty, line.first != " ", line != self.lines.last, !Self.isSecret(line) else { return nil }
        self.lines.append(line)
        if self.lines.count > Self.lineCountMax { self.lines.removeFirst(self.lines.count - Self.lineCountMax) }
        guard let path else { return nil }
        return Self.append(line, to: path)
    }

    private static func isSecret(_ line: String) -> Bool { line.hasPrefix("\\login") }

    private static func append(_ line: String, to path: String) -> String? {
        do throws(FileSystemError) {
            let folder = path.split(separator: "/", omittingEmptySubsequences: false).dropLast().joined(separator: "/")
            try PosixFileSystem().createDirectory(folder)
        } catch {
            return "\(error)"
        }
        let descriptor = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { return "cannot open \(path): \(systemReason(errno))" }
        defer { close(descriptor) }
        fchmod(descriptor, 0o600)
        let bytes = Array((Self.escape(line) + "\n").utf8)
        let count = Glibc.write(descriptor, bytes, bytes.count)
        return count == bytes.count ? nil : "cannot write \(path): \(systemReason(errno))"
    }

    private static func escape(_ line: String) -> String {
        line.replacing("\\", with: "\\\\").replacing("\n", with: "\\n")
    }

    private static func unescape(_ line: Substring) -> String {
        var result = ""
        var isEscaped = false
        for character in line {
            if isEscaped {
                result.append(character == "n" ? "\n" : character)
                isEscaped = false
            } else if character == "\\" {
                isEscaped = true
            } else {
                result.append(character)
            }
        }
        return result
    }
}
