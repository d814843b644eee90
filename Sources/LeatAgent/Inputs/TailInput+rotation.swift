internal import LeatCore

/// Files that lose a followed name: while the agent looks, while it does not, and between two looks.
extension TailInput {
    // MARK: - While nobody looked

    /// A file that was rotated away while nobody looked, to be read before the one that has its name now.
    func followEarlier(_ earlier: TailResume.Earlier, path: String) {
        do throws(FileSystemError) {
            let status = try earlier.handle.status()
            guard self.files[FileKey(status)] == nil else { return earlier.handle.close() }
            let file = try self.makeFile(path, earlier.handle, status, earlier.known, isNew: true)
            self.adopt(file, path: path)
            self.counters.filesRotated += 1
            self.log.write(.info, "\(earlier.path) was \(path) before; reading it from byte \(file.state.offset)")
            self.detach(file, from: path)
        } catch {
            self.log.write(.warning, "\(error)")
        }
    }

    /// Goes on with files that lost their name while nobody looked, when no file has that name now.
    func followOrphans() {
        do throws(FileSystemError) {
            let orphans = try self.known.orphans { self.newest[$0] == nil && self.finder.isFollowed($0) }
            for orphan in orphans {
                self.followEarlier(orphan.file, path: orphan.name)
                self.newest[orphan.name]?.mayMissSuccessors = true
            }
        } catch {
            self.log.write(.warning, "\(error)")
        }
    }

    /// Reads files that had a name after the last one that is known of it, when no file has the name now.
    func followMissed(_ path: String, after last: TailFile) {
        do throws(FileSystemError) {
            for file in try self.known.missed(path: path, after: last.position) { self.followEarlier(file, path: path) }
            self.newest[path]?.mayMissSuccessors = true
        } catch {
            self.log.write(.warning, "\(error)")
        }
    }

    /// Whether further files may have had the name of this one without being noticed.
    func mayMissSuccessors(of file: TailFile) -> Bool {
        file.mayMissSuccessors || self.options.polls || self.watch.isShortOfWatches
    }

    // MARK: - Between two looks

    /// A file got another name, where its changes are reported now.
    ///
    /// One that was never seen is read before its successor.
    func fileRenamed(from old: PathFinder.WatchKey, to new: PathFinder.WatchKey, paths: [String]) {
        do throws(FileSystemError) {
            guard let status = try self.disk.status(new.path), status.kind == .regular else { return }
            if let file = self.files[FileKey(status)] {
                if self.places[old.number] === file { self.places[old.number] = nil }
                self.setPlace(file, number: new.number)
                self.enqueue(file)
            } else if let path = paths.first, !self.finder.isFollowed(new.path), !self.isTooOld(status) {
                self.openUnseen(new.path, path: path, expected: FileKey(status))
                if let file = self.files[FileKey(status)] { self.setPlace(file, number: new.number) }
            }
        } catch {
            self.log.write(.warning, "\(error)")
        }
    }

    /// Between looking at a name and opening it, another file got the name.
    ///
    /// The first one is beside it, unless it is gone; the name is looked at again soon.
    func lookForMoved(_ key: FileKey, path: String) {
        self.loop.enqueue { [weak self] in self?.consider(path) }
        do throws(FileSystemError) {
            let place = PathText.resolved(path)
            for name in try self.known.siblingNames(of: place) where self.files[key] == nil {
                let sibling = place.parentFolder + "/" + name
                guard !self.finder.isFollowed(sibling), let status = try self.disk.status(sibling),
                    FileKey(status) == key, status.kind == .regular
                else { continue }
                self.openUnseen(sibling, path: path, expected: key)
            }
        } catch {
            self.log.write(.warning, "\(error)")
        }
    }

    /// A file that had a followed name and got another one between two looks.
    private func openUnseen(_ place: String, path: String, expected: FileKey) {
        do throws(FileSystemError) {
            // When it has moved on meanwhile, a later event tells.
            guard let (handle, status) = try self.openRegular(place) else { return }
            guard FileKey(status) == expected else { return handle.close() }
            // The first file of the name in this run comes behind those of earlier runs.
            let start = try self.known.start(
                path: path,
                handle: handle,
                status: status,
                old: self.newest[path]?.position,
                looksBeside: self.newest[path].map { self.mayMissSuccessors(of: $0) } ?? true,
                isFirstLook: self.isFirstScan
            )
            for earlier in start.earlier { self.followEarlier(earlier, path: path) }
            let file = try self.makeFile(path, handle, status, start.known, isNew: true)
            try self.insert(file, modifiedAt: status.modifiedAt, path: path)
            self.detach(file, from: path)
        } catch {
            self.log.write(.warning, "\(error)")
        }
    }

    /// Takes a file that had a name once into the order of the files that had it.
    private func insert(_ file: TailFile, modifiedAt: Timestamp, path: String) throws(FileSystemError) {
        guard let newest = self.newest[path], !newest.isClosed else { return self.adopt(file, path: path) }
        let current = try self.disk.status(path)
        if newest.names.contains(path), let current, self.files[FileKey(current)] === newest {
            // It came before the one that has the name now.
            if newest.predecessor != nil || newest.state.offset == 0 {
                file.predecessor = newest.predecessor
                newest.predecessor = file
                self.restless[ObjectIdentifier(newest)] = newest
                self.restless[ObjectIdentifier(file)] = file
            }
            return self.register(file)
        }
        if modifiedAt.nanoseconds < newest.modifiedAtNanoseconds {
            // Its place in the order is not known, so that its lines stay by themselves.
            return self.register(file)
        }
        self.detach(newest, from: path)
        self.adopt(file, path: path)
    }
}
