internal import Glibc
public import LeatCore
internal import Synchronization

/// A disk in memory that forgets what was not synced when it crashes, and fails where a test wants it to.
///
/// What a program wrote is visible at once, and durable only after `sync` of the file and `syncDirectory` of the folder
/// of its name. `crashed` gives a disk as it may be after a power cut now; `legalStates` goes through many of them.
/// After a failed sync what was not durable may be gone for good although it is still visible, as on Linux.
public final class SimulatedFileSystem: FileSystem {
    /// An operation that changes the disk, as a fault rule sees it.
    public struct Operation: Hashable, Sendable {
        public enum Kind: String, Hashable, Sendable {
            case create, write, truncate, sync, rename, link, remove, createDirectory, syncDirectory
        }

        public let kind: Kind
        public let path: String
        /// Counts all operations of this disk from 1.
        public let number: Int
    }

    /// What happens instead of an operation.
    public enum Fault: Hashable, Sendable {
        /// It fails with this error number, and nothing is changed (a failed sync loses what was not durable).
        case error(Int32)
        /// A write stores only this many bytes, then fails with this error number.
        case shortWrite(byteCount: Int, code: Int32)
        /// The power is cut: this and every later operation fails with EIO, reads included.
        case powerCut
    }

    let state: Mutex<DiskState>

    /// An empty disk with only `/`.
    ///
    /// - Parameters:
    ///   - byteCountMax: Beyond this many bytes in files, writes fail with ENOSPC.
    ///   - clock: For the times of files.
    public init(byteCountMax: Int = .max, clock: any TimeSource = ManualTime()) {
        self.state = Mutex(DiskState(byteCountMax: byteCountMax, clock: clock))
    }

    init(_ state: DiskState) { self.state = Mutex(state) }

    /// Sets what goes wrong: a rule that is asked before each operation, or nothing (`nil`).
    public func setFaults(_ rule: (@Sendable (Operation) -> Fault?)?) { self.state.withLock { $0.rule = rule } }

    /// Operations so far.
    public var operationCount: Int { self.state.withLock { $0.operationCount } }

    /// Whether a fault rule has cut the power.
    public var isPowerCut: Bool { self.state.withLock { $0.isPowerCut } }

    /// A disk as it may be after a power cut now; the same seed gives the same one.
    public func crashed(seed: UInt64) -> SimulatedFileSystem {
        var choices = CrashChoices.random(SeededRandom(seed: seed))
        return SimulatedFileSystem(self.state.withLock { $0.crashed(&choices) })
    }

    /// The disk on which nothing that was not synced has survived.
    public func crashedWithOnlyDurable() -> SimulatedFileSystem {
        var choices = CrashChoices.dropAll
        return SimulatedFileSystem(self.state.withLock { $0.crashed(&choices) })
    }

    /// Disks as they may be after a power cut now: all combinations of kept and dropped changes when there are at most
    /// `limit` of them, else a sample of `limit` from `seed` with torn writes among them.
    public func legalStates(limit: Int, seed: UInt64 = 1) -> [SimulatedFileSystem] {
        let pendingCount = self.state.withLock { $0.pendingCount }
        var states: [SimulatedFileSystem] = []
        if pendingCount < 20, 1 << pendingCount <= limit {
            for mask in 0..<(1 << pendingCount) {
                var choices = CrashChoices.mask(UInt64(mask), next: 0)
                states.append(SimulatedFileSystem(self.state.withLock { $0.crashed(&choices) }))
            }
        }
        var random = SeededRandom(seed: seed)
        while states.count < limit { states.append(self.crashed(seed: random.next())) }
        return states
    }

    // MARK: FileSystem

    public func open(_ path: String, _ mode: FileOpenMode) throws(FileSystemError) -> any File {
        let inode = try self.run(path, "open") { state throws(DiskFailure) in try state.open(path, mode) }
        return SimulatedFile(disk: self, inode: inode, path: path)
    }

    public func contents(_ path: String) throws(FileSystemError) -> ByteSlice {
        try self.run(path, "open") { state throws(DiskFailure) in
            ByteSlice(state.inodes[try state.file(path)].bytes)
        }
    }

    public func rename(_ source: String, to target: String) throws(FileSystemError) {
        try self.run(source, "rename") { state throws(DiskFailure) in try state.rename(source, target) }
    }

    public func link(_ source: String, to target: String) throws(FileSystemError) {
        try self.run(source, "link") { state throws(DiskFailure) in try state.link(source, target) }
    }

    public func remove(_ path: String) throws(FileSystemError) {
        try self.run(path, "remove") { state throws(DiskFailure) in try state.remove(path) }
    }

    public func createDirectory(_ path: String) throws(FileSystemError) {
        try self.run(path, "create directory") { state throws(DiskFailure) in try state.createDirectory(path) }
    }

    public func list(_ path: String) throws(FileSystemError) -> [String] {
        try self.run(path, "list") { state throws(DiskFailure) in
            let names = state.inodes[try state.directory(path)].entries.keys
            return names.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
        }
    }

    public func status(_ path: String) throws(FileSystemError) -> FileStatus? {
        try self.run(path, "examine") { state throws(DiskFailure) in
            try state.checkPower()
            return state.find(path).map { state.status($0) }
        }
    }

    public func syncDirectory(_ path: String) throws(FileSystemError) {
        try self.run(path, "sync") { state throws(DiskFailure) in try state.syncDirectory(path) }
    }

    public func space(_ path: String) throws(FileSystemError) -> (free: UInt64, total: UInt64) {
        try self.run(path, "examine the disk of") { state throws(DiskFailure) in
            try state.checkPower()
            let total = state.byteCountMax == .max ? 1 << 40 : state.byteCountMax
            return (UInt64(max(0, total - state.byteCount)), UInt64(total))
        }
    }

    /// Runs `body` with the disk to itself.
    func run<Result>(
        _ path: String,
        _ operation: String,
        _ body: (inout DiskState) throws(DiskFailure) -> Result
    ) throws(FileSystemError) -> Result {
        // A lock's closure cannot hand on a result of any type, so the result is carried out.
        var result: Swift.Result<Result, DiskFailure>?
        self.state.withLock { state in
            do throws(DiskFailure) {
                result = .success(try body(&state))
            } catch {
                result = .failure(error)
            }
        }
        switch result {
        case .success(let value): return value
        case .failure(let failure): throw FileSystemError(operation: operation, path: path, code: failure.code)
        case nil: preconditionFailure("the body of a lock did not run")
        }
    }
}

/// An error number on its way to becoming a `FileSystemError`.
struct DiskFailure: Error {
    let code: Int32
}

/// An open file of a simulated disk; works on after its name is gone.
private final class SimulatedFile: File {
    private let disk: SimulatedFileSystem
    private let inode: Int
    private let path: String
    private let isClosed = Atomic<Bool>(false)

    init(disk: SimulatedFileSystem, inode: Int, path: String) {
        self.disk = disk
        self.inode = inode
        self.path = path
    }

    private func checkOpen() {
        precondition(!self.isClosed.load(ordering: .relaxed), "use of a closed file: \(self.path)")
    }

    func read(at offset: UInt64, into buffer: UnsafeMutableRawBufferPointer) throws(FileSystemError) -> Int {
        self.checkOpen()
        return try self.disk.run(self.path, "read") { state throws(DiskFailure) in
            try state.checkPower()
            let bytes = state.inodes[self.inode].bytes
            guard offset < UInt64(bytes.count) else { return 0 }
            let count = min(buffer.count, bytes.count - Int(offset))
            buffer.copyBytes(from: bytes[Int(offset)..<Int(offset) + count])
            return count
        }
    }

    func write(_ parts: [ByteSlice], at offset: UInt64) throws(FileSystemError) {
        self.checkOpen()
        let bytes = parts.flatMap(\.array)
        try self.disk.run(self.path, "write") { state throws(DiskFailure) in
            try state.write(bytes, at: Int(offset), inode: self.inode, path: self.path)
        }
    }

    func truncate(to byteCount: UInt64) throws(FileSystemError) {
        self.checkOpen()
        try self.disk.run(self.path, "truncate") { state throws(DiskFailure) in
            try state.truncate(self.inode, to: Int(byteCount), path: self.path)
        }
    }

    func sync() throws(FileSystemError) {
        self.checkOpen()
        try self.disk.run(self.path, "sync") { state throws(DiskFailure) in
            try state.sync(self.inode, path: self.path)
        }
    }

    func status() throws(FileSystemError) -> FileStatus {
        self.checkOpen()
        return try self.disk.run(self.path, "examine") { state throws(DiskFailure) in
            try state.checkPower()
            return state.status(self.inode)
        }
    }

    func close() { self.isClosed.store(true, ordering: .relaxed) }
}
