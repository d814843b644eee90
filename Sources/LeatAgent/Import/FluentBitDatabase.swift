internal import LeatCore

/// Takes over where Fluent Bit stood: the positions of its `DB` files, once, without ever writing to them.
struct FluentBitDatabase {
    /// A file that Fluent Bit followed.
    struct TailRow: Hashable, Sendable {
        /// Where the file lay; behind a rotation that Fluent Bit has seen, its new name.
        let name: String
        /// Whether it has seen one.
        let isRotated: Bool
        let offset: UInt64
        let inode: UInt64
        /// XXH3-64 of the bytes before the offset; Fluent Bit 5 and later.
        let marker: ContentMarker
    }

    let path: String
    let disk: any FileSystem

    /// Why there is nothing to import.
    struct Failure: Error, CustomStringConvertible { let description: String }

    private func open() throws(Failure) -> SQLiteFile {
        do {
            let journal = try self.disk.status(self.path + "-journal")
            if let journal, journal.byteCount > 0 {
                throw Failure(description: "\(self.path) was not closed: start Fluent Bit once to mend it")
            }
            let log = try self.disk.status(self.path + "-wal") == nil ? .empty : self.disk.contents(self.path + "-wal")
            return try SQLiteFile(try self.disk.contents(self.path), log: log)
        } catch let failure as Failure {
            throw failure
        } catch {
            throw Failure(description: "\(self.path): \(error)")
        }
    }

    /// The rows of `in_tail_files`, the newest of a file last.
    func tailRows() throws(Failure) -> [TailRow] {
        var rows: [TailRow] = []
        for row in try self.rows(of: "in_tail_files") {
            // id, name, offset, inode, created, rotated, offset_marker, offset_marker_size; the last two since 5.
            let values = row.values
            guard values.count >= 4, let name = values[1].text, let offset = values[2].integer, offset >= 0,
                let inode = values[3].integer
            else { continue }
            var marker = ContentMarker.none
            if values.count >= 8, let digest = values[6].integer, let size = values[7].integer, size > 0, size <= 65_536
            {
                marker = ContentMarker(byteCount: Int(size), digest: UInt64(bitPattern: digest))
            }
            let isRotated = values.count >= 6 && (values[5].integer ?? 0) != 0
            rows.append(
                TailRow(
                    name: name,
                    isRotated: isRotated,
                    offset: UInt64(offset),
                    inode: UInt64(bitPattern: inode),
                    marker: marker
                )
            )
        }
        return rows
    }

    /// The cursor of `in_systemd_cursor`.
    func journalCursor() throws(Failure) -> String? {
        try self.rows(of: "in_systemd_cursor").first?.values.first?.text
    }

    private func rows(of table: String) throws(Failure) -> [(id: Int64, values: [SQLiteFile.Value])] {
        let file = try self.open()
        do throws(SQLiteFile.Damaged) {
            return try file.rows(of: table) ?? []
        } catch {
            throw Failure(description: "\(self.path): \(error)")
        }
    }

    // MARK: - Positions

    /// What could be taken over.
    struct Takeover {
        var positions: [SourcePosition] = []
        /// When the database was last written, nanoseconds since 1970.
        let writtenAt: Int64
        /// Files that are there but cannot be looked at, with the reason: where they stood is not known yet.
        var failures: [String] = []
    }

    /// The rows as positions, for those files that are still there as Fluent Bit left them.
    ///
    /// A file that was rotated away since is looked for beside its name. `known` are files of which we have a position of
    /// our own, which is the newer one; `isFollowed` says which names are followed.
    func positions(
        known: [SourcePosition],
        isFollowed: @escaping (String) -> Bool,
        newSource: () -> UInt64
    ) throws(Failure) -> Takeover {
        let knownFiles = Set(known.map { FileNumber(device: $0.identity.device, inode: $0.identity.inode) })
        var newest: [UInt64: TailRow] = [:]
        var order: [UInt64] = []
        for row in try self.tailRows() {
            if newest.updateValue(row, forKey: row.inode) == nil { order.append(row.inode) }
        }
        let rows = order.compactMap { newest[$0] }
        let names = FollowedNames(rows, isFollowed: isFollowed)
        var takeover = Takeover(writtenAt: try self.writtenAt())
        for row in rows {
            let path = names.name(of: row)
            do throws(FileSystemError) {
                guard let place = try self.find(row, path) else { continue }
                let handle = try self.disk.open(place, .read)
                defer { handle.close() }
                guard var position = try Self.position(row, path, handle, knownFiles, newSource) else { continue }
                // It may have been written since; what Fluent Bit did not see was written behind its last note.
                position.modifiedAtNanoseconds = min(position.modifiedAtNanoseconds, takeover.writtenAt)
                takeover.positions.append(position)
            } catch {
                takeover.failures.append("\(error): where Fluent Bit stood, byte \(row.offset), is not taken over")
            }
        }
        return takeover
    }

    /// When Fluent Bit last noted where it stood, nanoseconds since 1970.
    private func writtenAt() throws(Failure) -> Int64 {
        do throws(FileSystemError) {
            let log = try self.disk.status(self.path + "-wal")
            let statuses = [try self.disk.status(self.path), log].compactMap { $0 }
            return statuses.map(\.modifiedAt.nanoseconds).max() ?? 0
        } catch {
            throw Failure(description: "\(error)")
        }
    }

    /// What tells files apart in a moment.
    private struct FileNumber: Hashable {
        let device: UInt64
        let inode: UInt64
    }

    private static func position(
        _ row: TailRow,
        _ path: String,
        _ handle: any File,
        _ known: Set<FileNumber>,
        _ newSource: () -> UInt64
    ) throws(FileSystemError) -> SourcePosition? {
        let status = try handle.status()
        guard status.byteCount >= row.offset,
            !known.contains(FileNumber(device: status.device, inode: status.inode))
        else { return nil }
        // A file that was written anew under the same inode is another one.
        guard try row.marker.isBefore(row.offset, in: handle) else { return nil }
        let markerCount = Int(min(row.offset, UInt64(ContentMarker.byteCountMax)))
        guard let marker = try ContentMarker.of(handle, before: row.offset, byteCount: markerCount) else { return nil }
        var position = SourcePosition(
            source: newSource(),
            path: path,
            identity: try FileIdentity.of(
                handle,
                status: status,
                prefixByteCount: Int(min(UInt64(FileIdentity.prefixByteCountMax), status.byteCount))
            ),
            offset: row.offset,
            marker: marker
        )
        position.modifiedAtNanoseconds = status.modifiedAt.nanoseconds
        return position
    }

    /// Where a row's file is: where it lay, or beside the name by which it was followed.
    private func find(_ row: TailRow, _ path: String) throws(FileSystemError) -> String? {
        func isIt(_ place: String) throws(FileSystemError) -> Bool {
            guard let status = try self.disk.status(place) else { return false }
            return status.inode == row.inode && status.kind == .regular
        }
        if try isIt(row.name) { return row.name }
        let target = PathText.resolved(path)
        let folder = target.parentFolder
        guard try self.disk.status(folder) != nil else { return nil }
        for name in try self.disk.list(folder) where RotatedName.isOne(name, of: [target]) {
            let place = folder + "/" + name
            if try isIt(place) { return place }
        }
        return nil
    }
}

/// Under which names Fluent Bit followed files; its database has the new ones of those that were rotated.
private struct FollowedNames {
    /// Followed names by where they lead.
    private var byTarget: [String: String] = [:]
    private let isFollowed: (String) -> Bool

    init(_ rows: [FluentBitDatabase.TailRow], isFollowed: @escaping (String) -> Bool) {
        self.isFollowed = isFollowed
        guard rows.contains(where: \.isRotated) else { return }
        for row in rows where !row.isRotated { self.byTarget[PathText.resolved(row.name)] = row.name }
    }

    func name(of row: FluentBitDatabase.TailRow) -> String {
        guard row.isRotated else { return row.name }
        let folder = row.name.parentFolder
        let bases = RotatedName.bases(of: row.name.lastPathComponent).map { "\(folder == "/" ? "" : folder)/\($0)" }
        return bases.compactMap { self.byTarget[$0] }.first ?? bases.first(where: self.isFollowed) ?? row.name
    }
}
