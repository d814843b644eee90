import Glibc
import LeatCore
import LeatTesting
import Synchronization

@testable import LeatAgent

/// The disk of one run of an agent that is killed in the middle of a write: the state folder lies on a simulated disk,
/// logs and configuration are real files.
///
/// What was written stays, as after SIGKILL; the write of the moment is torn; nothing that the run does later has any
/// effect, whichever of its threads does it.
final class MortalDisk: FileSystem {
    /// The folder that lies on the simulated disk.
    static let folder = "/simulated-state"

    private struct Life {
        /// Writes that are still done.
        var remainingCount: Int
        var isOver = false
    }

    private let simulated: SimulatedFileSystem
    private let real = PosixFileSystem()
    private let life: Mutex<Life>

    /// `writeCount`: writes of the state folder until the end; the last one stores nothing, or a part.
    init(_ simulated: SimulatedFileSystem, writeCount: Int) {
        self.simulated = simulated
        self.life = Mutex(Life(remainingCount: writeCount))
    }

    /// Whether the run was killed.
    var isOver: Bool { self.life.withLock { $0.isOver } }

    /// Ends the run between two writes.
    func end() { self.life.withLock { $0.isOver = true } }

    private func disk(_ path: String) throws(FileSystemError) -> any FileSystem {
        guard path.hasPrefix(Self.folder) else { return self.real }
        if self.isOver { throw FileSystemError(operation: "use", path: path, code: EIO) }
        return self.simulated
    }

    /// Does a write, or kills the run within it: then `part` is what is stored of it.
    fileprivate func write(_ path: String, _ whole: () -> FileSystemError?, part: () -> Void) throws(FileSystemError) {
        let failure: FileSystemError? = self.life.withLock { life in
            let killed = FileSystemError(operation: "write", path: path, code: EIO)
            if life.isOver { return killed }
            life.remainingCount -= 1
            if life.remainingCount > 0 { return whole() }
            life.isOver = true
            part()
            return killed
        }
        if let failure { throw failure }
    }

    /// Does something else to a file, unless the run is over; a lock, so that a kill does not come in between.
    fileprivate func act(_ path: String, _ body: () -> FileSystemError?) throws(FileSystemError) {
        let failure: FileSystemError? = self.life.withLock { life in
            life.isOver ? FileSystemError(operation: "use", path: path, code: EIO) : body()
        }
        if let failure { throw failure }
    }

    func open(_ path: String, _ mode: FileOpenMode) throws(FileSystemError) -> any File {
        let file = try self.disk(path).open(path, mode)
        return path.hasPrefix(Self.folder) ? MortalFile(disk: self, file: file, path: path) : file
    }

    func contents(_ path: String) throws(FileSystemError) -> ByteSlice { try self.disk(path).contents(path) }
    func rename(_ source: String, to target: String) throws(FileSystemError) {
        try self.disk(source).rename(source, to: target)
    }
    func link(_ source: String, to target: String) throws(FileSystemError) {
        try self.disk(source).link(source, to: target)
    }
    func remove(_ path: String) throws(FileSystemError) { try self.disk(path).remove(path) }
    func createDirectory(_ path: String) throws(FileSystemError) { try self.disk(path).createDirectory(path) }
    func list(_ path: String) throws(FileSystemError) -> [String] { try self.disk(path).list(path) }
    func status(_ path: String) throws(FileSystemError) -> FileStatus? { try self.disk(path).status(path) }
    func syncDirectory(_ path: String) throws(FileSystemError) { try self.disk(path).syncDirectory(path) }
    func space(_ path: String) throws(FileSystemError) -> (free: UInt64, total: UInt64) {
        try self.disk(path).space(path)
    }
}

/// A file of the state folder.
private final class MortalFile: File {
    private let disk: MortalDisk
    private let file: any File
    private let path: String

    init(disk: MortalDisk, file: any File, path: String) {
        self.disk = disk
        self.file = file
        self.path = path
    }

    func read(at offset: UInt64, into buffer: UnsafeMutableRawBufferPointer) throws(FileSystemError) -> Int {
        try self.file.read(at: offset, into: buffer)
    }

    func write(_ parts: [ByteSlice], at offset: UInt64) throws(FileSystemError) {
        let bytes = parts.flatMap(\.array)
        try self.disk.write(self.path) {
            Self.failure { () throws(FileSystemError) in try self.file.write([ByteSlice(bytes)], at: offset) }
        } part: {
            let torn = ByteSlice(Array(bytes.prefix(bytes.count / 2)))
            _ = Self.failure { () throws(FileSystemError) in try self.file.write([torn], at: offset) }
        }
    }

    func truncate(to byteCount: UInt64) throws(FileSystemError) {
        try self.disk.act(self.path) {
            Self.failure { () throws(FileSystemError) in try self.file.truncate(to: byteCount) }
        }
    }

    func sync() throws(FileSystemError) {
        try self.disk.act(self.path) { Self.failure { () throws(FileSystemError) in try self.file.sync() } }
    }

    func status() throws(FileSystemError) -> FileStatus { try self.file.status() }
    func close() { self.file.close() }

    private static func failure(_ body: () throws(FileSystemError) -> Void) -> FileSystemError? {
        do throws(FileSystemError) {
            try body()
            return nil
        } catch {
            return error
        }
    }
}
