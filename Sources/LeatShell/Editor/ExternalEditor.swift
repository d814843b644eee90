internal import Glibc
internal import LeatCore

/// Lets the user edit a text in `$VISUAL` or `$EDITOR`, in a file that nobody else can read.
enum ExternalEditor {
    /// The edited text without its last newline; `nil` when the editor failed or cannot be started.
    static func edit(_ text: String, suffix: String) -> String? {
        let environment = Environment.current()
        let command = [environment["VISUAL"], environment["EDITOR"]].compactMap { $0 }.first { !$0.isEmpty } ?? "vi"
        let folder = environment["TMPDIR"] ?? "/tmp"
        var template = Array("\(folder)/leat-\(String(repeating: "X", count: 6))\(suffix)".utf8CString)
        let descriptor = mkstemps(&template, Int32(suffix.utf8.count))
        guard descriptor >= 0 else { return nil }
        let path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        defer { unlink(path) }
        let bytes = Array((text + "\n").utf8)
        let written = write(descriptor, bytes, bytes.count)
        close(descriptor)
        guard written == bytes.count, ChildProcess.run(["/bin/sh", "-c", "\(command) \"$1\"", "sh", path]) == 0 else {
            return nil
        }
        guard let edited = Self.contents(path) else { return nil }
        return edited.hasSuffix("\n") ? String(edited.dropLast()) : edited
    }

    private static func contents(_ path: String) -> String? {
        do {
            return try LocalInput.open(path).text
        } catch {
            return nil
        }
    }
}

/// Programs that this one starts and waits for.
enum ChildProcess {
    /// Starts a program with this process's terminal, or `standardInput` in place of its input; `nil` when it cannot start.
    static func start(_ arguments: [String], standardInput: Int32? = nil) -> pid_t? {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        if let standardInput { posix_spawn_file_actions_adddup2(&actions, standardInput, STDIN_FILENO) }
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        // A closed pipe ends the child as it would anywhere else.
        var signals = sigset_t()
        sigemptyset(&signals)
        sigaddset(&signals, SIGPIPE)
        posix_spawnattr_setsigdefault(&attributes, &signals)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGDEF))
        var pointers: [UnsafeMutablePointer<CChar>?] = arguments.map { strdup($0) }
        defer { for pointer in pointers { free(pointer) } }
        pointers.append(nil)
        var child: pid_t = 0
        guard posix_spawnp(&child, arguments[0], &actions, &attributes, pointers, environ) == 0 else { return nil }
        return child
    }

    /// Waits for a program; its exit code, or 128 and the signal that ended it.
    static func wait(_ child: pid_t) -> Int32 {
        var status: Int32 = 0
        while waitpid(child, &status, 0) < 0 && errno == EINTR {}
        return status & 0x7F == 0 ? (status >> 8) & 0xFF : 128 + (status & 0x7F)
    }

    /// Runs a program to its end.
    static func run(_ arguments: [String]) -> Int32? { Self.start(arguments).map { Self.wait($0) } }
}
