internal import LeatCore

/// What lies in folders; each is listed once, however many followed names it has.
final class FolderLists {
    /// The names in one folder.
    private struct Names {
        var all: [String] = []
        /// What a file that had a name may be called now: so still, or by a rotated name of it.
        var later: [String: [String]] = [:]
        /// The logs of containers, which stand for each other.
        var started: [String] = []
        /// Where each file is; made when it is asked for.
        var places: [FileKey: String]?
        /// The folders in it; made when they are asked for.
        var folders: [String]?
    }

    private let disk: any FileSystem
    private var folders: [String: Names] = [:]

    init(disk: any FileSystem) { self.disk = disk }

    /// Where files may be that had one of the places, or are one of `keys`: there and beside them, and, when there are keys,
    /// also under a rotated name in the folders beside them (logrotate's `olddir`).
    func candidates(_ places: [String], keys: Set<FileKey>) throws(FileSystemError) -> Set<String> {
        var paths: Set<String> = []
        for place in places {
            let folder = place.parentFolder
            try self.addLater(of: place, in: folder, to: &paths)
            guard !keys.isEmpty else { continue }
            let files = try self.files(in: folder)
            for key in keys {
                if let path = files[key] { paths.insert(path) }
            }
            for inner in try self.innerFolders(of: folder) { try self.addLater(of: place, in: inner, to: &paths) }
        }
        return paths
    }

    private func addLater(
        of place: String,
        in folder: String,
        to paths: inout Set<String>
    ) throws(FileSystemError) {
        let names = try self.names(folder)
        let base = place.lastPathComponent
        for name in names.later[base] ?? [] { paths.insert(folder + "/" + name) }
        guard RotatedName.startCount(base) != nil else { return }
        for name in names.started where name != base { paths.insert(folder + "/" + name) }
    }

    private func names(_ folder: String) throws(FileSystemError) -> Names {
        if let known = self.folders[folder] { return known }
        var names = Names()
        if try self.disk.status(folder)?.kind == .directory { names.all = try self.disk.list(folder) }
        for name in names.all {
            for base in [name] + RotatedName.bases(of: name) { names.later[base, default: []].append(name) }
            if RotatedName.startCount(name) != nil { names.started.append(name) }
        }
        self.folders[folder] = names
        return names
    }

    private func files(in folder: String) throws(FileSystemError) -> [FileKey: String] {
        if let places = try self.names(folder).places { return places }
        var places: [FileKey: String] = [:]
        var inner: [String] = []
        for name in try self.names(folder).all {
            let path = folder + "/" + name
            guard let status = try self.disk.status(path) else { continue }
            switch status.kind {
            case .regular: places[FileKey(status)] = path
            case .directory: inner.append(path)
            case .other: break
            }
        }
        self.folders[folder]?.places = places
        self.folders[folder]?.folders = inner
        return places
    }

    private func innerFolders(of folder: String) throws(FileSystemError) -> [String] {
        _ = try self.files(in: folder)
        return try self.names(folder).folders ?? []
    }
}
