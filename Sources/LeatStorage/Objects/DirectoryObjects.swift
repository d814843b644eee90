internal import Glibc
internal import LeatCore

/// Objects as files below a directory.
struct DirectoryObjects: ObjectStore {
    let fileSystem: any FileSystem
    let root: String

    func location(of key: String) -> String { "\(self.root)/\(key)" }

    func put(_ key: String, _ parts: [ByteSlice]) throws(StorageError) {
        do throws(FileSystemError) {
            let path = self.location(of: key)
            if try self.fileSystem.status(path) != nil {
                throw FileSystemError(operation: "create", path: path, code: EEXIST)
            }
            let folder = try self.folder(of: path)
            let temporary = path + StorageFileNames.temporarySuffix
            do throws(FileSystemError) {
                try self.write(parts, to: temporary)
                try self.fileSystem.rename(temporary, to: path)
            } catch {
                try self.removeIfPresent(temporary)
                throw error
            }
            try self.fileSystem.syncDirectory(folder)
        } catch {
            throw .file(error)
        }
    }

    private func write(_ parts: [ByteSlice], to path: String) throws(FileSystemError) {
        try self.removeIfPresent(path)
        let file = try self.fileSystem.open(path, .createNew)
        defer { file.close() }
        try file.write(parts, at: 0)
        try file.sync()
    }

    /// Creates the folder of a path, and makes it durable in the one above it.
    private func folder(of path: String) throws(FileSystemError) -> String {
        let folder = String(path[..<(path.lastIndex(of: "/") ?? path.startIndex)])
        if try self.fileSystem.status(folder) == nil {
            try self.fileSystem.createDirectory(folder)
            try self.fileSystem.syncDirectory(self.root)
        }
        return folder
    }

    func get(_ key: String) throws(StorageError) -> ByteSlice {
        do throws(FileSystemError) {
            return try self.fileSystem.contents(self.location(of: key))
        } catch {
            throw .file(error)
        }
    }

    func list() throws(StorageError) -> [(key: String, byteCount: UInt64)] {
        do throws(FileSystemError) {
            return try self.files(in: self.root, prefix: "")
        } catch {
            throw .file(error)
        }
    }

    private func files(
        in folder: String,
        prefix: String
    ) throws(FileSystemError) -> [(key: String, byteCount: UInt64)] {
        var found: [(key: String, byteCount: UInt64)] = []
        for name in try self.fileSystem.list(folder) {
            let path = "\(folder)/\(name)"
            guard let status = try self.fileSystem.status(path) else { continue }
            if status.kind == .directory {
                found += try self.files(in: path, prefix: prefix + name + "/")
            } else {
                found.append((prefix + name, status.byteCount))
            }
        }
        return found
    }

    func delete(_ key: String) throws(StorageError) {
        do throws(FileSystemError) {
            try self.removeIfPresent(self.location(of: key))
        } catch {
            throw .file(error)
        }
    }

    private func removeIfPresent(_ path: String) throws(FileSystemError) {
        do throws(FileSystemError) {
            try self.fileSystem.remove(path)
        } catch {
            if error.code != ENOENT { throw error }
        }
    }
}
