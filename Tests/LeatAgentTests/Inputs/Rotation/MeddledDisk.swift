import LeatCore
import Synchronization

/// The real disk, on which somebody else acts between any two calls.
final class MeddledDisk: FileSystem, @unchecked Sendable {
    // Sound as Sendable: the test's thread alone uses it.

    private let real = PosixFileSystem()
    private var isMeddling = false

    /// What somebody else does; called before and after each call, and not while it acts itself.
    var meddle: () -> Void = {}

    fileprivate func between<Result>(
        _ body: () throws(FileSystemError) -> Result
    ) throws(FileSystemError) -> Result {
        self.letAct()
        defer { self.letAct() }
        return try body()
    }

    private func letAct() {
        guard !self.isMeddling else { return }
        self.isMeddling = true
        self.meddle()
        self.isMeddling = false
    }

    func open(_ path: String, _ mode: FileOpenMode) throws(FileSystemError) -> any File {
        let file = try self.between { () throws(FileSystemError) in try self.real.open(path, mode) }
        return MeddledFile(file, disk: self)
    }

    func list(_ path: String) throws(FileSystemError) -> [String] {
        try self.between { () throws(FileSystemError) in try self.real.list(path) }
    }

    func status(_ path: String) throws(FileSystemError) -> FileStatus? {
        try self.between { () throws(FileSystemError) in try self.real.status(path) }
    }

    func contents(_ path: String) throws(FileSystemError) -> ByteSlice { try self.real.contents(path) }
    func rename(_ source: String, to target: String) throws(FileSystemError) {
        try self.real.rename(source, to: target)
    }
    func link(_ source: String, to target: String) throws(FileSystemError) { try self.real.link(source, to: target) }
    func remove(_ path: String) throws(FileSystemError) { try self.real.remove(path) }
    func createDirectory(_ path: String) throws(FileSystemError) { try self.real.createDirectory(path) }
    func syncDirectory(_ path: String) throws(FileSystemError) { try self.real.syncDirectory(path) }
    func space(_ path: String) throws(FileSystemError) -> (free: UInt64, total: UInt64) { try self.real.space(path) }
}

/// An open file of such a disk.
private final class MeddledFile: File {
    private let file: any File
    private let disk: MeddledDisk

    init(_ file: any File, disk: MeddledDisk) {
        self.file = file
        self.disk = disk
    }

    func read(at offset: UInt64, into buffer: UnsafeMutableRawBufferPointer) throws(FileSystemError) -> Int {
        try self.disk.between { () throws(FileSystemError) in try self.file.read(at: offset, into: buffer) }
    }

    func status() throws(FileSystemError) -> FileStatus {
        try self.disk.between { () throws(FileSystemError) in try self.file.status() }
    }

    func write(_ parts: [ByteSlice], at offset: UInt64) throws(FileSystemError) {
        try self.file.write(parts, at: offset)
    }

    func truncate(to byteCount: UInt64) throws(FileSystemError) { try self.file.truncate(to: byteCount) }
    func sync() throws(FileSystemError) { try self.file.sync() }
    var currentFolder: String? { self.file.currentFolder }
    func close() { self.file.close() }
}
