internal import CLeatPlatform
internal import Glibc
internal import LeatCore

/// A program that a test has started; killed when the test forgets it.
///
/// Its output goes to files, so that nothing blocks, and can be read at any time.
public final class RunningProgram: @unchecked Sendable {
    // Sound as Sendable: everything is set once but `status`, and tests wait from one thread at a time.

    /// How a program ended.
    public enum Ending: Hashable, Sendable {
        case exited(Int32)
        case killed(Int32)
    }

    public let processID: Int32
    private let outputPath: String
    private let errorPath: String
    private var ending: Ending?

    /// Starts a program.
    ///
    /// - Parameters:
    ///   - path: the program's path.
    ///   - arguments: without the program's name.
    ///   - environment: added to the test's own.
    ///   - input: what the program reads from standard input; `nil` for nothing.
    ///   - folder: where the output files go; their names begin with the program's.
    /// - Throws: `FileSystemError` when the program cannot be started.
    public init(
        _ path: String,
        _ arguments: [String],
        environment: [String: String] = [:],
        input: String? = nil,
        folder: TemporaryFolder
    ) throws {
        let name = "\(path.split(separator: "/").last ?? "program")-\(String(SystemRandom.uint64(), radix: 36))"
        self.outputPath = folder.path("\(name).out")
        self.errorPath = folder.path("\(name).err")
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        let inputPath = try input.map { try folder.write("\(name).in", $0) } ?? "/dev/null"
        let writing = O_WRONLY | O_CREAT | O_TRUNC | O_APPEND
        posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, inputPath, O_RDONLY, 0)
        posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, self.outputPath, writing, 0o600)
        posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, self.errorPath, writing, 0o600)
        // A child that held another test's connection would keep it open after that test has closed it.
        for descriptor in (STDERR_FILENO + 1)..<1024 { _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC) }

        var argumentPointers: [UnsafeMutablePointer<CChar>?] = ([path] + arguments).map { strdup($0) } + [nil]
        var environmentPointers = Self.environment(adding: environment).map { strdup($0) } + [nil]
        defer {
            for pointer in argumentPointers + environmentPointers { free(pointer) }
        }
        var attributes = Self.attributes()
        defer { posix_spawnattr_destroy(&attributes) }
        var processID: pid_t = 0
        let code = posix_spawn(&processID, path, &actions, &attributes, &argumentPointers, &environmentPointers)
        guard code == 0 else { throw FileSystemError(operation: "start", path: path, code: code) }
        self.processID = processID
    }

    /// The signals of a shell's child: the thread that runs a test blocks most of them, and children inherit that.
    private static func attributes() -> posix_spawnattr_t {
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        var signals = sigset_t()
        sigemptyset(&signals)
        posix_spawnattr_setsigmask(&attributes, &signals)
        for signal in [SIGINT, SIGTERM, SIGPIPE] { sigaddset(&signals, signal) }
        posix_spawnattr_setsigdefault(&attributes, &signals)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF))
        return attributes
    }

    deinit {
        if self.ending == nil {
            Glibc.kill(self.processID, SIGKILL)
            var status: Int32 = 0
            waitpid(self.processID, &status, 0)
        }
    }

    private static func environment(adding extra: [String: String]) -> [String] {
        var merged: [String: String] = [:]
        var pointer = environ
        while let entry = pointer.pointee {
            let pair = String(cString: entry)
            if let equals = pair.firstIndex(of: "=") {
                merged[String(pair[..<equals])] = String(pair[pair.index(after: equals)...])
            }
            pointer += 1
        }
        merged.merge(extra) { $1 }
        return merged.map { "\($0.key)=\($0.value)" }
    }

    /// Standard output so far.
    public var output: String { Self.text(self.outputPath) }

    /// Standard error so far.
    public var errors: String { Self.text(self.errorPath) }

    private static func text(_ path: String) -> String {
        do {
            return try PosixFileSystem().contents(path).text
        } catch {
            return ""
        }
    }

    /// Whether the program has not ended yet.
    public var isRunning: Bool { self.poll(WNOHANG) == nil }

    private func poll(_ flags: Int32) -> Ending? {
        if let ending = self.ending { return ending }
        var status: Int32 = 0
        guard waitpid(self.processID, &status, flags) == self.processID else { return nil }
        let signal = status & 0x7F
        self.ending = signal == 0 ? .exited((status >> 8) & 0xFF) : .killed(signal)
        return self.ending
    }

    /// Sends a signal; nothing happens when the program has ended.
    public func signal(_ number: Int32) {
        if self.isRunning { Glibc.kill(self.processID, number) }
    }

    /// Kills the program at once and waits for it.
    public func kill() {
        self.signal(SIGKILL)
        _ = self.poll(0)
    }

    /// Waits for the end of the program.
    @discardableResult
    public func wait(within limit: Duration = .seconds(30)) throws -> Ending {
        try eventually(within: limit, "the end of program \(self.processID)") { !self.isRunning }
        return self.ending ?? .exited(-1)
    }

    /// Asks the program to end (SIGTERM) and waits for it.
    @discardableResult
    public func stop(within limit: Duration = .seconds(30)) throws -> Ending {
        self.signal(SIGTERM)
        return try self.wait(within: limit)
    }
}
