internal import CLeatPlatform
internal import Glibc
public import LeatCore

/// A folder for one test, removed with everything in it when the test is done.
///
/// `withTemporaryFolder` keeps the folder and prints its path when the test throws. `LEAT_KEEP=1` keeps all of them.
public final class TemporaryFolder: Sendable {
    /// Absolute path without a final slash.
    public let path: String

    private let disk = PosixFileSystem()

    public init() throws(FileSystemError) {
        let parent = environment("TMPDIR") ?? "/tmp"
        self.path = "\(parent)/leat-test-\(getpid())-\(String(SystemRandom.uint64(), radix: 36))"
        try self.disk.createDirectory(self.path)
    }

    deinit {
        if environment("LEAT_KEEP") == nil { removeTree(self.path) }
    }

    /// The path of an entry of the folder.
    public func path(_ name: String) -> String { "\(self.path)/\(name)" }

    /// Writes a file into the folder, creating the folders of its name, and returns its path.
    @discardableResult
    public func write(_ name: String, _ bytes: [UInt8]) throws(FileSystemError) -> String {
        let path = self.path(name)
        if let slash = path.lastIndex(of: "/") { try self.disk.createDirectory(String(path[..<slash])) }
        let file = try self.disk.open(path, .readWrite)
        defer { file.close() }
        try file.truncate(to: 0)
        try file.write([ByteSlice(bytes)], at: 0)
        return path
    }

    /// Writes a text file into the folder and returns its path.
    @discardableResult
    public func write(_ name: String, _ text: String) throws(FileSystemError) -> String {
        try self.write(name, Array(text.utf8))
    }

    /// The bytes of a file of the folder.
    public func read(_ name: String) throws(FileSystemError) -> [UInt8] {
        try self.disk.contents(self.path(name)).array
    }
}

/// Runs `body` with a folder of its own; the folder stays, and its path is printed, when `body` throws.
public func withTemporaryFolder<Result>(_ body: (TemporaryFolder) throws -> Result) throws -> Result {
    let folder = try TemporaryFolder()
    do {
        return try body(folder)
    } catch {
        keepForInspection(folder)
        throw error
    }
}

/// Runs `body` with a folder of its own; the folder stays, and its path is printed, when `body` throws.
public func withTemporaryFolder<Result>(
    isolation: isolated (any Actor)? = #isolation,
    _ body: (TemporaryFolder) async throws -> Result
) async throws -> Result {
    let folder = try TemporaryFolder()
    do {
        return try await body(folder)
    } catch {
        keepForInspection(folder)
        throw error
    }
}

private func keepForInspection(_ folder: TemporaryFolder) {
    printError("the test's folder is kept: \(folder.path)")
    // Held for ever, so that its deinit does not remove it.
    _ = Unmanaged.passRetained(folder)
}

/// The value of an environment variable; `nil` when unset or empty.
public func environment(_ name: String) -> String? {
    guard let value = getenv(name), value.pointee != 0 else { return nil }
    return String(cString: value)
}

/// Whether the long modes of tests are on (`LEAT_LONG=1`).
public var isLongRun: Bool { environment("LEAT_LONG") != nil }

func printError(_ text: String) {
    let line = Array((text + "\n").utf8)
    _ = Glibc.write(STDERR_FILENO, line, line.count)
}

private func removeTree(_ path: String) {
    var found = stat()
    guard lstat(path, &found) == 0 else { return }
    if found.st_mode & S_IFMT == S_IFDIR, let directory = opendir(path) {
        // A test may have taken the right to write away.
        chmod(path, 0o700)
        var names: [String] = []
        while let entry = readdir(directory) {
            let name = withUnsafeBytes(of: &entry.pointee.d_name) {
                String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
            }
            if name != "." && name != ".." { names.append(name) }
        }
        closedir(directory)
        for name in names { removeTree("\(path)/\(name)") }
    }
    remove(path)
}
