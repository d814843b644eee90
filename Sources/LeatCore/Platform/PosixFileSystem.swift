internal import CLeatPlatform
internal import Glibc

/// The real disk.
public struct PosixFileSystem: FileSystem {
    /// Files from this size on are mapped by `contents`, smaller ones are read; in bytes.
    public let mappedByteCountMin: Int

    public init(mappedByteCountMin: Int = 256 << 10) { self.mappedByteCountMin = mappedByteCountMin }

    public func open(_ path: String, _ mode: FileOpenMode) throws(FileSystemError) -> any File {
        try PosixFile(path: path, mode: mode)
    }

    public func contents(_ path: String) throws(FileSystemError) -> ByteSlice {
        let file = try PosixFile(path: path, mode: .read)
        defer { file.close() }
        let byteCount = Int(try file.status().byteCount)
        if byteCount >= max(1, self.mappedByteCountMin) {
            do throws(FileSystemError) {
                let mapped = try MappedFile(descriptor: file.descriptor, byteCount: byteCount, path: path)
                return ByteSlice(mapped.bytes, owner: mapped)
            } catch {
                // No more mappings, or a file system without them: read it instead.
                guard error.code == ENOSPC || error.code == ENODEV || error.code == ENOMEM else { throw error }
            }
        }
        return try file.readAll(byteCountHint: byteCount)
    }

    public func rename(_ source: String, to target: String) throws(FileSystemError) {
        try check(Glibc.rename(source, target), "rename", source)
    }

    public func link(_ source: String, to target: String) throws(FileSystemError) {
        try check(Glibc.link(source, target), "link", source)
    }

    public func remove(_ path: String) throws(FileSystemError) {
        try check(Glibc.remove(path), "remove", path)
    }

    public func createDirectory(_ path: String) throws(FileSystemError) {
        if mkdir(path, 0o700) == 0 { return }
        let code = errno
        switch code {
        case EEXIST:
            if try self.status(path)?.kind == .directory { return }
        case ENOENT:
            if let slash = path.dropLast().lastIndex(of: "/"), slash != path.startIndex {
                try self.createDirectory(String(path[..<slash]))
                // Somebody else may have made it in between.
                if mkdir(path, 0o700) == 0 || errno == EEXIST { return }
            }
        default: break
        }
        throw FileSystemError(operation: "create directory", path: path, code: code)
    }

    public func list(_ path: String) throws(FileSystemError) -> [String] {
        guard let directory = opendir(path) else {
            throw FileSystemError(operation: "list", path: path, code: errno)
        }
        defer { closedir(directory) }
        var names: [[UInt8]] = []
        while true {
            errno = 0
            guard let entry = readdir(directory) else {
                if errno != 0 { throw FileSystemError(operation: "list", path: path, code: errno) }
                break
            }
            let name = withUnsafeBytes(of: &entry.pointee.d_name) { bytes in [UInt8](bytes.prefix { $0 != 0 }) }
            if name != [46] && name != [46, 46] { names.append(name) }
        }
        names.sort { $0.lexicographicallyPrecedes($1) }
        return names.map { String(decoding: $0, as: UTF8.self) }
    }

    public func status(_ path: String) throws(FileSystemError) -> FileStatus? {
        var found = stat()
        if stat(path, &found) == 0 { return FileStatus(found) }
        if errno == ENOENT || errno == ENOTDIR { return nil }
        throw FileSystemError(operation: "examine", path: path, code: errno)
    }

    public func syncDirectory(_ path: String) throws(FileSystemError) {
        let descriptor = Glibc.open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        try check(descriptor, "open", path)
        defer { Glibc.close(descriptor) }
        try check(fsync(descriptor), "sync", path)
    }

    public func space(_ path: String) throws(FileSystemError) -> (free: UInt64, total: UInt64) {
        var free: UInt64 = 0
        var total: UInt64 = 0
        let result = leat_disk_space(path, &free, &total)
        guard result == 0 else { throw FileSystemError(operation: "examine the disk of", path: path, code: -result) }
        return (free, total)
    }
}

/// Throws the system's error when `result` is negative.
private func check(_ result: Int32, _ operation: String, _ path: String) throws(FileSystemError) {
    if result < 0 { throw FileSystemError(operation: operation, path: path, code: errno) }
}

extension FileStatus {
    init(_ found: stat) {
        let kind: Kind =
            switch found.st_mode & S_IFMT {
            case S_IFREG: .regular
            case S_IFDIR: .directory
            default: .other
            }
        let modified = Int64(found.st_mtim.tv_sec) &* 1_000_000_000 &+ Int64(found.st_mtim.tv_nsec)
        self.init(
            kind: kind,
            byteCount: UInt64(max(0, found.st_size)),
            device: UInt64(found.st_dev),
            inode: UInt64(found.st_ino),
            linkCount: UInt64(found.st_nlink),
            modifiedAt: Timestamp(nanoseconds: modified)
        )
    }
}
