internal import LeatCore

/// Rotated files: for which of them to look beside a followed name, and which of those that were found are to be read.
extension TailResume {
    /// For what to look beside a followed name.
    struct Search {
        /// Where the name leads, or led.
        var places: [String]
        /// Positions of the name that nothing has, oldest first.
        let history: [SourcePosition]
        /// How far the file that has the name now was read; `nil` for one that was never seen.
        let known: SourcePosition?
        /// Whether the name was followed before, so that what has it now came later.
        let isNew: Bool
        /// Files that were not read to their end.
        var wanted: [SourcePosition]
        /// Files that were never seen are read when they were written since then, nanoseconds since 1970; `nil`: none is.
        var newerThan: Int64?
        /// The source to which the name led in this run.
        let old: UInt64?

        /// Whether it was made for a file that the name led to in this run, and that lies where it lay then.
        func isFor(_ old: SourcePosition?) -> Bool {
            self.old == old?.source && (old.map { $0.place.isEmpty || self.places.contains($0.place) } ?? true)
        }

        /// What it names of earlier runs.
        var sources: [UInt64] {
            (self.history + self.wanted + [self.known].compactMap { $0 }).map(\.source).filter { $0 != self.old }
        }

        /// Files that were last written before are none of these; `nil` when there is nothing to look for.
        var oldest: Int64? { (self.wanted.map(\.modifiedAtNanoseconds) + [self.newerThan].compactMap { $0 }).min() }
    }

    /// Decides for what to look when a name has led to `old` in this run, and leads to `current` now.
    ///
    /// `hasVanished` says that something lost the name in this run, and `isFirstLook` that nobody has watched until now.
    func search(
        path: String,
        current: OpenLog?,
        old: SourcePosition?,
        hasVanished: Bool,
        isFirstLook: Bool
    ) throws(FileSystemError) -> Search {
        let earlier = self.history(of: path)
        let history = earlier + [old].compactMap { $0 }
        let known = try current.map { log throws(FileSystemError) in try self.position(of: log, path: path) } ?? nil
        let last = history.last
        let target = PathText.resolved(path)
        // The log behind a link is another one by now, when the container started anew before anybody looked.
        let isLink = target != path
        var places = [target]
        if current == nil, let last { places = last.place.isEmpty ? [path] : [last.place, path] }
        var search = Search(
            places: places,
            history: history,
            known: known,
            isNew: known == nil && !history.isEmpty,
            wanted: earlier.filter { !$0.isFinished && $0.source != known?.source },
            old: old?.source
        )
        self.addPendingSources(of: search.wanted + [known].compactMap { $0 }, to: &search.wanted)
        // The name was a link that leads into another folder now, or what had it was moved into another one.
        for position in history where !position.place.isEmpty && !search.places.contains(position.place) {
            search.places.append(position.place)
        }
        if let last {
            // A file of which nothing was read may be another one that got its number.
            let isLast = last.source == known?.source && !last.isEmpty
            search.newerThan = isLast ? nil : last.modifiedAtNanoseconds
        } else {
            search.newerThan = isFirstLook ? self.lastSeen : isLink || hasVanished ? self.startedAt : nil
        }
        return search
    }

    /// Whether another name has taken a file of a search since it was made.
    func isOutdated(_ search: Search) -> Bool { search.sources.contains(where: self.claims.sources.contains) }

    /// The files to read before the one that has the name now, oldest first.
    ///
    /// Those that are known come first, then those that came after the last one that is; files that are none of these are
    /// closed. `passed` are files that had the name in this run.
    func earlier(
        _ search: Search,
        among siblings: [OpenLog],
        passed: Set<FileKey>
    ) throws(FileSystemError) -> [Earlier] {
        var wanted = search.wanted
        var rest = siblings
        func hasRotatedName(_ log: OpenLog) -> Bool {
            search.places.contains(log.path) || RotatedName.isOne(log.path, of: search.places)
        }
        // The number first: many files begin alike.
        var found = try Self.take(&wanted, from: &rest) { position, log in
            !position.isEmpty && position.key == log.key
        }
        // The number alone says little, since that of a file that is gone is used again: by another log, or by a copy.
        found += try Self.take(&wanted, from: &rest) { position, log in
            position.isEmpty && position.key == log.key && hasRotatedName(log) && !log.isCompressed
        }
        found += try Self.take(&wanted, from: &rest) { position, log in
            !position.isEmpty && hasRotatedName(log)
        }
        found.sort { ($0.known?.source ?? 0) < ($1.known?.source ?? 0) }
        // One of which nothing was read, and which has another number by now, can be told by its time alone.
        let since = (wanted.filter(\.isEmpty).map(\.modifiedAtNanoseconds) + [search.newerThan].compactMap { $0 }).min()
        var others: [Earlier] = []
        for log in rest {
            let isLate = since.map { log.modifiedAt >= $0 } ?? false
            if passed.contains(log.key) || isLate && hasRotatedName(log), let other = try self.unread(log) {
                others.append(other)
            } else {
                log.handle.close()
            }
        }
        // A compressed copy comes behind the file that it was made of.
        others.sort {
            ($0.log.modifiedAt, $0.log.isCompressed ? 1 : 0, $0.log.path) < (
                $1.log.modifiedAt, $1.log.isCompressed ? 1 : 0, $1.log.path
            )
        }
        return found + others
    }

    /// Takes from `siblings` the files of positions for which `isCandidate` says so and whose bytes are theirs; of several
    /// positions the one of which most was read, since many files begin alike.
    private static func take(
        _ wanted: inout [SourcePosition],
        from siblings: inout [OpenLog],
        where isCandidate: (SourcePosition, OpenLog) -> Bool
    ) throws(FileSystemError) -> [Earlier] {
        var result: [Earlier] = []
        var rest: [OpenLog] = []
        for log in siblings {
            var match: Int?
            let candidates = wanted.indices.filter { isCandidate(wanted[$0], log) }
            for index in candidates.sorted(by: { wanted[$0].offset > wanted[$1].offset }) where match == nil {
                if try Self.isSame(wanted[index], log.handle) { match = index }
            }
            if let match {
                result.append(Earlier(log: log, known: wanted.remove(at: match)))
            } else {
                rest.append(log)
            }
        }
        siblings = rest
        return result
    }

    /// A rotated file and how far what it holds was read; `nil` when nothing of it is left.
    private func unread(_ log: OpenLog) throws(FileSystemError) -> Earlier? {
        for source in self.byFile[log.key] ?? [] {
            // The number alone says nothing: that of a file that is gone is used again.
            guard let position = self.bySource[source], !position.isEmpty else { continue }
            if try Self.isSame(position, log.handle) { return nil }
        }
        guard log.isCompressed, let position = try self.compressed(log.handle) else {
            return Earlier(log: log, known: nil)
        }
        let byte = UnsafeMutableRawBufferPointer.allocate(byteCount: 1, alignment: 1)
        defer { byte.deallocate() }
        return try log.handle.read(at: position.offset, into: byte) == 0 ? nil : Earlier(log: log, known: position)
    }
}
