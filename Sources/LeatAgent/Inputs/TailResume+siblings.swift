internal import LeatCore

/// Rotated files: where they are found, and which of them were not read to their end.
extension TailResume {
    /// Most times that a folder is listed for one name, should files come faster than they can be looked at.
    private static let passCountMax = 16

    /// A file beside the one that a followed name leads to.
    private struct Sibling {
        let path: String
        let handle: any File
        let status: FileStatus
        /// Whether its name is one that a rotated file of the followed name may have.
        let hasRotatedName: Bool

        /// When it was last written, nanoseconds since 1970.
        var modifiedAt: Int64 { self.status.modifiedAt.nanoseconds }
    }

    /// Files that were not read to their end and whose followed name nothing has now, oldest first by name.
    ///
    /// They are looked for where they lay, and beside it under a rotated name.
    func orphans(_ isWanted: (String) -> Bool) throws(FileSystemError) -> [(name: String, file: Earlier)] {
        var result: [(name: String, file: Earlier)] = []
        for path in self.byPath.keys.sorted() where isWanted(path) {
            guard try self.disk.status(path) == nil else { continue }
            for file in try self.missed(path: path, after: nil) { result.append((path, file)) }
        }
        return result
    }

    /// The rotated files that are to be read of a name that nothing has now; `old` is the last one that had it.
    func missed(path: String, after old: SourcePosition?) throws(FileSystemError) -> [Earlier] {
        let history = self.history(of: path) + [old].compactMap { $0 }
        guard let last = history.last else { return [] }
        let place = last.place.isEmpty ? path : last.place
        return try self.earlier(Search(place: place, history: history, open: old?.source))
    }

    /// For which rotated files to look.
    struct Search {
        /// Where the followed name leads, or led.
        let place: String
        /// Positions of the name that nothing has, oldest first.
        let history: [SourcePosition]
        /// The file that is there now, and how far it was read.
        var current: FileKey?
        var known: SourcePosition?
        /// The source of a file that is being read already.
        var open: UInt64?
        /// Without a history: files that were written since then may have had the name while nobody looked.
        var since: Int64?
    }

    /// The rotated files of a followed name that were not read to their end: those that are known, then those that came
    /// after the last one that is.
    func earlier(_ search: Search) throws(FileSystemError) -> [Earlier] {
        let known = search.known
        var wanted = search.history.filter {
            !$0.isFinished && $0.source != known?.source && $0.source != search.open
        }
        self.addPendingSources(of: wanted + [known].compactMap { $0 }, to: &wanted)
        let last = search.history.last
        // A file of which nothing was read may be another one that got its number.
        let isLast = last?.source == known?.source && last?.isEmpty == false
        let newerThan = last == nil ? search.since : isLast ? nil : last?.modifiedAtNanoseconds
        let times = wanted.map(\.modifiedAtNanoseconds) + [newerThan].compactMap { $0 }
        guard let oldest = times.min() else { return [] }
        var places = [search.place]
        // The name was a link that leads into another folder now.
        for position in search.history where !position.place.isEmpty && !places.contains(position.place) {
            places.append(position.place)
        }
        var rest = try self.siblings(of: places, except: search.current, writtenSince: oldest, Set(wanted.map(\.key)))
        // The number first: many files begin alike.
        var found = try Self.take(&wanted, from: &rest) { position, sibling in
            !position.isEmpty && position.key == FileKey(sibling.status)
        }
        // The number alone says little, since that of a file that is gone is used again: by another log, or by a copy.
        found += try Self.take(&wanted, from: &rest) { position, sibling in
            position.isEmpty && position.key == FileKey(sibling.status)
                && sibling.hasRotatedName && !(sibling.handle is GzipLog)
        }
        found += try Self.take(&wanted, from: &rest) { position, sibling in
            !position.isEmpty && sibling.hasRotatedName
        }
        found.sort { ($0.known?.source ?? 0) < ($1.known?.source ?? 0) }
        var unseen: [Sibling] = []
        for sibling in rest {
            if let newerThan, sibling.modifiedAt >= newerThan, RotatedName.isOne(sibling.path, of: places),
                try !self.isKnown(sibling, search.history)
            {
                unseen.append(sibling)
            } else {
                sibling.handle.close()
            }
        }
        unseen.sort { ($0.modifiedAt, $0.path) < ($1.modifiedAt, $1.path) }
        return found + unseen.map { Earlier(path: $0.path, handle: $0.handle, known: nil) }
    }

    /// Takes from `siblings` the files of positions for which `isCandidate` says so and whose bytes are theirs.
    private static func take(
        _ wanted: inout [SourcePosition],
        from siblings: inout [Sibling],
        where isCandidate: (SourcePosition, Sibling) -> Bool
    ) throws(FileSystemError) -> [Earlier] {
        var result: [Earlier] = []
        var rest: [Sibling] = []
        for sibling in siblings {
            var match: Int?
            for index in wanted.indices where match == nil && isCandidate(wanted[index], sibling) {
                if try Self.isSame(wanted[index], sibling.handle) { match = index }
            }
            if let match {
                result.append(Earlier(path: sibling.path, handle: sibling.handle, known: wanted.remove(at: match)))
            } else {
                rest.append(sibling)
            }
        }
        siblings = rest
        return result
    }

    /// Whether what a rotated file holds was read, or is being read.
    private func isKnown(_ sibling: Sibling, _ history: [SourcePosition]) throws(FileSystemError) -> Bool {
        for source in self.byFile[FileKey(sibling.status)] ?? [] {
            // The number alone says nothing: that of a file that is gone is used again.
            guard let position = self.bySource[source], !position.isEmpty else { continue }
            if try Self.isSame(position, sibling.handle) { return true }
        }
        guard sibling.handle is GzipLog else { return false }
        for position in history where !position.isEmpty {
            guard try Self.isSame(position, sibling.handle) else { continue }
            let byte = UnsafeMutableRawBufferPointer.allocate(byteCount: 1, alignment: 1)
            defer { byte.deallocate() }
            if try sibling.handle.read(at: position.offset, into: byte) == 0 { return true }
        }
        return false
    }

    /// The open files beside some places, and in folders beside them, that were written since a time under a name that a
    /// rotated file may have, or that have one of the numbers.
    ///
    /// The folder is listed until nothing new turns up: a file that gets its next name while the list is walked through has
    /// neither the old nor the new name in it.
    private func siblings(
        of places: [String],
        except current: FileKey?,
        writtenSince oldest: Int64,
        _ keys: Set<FileKey>
    ) throws(FileSystemError) -> [Sibling] {
        var seen = Set([current].compactMap { $0 })
        var result: [Sibling] = []
        var count = -1
        for _ in 0..<Self.passCountMax where seen.count > count {
            count = seen.count
            for path in try self.candidates(places, withAnyName: !keys.isEmpty) {
                guard let found = try self.disk.status(path), found.kind == .regular else { continue }
                let key = FileKey(found)
                let hasRotatedName = places.contains(path) || RotatedName.isOne(path, of: places)
                let isLate = found.modifiedAt.nanoseconds >= oldest && RotatedName.isOne(path, of: places)
                guard !seen.contains(key) else { continue }
                guard isLate || keys.contains(key), try !GzipLog.isBesideOriginal(path, on: self.disk),
                    let sibling = try self.sibling(path, hasRotatedName: hasRotatedName)
                else {
                    seen.insert(key)
                    continue
                }
                if seen.insert(FileKey(sibling.status)).inserted {
                    result.append(sibling)
                } else {
                    sibling.handle.close()
                }
            }
        }
        return result
    }

    /// What has a rotated name in the folders of some places; `withAnyName` everything there, and what has a rotated name
    /// in the folders beside (logrotate's `olddir`).
    private func candidates(_ places: [String], withAnyName: Bool) throws(FileSystemError) -> [String] {
        var paths: [String] = []
        for folder in Set(places.map(\.parentFolder)).sorted() where try self.isFolder(folder) {
            for name in try self.disk.list(folder) {
                let path = folder + "/" + name
                if RotatedName.isOne(path, of: places) || places.contains(path) {
                    paths.append(path)
                } else if withAnyName {
                    paths.append(path)
                    guard try self.isFolder(path) else { continue }
                    paths += try self.disk.list(path).map { path + "/" + $0 }.filter {
                        RotatedName.isOne($0, of: places)
                    }
                }
            }
        }
        return paths
    }

    private func isFolder(_ path: String) throws(FileSystemError) -> Bool {
        try self.disk.status(path)?.kind == .directory
    }

    /// Names that a rotated file of a place may have.
    func siblingNames(of place: String) throws(FileSystemError) -> [String] {
        guard try self.isFolder(place.parentFolder) else { return [] }
        return try self.disk.list(place.parentFolder).filter { RotatedName.isOne($0, of: [place]) }
    }

    /// An open file; `nil` when there is none, or not any more.
    private func sibling(_ path: String, hasRotatedName: Bool) throws(FileSystemError) -> Sibling? {
        guard let handle = try GzipLog.openLog(path, on: self.disk) else { return nil }
        return Sibling(path: path, handle: handle, status: try handle.status(), hasRotatedName: hasRotatedName)
    }
}

/// The names under which rotated files are found.
enum RotatedName {
    /// Whether a path may be that of a file that was at one of the places before: `app.log.1`, `app.log-20261130.gz`,
    /// `0.log.20261130-080000`, or, for the log of a container that was started anew, `0.log` for `1.log`.
    static func isOne(_ path: String, of places: [String]) -> Bool {
        let name = path.lastPathComponent
        guard !name.hasSuffix(".tmp") else { return false }
        return places.contains { place in
            let base = place.lastPathComponent
            if name.hasPrefix(base), let mark = name.utf8.dropFirst(base.utf8.count).first {
                return (mark == UInt8(ascii: ".") || mark == UInt8(ascii: "-"))
                    && Self.isSuffix(name.utf8.dropFirst(base.utf8.count + 1))
            }
            return Self.startCount(base) != nil && Self.startCount(name) != nil && name != base
        }
    }

    /// Whether what follows a name is a number or a date, or says that the file is an old one.
    private static func isSuffix(_ suffix: Substring.UTF8View) -> Bool {
        if suffix.contains(where: { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }) { return true }
        return ["old", "bak", "prev", "save", "orig", "gz", "old.gz"].contains { suffix.elementsEqual($0.utf8) }
    }

    /// The number in front of `.log`: how often the container had been started.
    private static func startCount(_ name: String) -> Int? {
        guard let end = name.utf8.firstIndex(of: UInt8(ascii: ".")), name[end...].hasPrefix(".log") else { return nil }
        return Int(name[..<end])
    }
}
