internal import LeatCore

/// Followed names that lead to another file than before, or to none: what had them in between is found first.
///
/// All files that had a name are known, and durably, before the one that has it now is: whatever interrupts the agent, a
/// restart has to look only for files that are newer than the newest known one.
extension TailInput {
    /// Most passes over the folders, should files come faster than they can be looked at.
    private static let passCountMax = 64
    /// Most changed names that wait, each with an open file.
    private static let changeCountMax = 256

    /// A followed name appeared, vanished, or leads elsewhere.
    func nameChanged(_ path: String, hasVanished: Bool) {
        self.moveCount &+= 1
        if hasVanished { self.change(of: path).hasVanished = true }
        self.consider(path)
    }

    /// A file got a new name, where its changes are reported now.
    func fileRenamed(to name: PathFinder.WatchKey) {
        self.moveCount &+= 1
        do throws(FileSystemError) {
            // Otherwise it has moved on already, or will be found by its followed name.
            guard let status = try self.disk.status(name.path), let file = self.files[FileKey(status)] else { return }
            self.setPlace(file, number: name.number)
            self.enqueue(file)
        } catch {
            self.log.write(.warning, "\(error)")
        }
    }

    /// The change of a name that is to be settled.
    func change(of path: String) -> NameChange {
        if let known = self.changes[path] { return known }
        if self.changes.count >= Self.changeCountMax { self.settle() }
        if self.changes.isEmpty { self.loop.enqueue { [weak self] in self?.settle() } }
        let change = NameChange()
        self.changes[path] = change
        return change
    }

    /// Takes names of earlier runs that nothing has now for changed ones.
    func noteOrphans() {
        for path in self.known.paths where self.newest[path] == nil && self.finder.isFollowed(path) {
            // What has the name since the folder was listed is one more to begin with.
            self.consider(path)
            do throws(FileSystemError) {
                if try self.disk.status(path) == nil { _ = self.change(of: path) }
            } catch {
                self.log.once("\(path): \(error)", .warning)
            }
        }
    }

    /// Looks beside the changed names until nothing moves any more, and then begins with what they had and have.
    func settle() {
        guard !self.changes.isEmpty, !self.isSettling, !self.isStopped else { return }
        self.isSettling = true
        for _ in 0..<Self.passCountMax {
            let moveCount = self.moveCount
            let isStill = self.lookBeside()
            self.watch.readEvents()
            if isStill, self.moveCount == moveCount { break }
        }
        // What may be a copy of another new file comes behind it.
        let changes = self.changes.sorted {
            ($0.value.isCompressed ? 1 : 0, $0.key) < ($1.value.isCompressed ? 1 : 0, $1.key)
        }
        self.changes = [:]
        for (index, (path, change)) in changes.enumerated() {
            self.waiting = []
            if change.logs.contains(where: \.isCompressed) {
                self.waiting = [change.current].compactMap { $0 } + changes[(index + 1)...].flatMap(\.value.logs)
            }
            self.begin(path, change)
        }
        self.waiting = []
        self.waitingCopies = [:]
        self.isSettling = false
        // Where the names lead by now; when that is another file, they are settled again soon.
        for (path, _) in changes { self.consider(path) }
    }

    /// One pass over the folders of all changed names; whether it showed nothing new.
    private func lookBeside() -> Bool {
        let lists = FolderLists(disk: self.disk)
        let opened = Set(self.changes.values.compactMap { $0.current?.key })
        var isStill = true
        for (path, change) in self.changes {
            do throws(FileSystemError) {
                let search = try self.search(path, change)
                let showsNothingNew = try change.siblings.look(for: search, in: lists, on: self.disk) {
                    self.files[$0] != nil || opened.contains($0)
                }
                isStill = isStill && showsNothingNew
            } catch {
                self.log.once("\(error); what \(path) was is looked for again when it changes", .warning)
            }
        }
        return isStill
    }

    /// Notes when a file was moved into another folder (logrotate's `olddir`): others that had its name may follow it there.
    func noteFolder(of file: TailFile) {
        let name = file.place.isEmpty ? file.path : file.place
        guard !file.isClosed, let folder = file.file.currentFolder, folder != name.parentFolder else { return }
        do throws(FileSystemError) {
            // The same one may have several names.
            guard let found = try self.disk.status(folder), found.kind == .directory,
                try self.disk.status(name.parentFolder).map(FileKey.init) != FileKey(found)
            else { return }
        } catch {
            return self.log.once("\(error)", .warning)
        }
        file.place = (folder == "/" ? "" : folder) + "/" + name.lastPathComponent
        // A later run must look there too; what is read again has its position already.
        guard file.replayed == nil else { return }
        self.sink.accept(self.read(EventList(), file), from: self.counters)
    }

    /// For what to look beside a name; made once, and anew when another name has taken what was known, or what led there in
    /// this run is another file now.
    private func search(_ path: String, _ change: NameChange) throws(FileSystemError) -> TailResume.Search {
        let old = self.newest[path]
        if let old { self.noteFolder(of: old) }
        if let search = change.search, search.isFor(old?.position), !self.known.isOutdated(search) { return search }
        let search = try self.known.search(
            path: path,
            current: change.current,
            old: old?.position,
            hasVanished: change.hasVanished,
            isFirstLook: self.isFirstScan
        )
        change.search = search
        return search
    }

    /// Begins with the files that a name had, and with the one that it has.
    private func begin(_ path: String, _ change: NameChange) {
        do throws(FileSystemError) {
            let search = try self.search(path, change)
            for failure in change.siblings.failures { self.log.once("\(failure)", .warning) }
            let siblings = change.siblings.found
            let earlier = try self.known.earlier(search, among: siblings, passed: change.passed)
            for file in earlier { try self.follow(file, path: path) }
            guard let current = change.current else { return }
            guard self.files[current.key] == nil, try !self.isCopy(current) else { return current.handle.close() }
            let formerName = try self.formerName(of: current, search.known)
            let file = try self.makeFile(formerName ?? path, current, search.known, isNew: search.isNew)
            self.adopt(file, path: path)
            file.names.insert(path)
            if let place = change.place { self.setPlace(file, number: place) }
            if formerName != nil {
                file.state.renamed(true, now: self.now)
                self.restless[ObjectIdentifier(file)] = file
            }
        } catch {
            self.log.once("\(error); \(path) is tried again when it changes", .warning)
        }
    }

    /// The name under which an earlier run followed a file that has another followed name now; it stays the one of its
    /// records, and nobody appends to its last line any more, as if it had been renamed in this run.
    private func formerName(of log: OpenLog, _ known: SourcePosition?) throws(FileSystemError) -> String? {
        guard let known, !log.isCompressed, known.path != log.path, self.finder.isFollowed(known.path),
            PathText.resolved(known.path) == known.path,
            try self.disk.status(known.path).map(FileKey.init) != log.key
        else { return nil }
        return known.path
    }

    /// Begins with a file that had a name, to be read before the one that has it now.
    private func follow(_ earlier: TailResume.Earlier, path: String) throws(FileSystemError) {
        let log = earlier.log
        let isTaken = earlier.known.map { self.known.claims.sources.contains($0.source) } ?? false
        guard self.files[log.key] == nil, !isTaken, try !self.isCopy(log) else { return log.handle.close() }
        let file = try self.makeFile(path, log, earlier.known, isNew: true)
        self.adopt(file, path: path)
        self.counters.filesRotated += 1
        self.log.write(.info, "\(log.path) was \(path) before; reading it from byte \(file.state.offset)")
        self.detach(file, from: path)
    }
}
