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
        let old = self.newest[path]
        guard let status, status.kind == .regular else {
            if let old { self.detach(old, from: path) }
            return
        }
        let key = FileKey(status)
        if let known = self.files[key] {
            self.attach(known, to: path, old: old)
        } else if !self.isTooOld(status) {
            self.open(path, expected: key, old: old)
        }
    }

    func isTooOld(_ status: FileStatus) -> Bool {
        guard let age = self.options.ignoredAgeNanoseconds else { return false }
        return self.loop.time.now().nanoseconds - status.modifiedAt.nanoseconds > age
    }

    /// A name leads to a file that is open already: the same one, one that was renamed, or one with two names.
    func attach(_ file: TailFile, to path: String, old: TailFile?) {
        if old === file {
            self.enqueue(file)
        } else {
            if let old { self.detach(old, from: path) }
            self.newest[path] = file
            self.finder.unfollow(path)
            self.setPlace(file, path)
        }
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

    /// Begins to follow a file that is not open.
    func open(_ path: String, expected: FileKey, old: TailFile?) {
        guard self.known.claims.hasRoom else {
            self.isShortOfFiles = true
            self.log.once("as many files are open as the system allows; others wait until some are closed", .error)
            return
        }
        // From here on the watch tells what happens to the name.
        self.finder.unfollow(path)
        let place = self.finder.follow(path)
        do throws(FileSystemError) {
            guard let (handle, status) = try self.openRegular(path) else {
                return self.lookForMoved(expected, path: path)
            }
            guard FileKey(status) == expected else {
                handle.close()
                return self.lookForMoved(expected, path: path)
            }
            if let archive = handle as? GzipLog, try !self.isReadable(archive, status, path: path) {
                return archive.close()
            }
            if let old { self.detach(old, from: path) }
            let start = try self.known.start(
                path: path,
                handle: handle,
                status: status,
                old: old?.position,
                looksBeside: old.map { self.mayMissSuccessors(of: $0) } ?? true,
                isFirstLook: self.isFirstScan
            )
            for earlier in start.earlier { self.followEarlier(earlier, path: path) }
            let file = try self.makeFile(path, handle, status, start.known, isNew: start.isNew)
            self.adopt(file, path: path)
            file.names.insert(path)
            if let place { self.setPlace(file, number: place.number) }
        } catch {
            self.log.once("\(error); \(path) is tried again when it changes", .warning)
        }
    }

    /// An open file and what it is; `nil` when the name leads to no regular file, or not any more.
    func openRegular(_ path: String) throws(FileSystemError) -> (handle: any File, status: FileStatus)? {
        guard let handle = try GzipLog.openLog(path, on: self.disk) else { return nil }
        let status = try handle.status()
        guard status.kind == .regular else {
            handle.close()
            return nil
        }
        return (handle, status)
    }

    /// Whether a compressed file is whole, and no copy of one that is open.
    private func isReadable(
        _ archive: GzipLog,
        _ status: FileStatus,
        path: String
    ) throws(FileSystemError) -> Bool {
        let isBesideOriginal = try GzipLog.isBesideOriginal(path, on: self.disk)
        var isWhole = self.isQuiet(status)
        if !isWhole, !isBesideOriginal { isWhole = try archive.isWhole() }
        if isBesideOriginal || !isWhole {
            // Somebody writes it; what it is a copy of can be told only when it is whole.
            self.growing.insert(path)
            return false
        }
        if let original = try self.original(of: archive, status) {
            // What is in it was read, or is being read, under another name.
            original.copies.insert(path)
            return false
        }
        return true
    }

    /// The open file that was compressed into this one.
    func original(of copy: any File, _ status: FileStatus) throws(FileSystemError) -> TailFile? {
        for file in self.files.values where !file.isClosed && file.identity.prefixByteCount > 0 {
            let count = file.identity.prefixByteCount
            let identity = try FileIdentity.of(copy, status: status, prefixByteCount: count)
            guard identity.prefixByteCount == count, identity.prefixDigest == file.identity.prefixDigest else {
                continue
            }
            let marker = try ContentMarker.of(copy, before: file.state.offset, byteCount: file.marker.byteCount)
            if marker == file.marker { return file }
        }
        return nil
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
        if let key = self.key(of: file) { self.files[key] = file }
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

    func makeFile(
        _ path: String,
        _ handle: any File,
        _ status: FileStatus,
        _ known: SourcePosition?,
        isNew: Bool
    ) throws(FileSystemError) -> TailFile {
        let offset = try self.firstOffset(handle, status, known, isNew: isNew)
        let place = PathText.resolved(path)
        let file = TailFile(
            source: known?.source ?? self.sink.newSource(),
            path: path,
            place: place == path ? "" : place,
            tag: self.sink.routeTag(self.tagText(path)),
            recordTail: self.recordTail(path),
            file: handle,
            identity: try FileIdentity.of(handle, status: status),
            state: TailFileState(offset: offset.start, now: self.now),
            marker: offset.marker,
            shaper: LineShaper(self.templates),
            modifiedAtNanoseconds: status.modifiedAt.nanoseconds
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
        _ handle: any File,
        _ status: FileStatus,
        _ known: SourcePosition?,
        isNew: Bool
    ) throws(FileSystemError) -> (start: UInt64, marker: ContentMarker) {
        if let known {
            let pending = known.pending.filter { $0.source == known.source }.map(\.offset).min()
            guard let pending, pending < known.offset else { return (known.offset, known.marker) }
            let count = Int(min(pending, UInt64(ContentMarker.byteCountMax)))
            return (pending, try ContentMarker.of(handle, before: pending, byteCount: count) ?? .none)
        }
        let readsFromHead = self.isFirstScan && !isNew ? self.options.readsFromHead : self.options.readsNewFilesFromHead
        if readsFromHead || status.byteCount == 0 { return (0, .none) }
        let count = Int(min(status.byteCount, UInt64(ContentMarker.byteCountMax)))
        let marker = try ContentMarker.of(handle, before: status.byteCount, byteCount: count)
        return marker.map { (status.byteCount, $0) } ?? (0, .none)
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
        if path == file.path { file.state.renamed(now: self.now) }
        self.restless[ObjectIdentifier(file)] = file
        guard file.names.isEmpty else { return }
        var isDeleted = false
        do throws(FileSystemError) {
            isDeleted = try file.file.status().linkCount == 0
        } catch {
            self.log.write(.warning, "\(error)")
        }
        if !file.state.isDetached { self.counters.filesRotated += isDeleted ? 0 : 1 }
        self.restless[ObjectIdentifier(file)] = file
        self.apply(file.state.detached(true, isDeleted: isDeleted, now: self.now), to: file)
    }
}
