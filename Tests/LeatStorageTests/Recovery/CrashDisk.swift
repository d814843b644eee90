import Glibc
import LeatCore
import Synchronization

/// A disk in memory that dies at a chosen operation and then shows what a crash could have left.
///
/// What was not synced is kept, dropped or torn at 512 bytes; changes of a directory that was not synced are lost from
/// some point on, or one by one.
final class CrashDisk: FileSystem {
    struct Change {
        var offset: Int
        /// `nil`: the file is cut or extended to `offset`.
        var bytes: [UInt8]?
    }

    struct Inode {
        var durable: [UInt8] = []
        var current: [UInt8] = []
        var pending: [Change] = []
    }

    enum EntryChange {
        case add(String, Int)
        case remove(String)
        case rename(String, String)

        var path: String {
            switch self {
            case .add(let path, _), .remove(let path), .rename(_, let path): path
            }
        }
    }

    struct State {
        var inodes: [Inode] = []
        var entries: [String: Int] = [:]
        var durableEntries: [String: Int] = [:]
        var pendingEntries: [EntryChange] = []
        var directories: Set<String> = []
        var operationCount = 0
        var diesAt = Int.max
        /// Operations that fail once, with their error, by the count at which they do.
        var faults: [Int: Int32] = [:]
        var freeByteCount: UInt64 = 1 << 40
        var totalByteCount: UInt64 = 1 << 41
    }

    let state: Mutex<State>

    init(_ state: consuming State = State()) { self.state = Mutex(state) }

    var operationCount: Int { self.state.withLock { $0.operationCount } }
    var isDead: Bool { self.state.withLock { $0.operationCount >= $0.diesAt } }

    func die(after count: Int) { self.state.withLock { $0.diesAt = $0.operationCount + count } }

    /// Takes back what `fail` has asked for.
    func failNoMore() { self.state.withLock { $0.faults = [:] } }

    func fail(after count: Int, with code: Int32) {
        self.state.withLock { $0.faults[$0.operationCount + count] = code }
    }

    /// Counts an operation that changes something; the error that it ends with, if any.
    func step() -> Int32? {
        self.state.withLock { state in
            if state.operationCount >= state.diesAt { return EIO }
            state.operationCount += 1
            return state.faults[state.operationCount] ?? (state.operationCount >= state.diesAt ? EIO : nil)
        }
    }

    func change(
        _ operation: String,
        _ path: String,
        _ body: (inout State) -> Int32?
    ) throws(FileSystemError) {
        if let code = self.step() { throw FileSystemError(operation: operation, path: path, code: code) }
        if let code = self.state.withLock({ state in body(&state) }) {
            throw FileSystemError(operation: operation, path: path, code: code)
        }
    }

    /// A disk as it may be after a crash now.
    func crashed(_ random: inout SeededRandom) -> CrashDisk {
        var state = self.state.withLock { $0 }
        for index in state.inodes.indices { state.inodes[index].crash(&random) }
        var entries = state.durableEntries
        let keptPrefix = Int.random(in: 0...state.pendingEntries.count, using: &random)
        let keepsPrefix = Bool.random(using: &random)
        for (index, change) in state.pendingEntries.enumerated() {
            let isKept = keepsPrefix ? index < keptPrefix : Bool.random(using: &random)
            if isKept { entries.apply(change) }
        }
        state.entries = entries
        state.durableEntries = entries
        state.pendingEntries = []
        state.operationCount = 0
        state.diesAt = .max
        state.faults = [:]
        return CrashDisk(state)
    }

    // MARK: FileSystem

    func open(_ path: String, _ mode: FileOpenMode) throws(FileSystemError) -> any File {
        var found = -1
        if mode == .read {
            found = self.state.withLock { $0.entries[path] ?? -1 }
            if found < 0 { throw FileSystemError(operation: "open", path: path, code: ENOENT) }
        } else {
            try self.change("open", path) { state in
                if let index = state.entries[path] {
                    found = index
                    return mode == .createNew ? EEXIST : nil
                }
                found = state.inodes.count
                state.inodes.append(Inode())
                state.entries[path] = found
                state.pendingEntries.append(.add(path, found))
                return nil
            }
        }
        return CrashFile(disk: self, path: path, inode: found)
    }

    func contents(_ path: String) throws(FileSystemError) -> ByteSlice {
        let bytes = self.state.withLock { state in state.entries[path].map { state.inodes[$0].current } }
        guard let bytes else { throw FileSystemError(operation: "open", path: path, code: ENOENT) }
        return ByteSlice(bytes)
    }

    func rename(_ source: String, to target: String) throws(FileSystemError) {
        try self.change("rename", source) { state in
            guard state.entries[source] != nil else { return ENOENT }
            state.entries.apply(.rename(source, target))
            state.pendingEntries.append(.rename(source, target))
            return nil
        }
    }

    func link(_ source: String, to target: String) throws(FileSystemError) {
        try self.change("link", source) { state in
            guard let inode = state.entries[source] else { return ENOENT }
            guard state.entries[target] == nil else { return EEXIST }
            state.entries[target] = inode
            state.pendingEntries.append(.add(target, inode))
            return nil
        }
    }

    func remove(_ path: String) throws(FileSystemError) {
        try self.change("remove", path) { state in
            guard state.entries[path] != nil else { return ENOENT }
            state.entries[path] = nil
            state.pendingEntries.append(.remove(path))
            return nil
        }
    }

    func createDirectory(_ path: String) throws(FileSystemError) {
        self.state.withLock { _ = $0.directories.insert(path) }
    }

    func list(_ path: String) throws(FileSystemError) -> [String] {
        self.state.withLock { state in
            let paths = Array(state.entries.keys) + Array(state.directories)
            let below = paths.filter { $0.hasPrefix(path + "/") }.map { $0.dropFirst(path.count + 1) }
            return Set(below.map { String($0.prefix { $0 != "/" }) }).sorted()
        }
    }

    func status(_ path: String) throws(FileSystemError) -> FileStatus? {
        self.state.withLock { state in
            let inode = state.entries[path]
            guard inode != nil || state.directories.contains(path) else { return nil }
            return FileStatus(
                kind: inode == nil ? .directory : .regular,
                byteCount: UInt64(inode.map { state.inodes[$0].current.count } ?? 0),
                device: 1,
                inode: UInt64(inode ?? 0),
                linkCount: 1,
                modifiedAt: Timestamp(nanoseconds: 0)
            )
        }
    }

    func syncDirectory(_ path: String) throws(FileSystemError) {
        try self.change("sync", path) { state in
            let isHere = { (change: EntryChange) in
                change.path.hasPrefix(path + "/") && !change.path.dropFirst(path.count + 1).contains("/")
            }
            for change in state.pendingEntries where isHere(change) { state.durableEntries.apply(change) }
            state.pendingEntries.removeAll(where: isHere)
            return nil
        }
    }

    func space(_ path: String) throws(FileSystemError) -> (free: UInt64, total: UInt64) {
        self.state.withLock { ($0.freeByteCount, $0.totalByteCount) }
    }

    func setSpace(free: UInt64, total: UInt64) {
        self.state.withLock { state in
            state.freeByteCount = free
            state.totalByteCount = total
        }
    }

    /// Another disk with the same contents, which works again if this one is dead.
    func copied() -> CrashDisk {
        var state = self.state.withLock { $0 }
        state.operationCount = 0
        state.diesAt = .max
        state.faults = [:]
        return CrashDisk(state)
    }
}

extension CrashDisk.Inode {
    mutating func crash(_ random: inout SeededRandom) {
        var bytes = self.durable
        for change in self.pending {
            switch Int.random(in: 0..<3, using: &random) {
            case 0: bytes.apply(change)
            case 1: break
            default:
                var torn = change
                if let all = change.bytes, all.count > 0 {
                    torn.bytes = Array(all.prefix(Int.random(in: 0..<all.count, using: &random) / 512 * 512))
                }
                bytes.apply(torn)
            }
        }
        self.durable = bytes
        self.current = bytes
        self.pending = []
    }
}

extension [UInt8] {
    fileprivate mutating func apply(_ change: CrashDisk.Change) {
        let end = change.offset + (change.bytes?.count ?? 0)
        if self.count < end || change.bytes == nil {
            self.append(contentsOf: repeatElement(0, count: Swift.max(0, end - self.count)))
            if change.bytes == nil { self.removeLast(self.count - end) }
        }
        if let bytes = change.bytes { self.replaceSubrange(change.offset..<end, with: bytes) }
    }
}

extension [String: Int] {
    fileprivate mutating func apply(_ change: CrashDisk.EntryChange) {
        switch change {
        case .add(let path, let inode): self[path] = inode
        case .remove(let path): self[path] = nil
        case .rename(let source, let target):
            if let inode = self.removeValue(forKey: source) { self[target] = inode }
        }
    }
}

/// A file of a `CrashDisk`.
private final class CrashFile: File {
    private let disk: CrashDisk
    private let path: String
    private let inode: Int

    init(disk: CrashDisk, path: String, inode: Int) {
        self.disk = disk
        self.path = path
        self.inode = inode
    }

    func read(at offset: UInt64, into buffer: UnsafeMutableRawBufferPointer) throws(FileSystemError) -> Int {
        let bytes = self.disk.state.withLock { $0.inodes[self.inode].current.dropFirst(Int(offset)) }
        let count = min(buffer.count, bytes.count)
        buffer.copyBytes(from: bytes.prefix(count))
        return count
    }

    func write(_ parts: [ByteSlice], at offset: UInt64) throws(FileSystemError) {
        try self.apply("write", CrashDisk.Change(offset: Int(offset), bytes: parts.flatMap(\.array)))
    }

    func truncate(to byteCount: UInt64) throws(FileSystemError) {
        try self.apply("truncate", CrashDisk.Change(offset: Int(byteCount), bytes: nil))
    }

    private func apply(_ operation: String, _ change: CrashDisk.Change) throws(FileSystemError) {
        // A write that fails may have reached the disk all the same.
        let code = self.disk.step()
        self.disk.state.withLock { state in
            state.inodes[self.inode].current.apply(change)
            state.inodes[self.inode].pending.append(change)
        }
        if let code { throw FileSystemError(operation: operation, path: self.path, code: code) }
    }

    func sync() throws(FileSystemError) {
        try self.disk.change("sync", self.path) { state in
            state.inodes[self.inode].durable = state.inodes[self.inode].current
            state.inodes[self.inode].pending = []
            return nil
        }
    }

    func status() throws(FileSystemError) -> FileStatus {
        guard let status = try self.disk.status(self.path) else {
            throw FileSystemError(operation: "status", path: self.path, code: ENOENT)
        }
        return status
    }

    func close() {}
}
