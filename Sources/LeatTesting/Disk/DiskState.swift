internal import Glibc
internal import LeatCore

/// The files and folders of a simulated disk, and which of their changes are durable.
struct DiskState {
    /// A change of a file's bytes that was not synced.
    struct FileChange {
        var offset: Int
        /// `nil`: the file is cut or extended to `offset`.
        var bytes: [UInt8]?
        /// A sync failed on it: it is visible, but no later sync makes it durable.
        var isLost = false
    }

    /// A change of folders that was not synced; it happens wholly or not at all.
    struct EntryChange {
        /// The names that change, and to which inode; `nil`: the name is gone.
        var names: [(directory: Int, name: String, inode: Int?)]
    }

    struct Inode {
        var kind: FileStatus.Kind
        var bytes: [UInt8] = []
        var durableBytes: [UInt8] = []
        var pending: [FileChange] = []
        var entries: [String: Int] = [:]
        var durableEntries: [String: Int] = [:]
        var linkCount: UInt64 = 1
        var modifiedAt: Timestamp
    }

    /// Inode 0 is `/`.
    var inodes: [Inode]
    var pendingEntries: [EntryChange] = []
    let byteCountMax: Int
    let clock: any TimeSource
    var rule: (@Sendable (SimulatedFileSystem.Operation) -> SimulatedFileSystem.Fault?)?
    var operationCount = 0
    var isPowerCut = false

    init(byteCountMax: Int, clock: any TimeSource) {
        self.byteCountMax = byteCountMax
        self.clock = clock
        self.inodes = [Inode(kind: .directory, modifiedAt: clock.now())]
    }

    /// Bytes in files that have a name.
    var byteCount: Int { self.inodes.reduce(0) { $0 + ($1.linkCount > 0 ? $1.bytes.count : 0) } }

    /// Changes that a crash may keep or drop.
    var pendingCount: Int { self.pendingEntries.count + self.inodes.reduce(0) { $0 + $1.pending.count } }

    func checkPower() throws(DiskFailure) {
        if self.isPowerCut { throw DiskFailure(code: EIO) }
    }

    /// Counts an operation and asks the rule; returns how much of a write is to be stored, if not all.
    private mutating func begin(
        _ kind: SimulatedFileSystem.Operation.Kind,
        _ path: String
    ) throws(DiskFailure) -> (byteCount: Int, code: Int32)? {
        try self.checkPower()
        self.operationCount += 1
        let operation = SimulatedFileSystem.Operation(kind: kind, path: path, number: self.operationCount)
        switch self.rule?(operation) {
        case nil: return nil
        case .error(let code): throw DiskFailure(code: code)
        case .shortWrite(let byteCount, let code):
            if kind == .write { return (byteCount, code) }
            throw DiskFailure(code: code)
        case .powerCut:
            self.isPowerCut = true
            throw DiskFailure(code: EIO)
        }
    }

    // MARK: names

    private func parts(_ path: String) -> [String] { path.split(separator: "/").filter { $0 != "." }.map(String.init) }

    func find(_ path: String) -> Int? {
        var inode = 0
        for part in self.parts(path) {
            guard let next = self.inodes[inode].entries[part] else { return nil }
            inode = next
        }
        return inode
    }

    func file(_ path: String) throws(DiskFailure) -> Int {
        try self.checkPower()
        guard let inode = self.find(path) else { throw DiskFailure(code: ENOENT) }
        guard self.inodes[inode].kind == .regular else { throw DiskFailure(code: EISDIR) }
        return inode
    }

    func directory(_ path: String) throws(DiskFailure) -> Int {
        try self.checkPower()
        guard let inode = self.find(path) else { throw DiskFailure(code: ENOENT) }
        guard self.inodes[inode].kind == .directory else { throw DiskFailure(code: ENOTDIR) }
        return inode
    }

    /// The folder of a path and the name in it.
    private func place(_ path: String) throws(DiskFailure) -> (directory: Int, name: String) {
        let parts = self.parts(path)
        guard let name = parts.last else { throw DiskFailure(code: EEXIST) }
        return (try self.directory(parts.dropLast().joined(separator: "/")), name)
    }

    func status(_ inode: Int) -> FileStatus {
        let found = self.inodes[inode]
        return FileStatus(
            kind: found.kind,
            byteCount: UInt64(found.bytes.count),
            device: 1,
            inode: UInt64(inode + 1),
            linkCount: found.linkCount,
            modifiedAt: found.modifiedAt
        )
    }

    private mutating func apply(_ change: EntryChange) {
        for (directory, name, inode) in change.names {
            if let before = self.inodes[directory].entries[name], before != inode {
                self.inodes[before].linkCount -= 1
            }
            self.inodes[directory].entries[name] = inode
        }
        self.pendingEntries.append(change)
    }

    mutating func open(_ path: String, _ mode: FileOpenMode) throws(DiskFailure) -> Int {
        let (directory, name) = try self.place(path)
        if self.inodes[directory].entries[name] != nil {
            if mode == .createNew { throw DiskFailure(code: EEXIST) }
            return try self.file(path)
        }
        if mode == .read { throw DiskFailure(code: ENOENT) }
        _ = try self.begin(.create, path)
        self.inodes.append(Inode(kind: .regular, modifiedAt: self.clock.now()))
        let inode = self.inodes.count - 1
        self.apply(EntryChange(names: [(directory, name, inode)]))
        return inode
    }

    mutating func createDirectory(_ path: String) throws(DiskFailure) {
        var made = ""
        for part in self.parts(path) {
            made += "/" + part
            if let inode = self.find(made) {
                guard self.inodes[inode].kind == .directory else { throw DiskFailure(code: ENOTDIR) }
                continue
            }
            _ = try self.begin(.createDirectory, made)
            let (directory, name) = try self.place(made)
            self.inodes.append(Inode(kind: .directory, modifiedAt: self.clock.now()))
            self.apply(EntryChange(names: [(directory, name, self.inodes.count - 1)]))
        }
    }

    mutating func rename(_ source: String, _ target: String) throws(DiskFailure) {
        let from = try self.place(source)
        let to = try self.place(target)
        guard let inode = self.inodes[from.directory].entries[from.name] else { throw DiskFailure(code: ENOENT) }
        if let replaced = self.inodes[to.directory].entries[to.name] {
            if replaced == inode { return }
            guard self.inodes[replaced].kind == self.inodes[inode].kind else { throw DiskFailure(code: EISDIR) }
            guard self.inodes[replaced].entries.isEmpty else { throw DiskFailure(code: ENOTEMPTY) }
        }
        _ = try self.begin(.rename, source)
        self.inodes[inode].linkCount += 1
        self.apply(
            EntryChange(names: [(to.directory, to.name, inode), (from.directory, from.name, nil)])
        )
    }

    mutating func link(_ source: String, _ target: String) throws(DiskFailure) {
        let inode = try self.file(source)
        let to = try self.place(target)
        guard self.inodes[to.directory].entries[to.name] == nil else { throw DiskFailure(code: EEXIST) }
        _ = try self.begin(.link, target)
        self.inodes[inode].linkCount += 1
        self.apply(EntryChange(names: [(to.directory, to.name, inode)]))
    }

    mutating func remove(_ path: String) throws(DiskFailure) {
        let (directory, name) = try self.place(path)
        guard let inode = self.inodes[directory].entries[name] else { throw DiskFailure(code: ENOENT) }
        guard self.inodes[inode].entries.isEmpty else { throw DiskFailure(code: ENOTEMPTY) }
        _ = try self.begin(.remove, path)
        self.apply(EntryChange(names: [(directory, name, nil)]))
    }

    /// Makes the changes of a folder durable, and those before them that they build on.
    mutating func syncDirectory(_ path: String) throws(DiskFailure) {
        let directory = try self.directory(path)
        _ = try self.begin(.syncDirectory, path)
        var durable: Set<Int> = []
        var names: Set<EntryName> = []
        for index in self.pendingEntries.indices.reversed() {
            let change = self.pendingEntries[index]
            let touched = change.names.map { EntryName(directory: $0.directory, name: $0.name) }
            guard touched.contains(where: { $0.directory == directory || names.contains($0) }) else { continue }
            durable.insert(index)
            names.formUnion(touched)
        }
        for index in self.pendingEntries.indices where durable.contains(index) {
            self.makeDurable(self.pendingEntries[index])
        }
        self.pendingEntries = self.pendingEntries.indices.filter { !durable.contains($0) }.map {
            self.pendingEntries[$0]
        }
    }

    mutating func makeDurable(_ change: EntryChange) {
        for (directory, name, inode) in change.names { self.inodes[directory].durableEntries[name] = inode }
    }

    // MARK: bytes

    mutating func write(_ bytes: [UInt8], at offset: Int, inode: Int, path: String) throws(DiskFailure) {
        let short = try self.begin(.write, path)
        let growth = max(0, offset + bytes.count - self.inodes[inode].bytes.count)
        let room = self.byteCountMax == .max ? Int.max : max(0, self.byteCountMax - self.byteCount)
        let stored = min(short?.byteCount ?? bytes.count, growth > room ? bytes.count - (growth - room) : bytes.count)
        if stored > 0 {
            self.change(inode, FileChange(offset: offset, bytes: Array(bytes.prefix(stored))))
        }
        if let short { throw DiskFailure(code: short.code) }
        if stored < bytes.count { throw DiskFailure(code: ENOSPC) }
    }

    mutating func truncate(_ inode: Int, to byteCount: Int, path: String) throws(DiskFailure) {
        _ = try self.begin(.truncate, path)
        self.change(inode, FileChange(offset: byteCount, bytes: nil))
    }

    private mutating func change(_ inode: Int, _ change: FileChange) {
        change.apply(to: &self.inodes[inode].bytes)
        self.inodes[inode].pending.append(change)
        self.inodes[inode].modifiedAt = self.clock.now()
    }

    mutating func sync(_ inode: Int, path: String) throws(DiskFailure) {
        do throws(DiskFailure) {
            _ = try self.begin(.sync, path)
        } catch {
            // The system forgets that these bytes must be written.
            for index in self.inodes[inode].pending.indices { self.inodes[inode].pending[index].isLost = true }
            throw error
        }
        for change in self.inodes[inode].pending where !change.isLost {
            change.apply(to: &self.inodes[inode].durableBytes)
        }
        self.inodes[inode].pending.removeAll { !$0.isLost }
    }
}

extension DiskState.FileChange {
    func apply(to target: inout [UInt8]) {
        let end = self.offset + (self.bytes?.count ?? 0)
        if target.count < end { target += [UInt8](repeating: 0, count: end - target.count) }
        if let bytes = self.bytes {
            target.replaceSubrange(self.offset..<end, with: bytes)
        } else {
            target.removeLast(target.count - end)
        }
    }
}

/// A name in a folder.
struct EntryName: Hashable {
    let directory: Int
    let name: String
}
