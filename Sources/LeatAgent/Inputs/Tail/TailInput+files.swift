internal import LeatCore

extension TailInput {
    /// Looks at a followed name, and at what it leads to now.
    func consider(_ path: String) {
        guard !self.isStopped else { return }
        let status: FileStatus?
        do throws(FileSystemError) {
            status = try self.disk.status(path)
        } catch {
            // No right to look: reported once per name; the folder's watch says when that changes.
            self.log.once("\(path): \(error)", .warning)
            return
        }
        guard let status, status.kind == .regular else { return self.vacate(path) }
        let key = FileKey(status)
        if let known = self.files[key] {
            self.attach(known, to: path)
        } else if self.changes[path]?.current?.key != key, !self.isTooOld(status) {
            self.open(path)
        }
    }

    /// Nothing has a followed name any more; other files may have had it since the last look.
    private func vacate(_ path: String) {
        guard let old = self.newest[path] else { return }
        if old.names.contains(path) { _ = self.change(of: path) }
        self.detach(old, from: path)
    }

    func isTooOld(_ status: FileStatus) -> Bool {
        guard let age = self.options.ignoredAgeNanoseconds else { return false }
        return self.loop.time.now().nanoseconds - status.modifiedAt.nanoseconds > age
    }

    /// A name leads to a file that is open already: the same one, one that was renamed, or one with two names.
    func attach(_ file: TailFile, to path: String) {
        let old = self.newest[path]
        if old !== file || !file.names.contains(path) {
            if let old, old !== file { self.detach(old, from: path) }
            self.newest[path] = file
            self.finder.unfollow(path)
            self.setPlace(file, path)
            if path == file.path, file.state.isRenamed { file.state.renamed(false, now: self.now) }
        }
        self.enqueue(file)
        file.names.insert(path)
        self.apply(file.state.detached(false, isDeleted: false, now: self.now), to: file)
    }

    func setPlace(_ file: TailFile, _ path: String) {
        guard let key = self.finder.follow(path) else { return }
        self.setPlace(file, number: key.number)
    }

    /// Changes of the file's bytes are reported under this number.
    func setPlace(_ file: TailFile, number: UInt64) {
        self.places[number] = file
        file.places.insert(number)
    }

    /// Opens what has a followed name now; it is read when it is settled what had the name before.
    func open(_ path: String) {
        guard self.known.claims.hasRoom(beside: self.changes.count) else {
            self.isShortOfFiles = true
            self.log.once("as many files are open as the system allows; others wait until some are closed", .error)
            return
        }
        // From here on the watch tells what happens to the name.
        self.finder.unfollow(path)
        let place = self.finder.follow(path)
        do throws(FileSystemError) {
            guard let log = try OpenLog(path, on: self.disk) else { return }
            if let known = self.files[log.key] {
                log.handle.close()
                return self.attach(known, to: path)
            }
            guard self.changes[path]?.current?.key != log.key, try self.isReadable(log) else {
                return log.handle.close()
            }
            if let old = self.newest[path] { self.detach(old, from: path) }
            self.change(of: path).replaceCurrent(by: log, place: place?.number)
        } catch {
            self.log.once("\(error); \(path) is tried again when it changes", .warning)
        }
    }

    /// Takes a file into the tables, behind the one that had its name.
    func adopt(_ file: TailFile, path: String) {
        if let old = self.newest[path], old !== file, !old.isClosed {
            file.predecessor = old
            self.restless[ObjectIdentifier(file)] = file
        }
        self.newest[path] = file
        self.register(file)
    }

    /// Takes a file into the tables of those that are read.
    func register(_ file: TailFile) {
        if let key = self.key(of: file) {
            self.files[key] = file
            file.copies.formUnion(self.waitingCopies[key] ?? [])
        }
        self.known.claims.sources.insert(file.source)
        self.counters.filesOpened += 1
        self.known.claims.openFileCount += 1
        // Before its first line: a later run must know that the name was followed, and from where.
        if !self.known.isKnown(source: file.source) {
            self.sink.accept(self.read(EventList(), file), from: self.counters)
        }
        self.enqueue(file)
    }

    func key(of file: TailFile) -> FileKey? {
        FileKey(device: file.identity.device, inode: file.identity.inode)
    }

    /// A file that was found under a followed name, or had it; `known` says how far it was read.
    func makeFile(
        _ path: String,
        _ log: OpenLog,
        _ known: SourcePosition?,
        isNew: Bool
    ) throws(FileSystemError) -> TailFile {
        let offset = try self.firstOffset(log, known, isNew: isNew)
        let place = PathText.resolved(path)
        let file = TailFile(
            source: known?.source ?? self.sink.newSource(),
            path: path,
            place: place == path ? "" : place,
            tag: self.sink.routeTag(self.tagText(path)),
            recordTail: self.recordTail(path),
            file: log.handle,
            identity: try FileIdentity.of(log.handle, status: log.status),
            state: TailFileState(offset: offset.start, now: self.now),
            marker: offset.marker,
            shaper: LineShaper(self.templates),
            modifiedAtNanoseconds: log.modifiedAt
        )
        if let known {
            file.isInsideCutLine = known.isInsideCutLine && offset.start == known.offset
            if offset.start < known.offset {
                file.replayed = known.pending.filter { $0.source == known.source }
                file.replayEnd = known.offset
            }
        }
        return file
    }

    /// Where reading begins: behind what is durable, but at the first unfinished event.
    func firstOffset(
        _ log: OpenLog,
        _ known: SourcePosition?,
        isNew: Bool
    ) throws(FileSystemError) -> (start: UInt64, marker: ContentMarker) {
        if let known {
            let pending = known.pending.filter { $0.source == known.source }.map(\.offset).min()
            guard let pending, pending < known.offset else { return (known.offset, known.marker) }
            let count = Int(min(pending, UInt64(ContentMarker.byteCountMax)))
            return (pending, try ContentMarker.of(log.handle, before: pending, byteCount: count) ?? .none)
        }
        let wasThere = self.isFirstScan && !isNew && !self.cameMeanwhile(log)
        let readsFromHead = wasThere ? self.options.readsFromHead : self.options.readsNewFilesFromHead
        let end = log.status.byteCount
        if readsFromHead || end == 0 { return (0, .none) }
        let count = Int(min(end, UInt64(ContentMarker.byteCountMax)))
        let marker = try ContentMarker.of(log.handle, before: end, byteCount: count)
        return marker.map { (end, $0) } ?? (0, .none)
    }

    /// Whether a file was made after the last look of an earlier run.
    private func cameMeanwhile(_ log: OpenLog) -> Bool {
        guard self.hasEarlierRun, let lastSeen = self.known.lastSeen, let bornAt = log.handle.bornAt else {
            return false
        }
        return bornAt.nanoseconds > lastSeen
    }

    func tagText(_ path: String) -> String {
        let template = self.options.tagTemplate.map { $0.text(for: path) } ?? self.options.tag
        guard template.contains("*") else { return template }
        let name = path.drop { $0 == "/" }.map { $0 == "/" ? "." : String($0) }.joined()
        return template.split(separator: "*", omittingEmptySubsequences: false).joined(separator: name)
    }

    func recordTail(_ path: String) -> [UInt8] {
        guard let key = self.options.pathKey else { return [] }
        var bytes: [UInt8] = []
        bytes.appendMember(key, text: Array(path.utf8), start: -1)
        return bytes
    }

    /// The name leads elsewhere, or nowhere.
    func detach(_ file: TailFile, from path: String) {
        file.names.remove(path)
        guard !file.isClosed else { return }
        if path == file.path { file.state.renamed(true, now: self.now) }
        self.noteFolder(of: file)
        self.restless[ObjectIdentifier(file)] = file
        guard file.names.isEmpty else { return }
        var isDeleted = false
        do throws(FileSystemError) {
            isDeleted = try file.file.status().linkCount == 0
        } catch {
            self.log.write(.warning, "\(error)")
        }
        if !file.state.isDetached { self.counters.filesRotated += isDeleted ? 0 : 1 }
        self.apply(file.state.detached(true, isDeleted: isDeleted, now: self.now), to: file)
    }
}
