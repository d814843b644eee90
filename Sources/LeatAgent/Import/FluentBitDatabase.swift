internal import LeatCore

/// Takes over where Fluent Bit stood: the positions of its `DB` files, once, without ever writing to them.
struct FluentBitDatabase {
    /// A file that Fluent Bit followed.
    struct TailRow: Hashable, Sendable {
        let name: String
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
            rows.append(
                TailRow(name: name, offset: UInt64(offset), inode: UInt64(bitPattern: inode), marker: marker)
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
        /// Files that are there but cannot be looked at, with the reason: where they stood is not known yet.
        var failures: [String] = []
    }

    /// The rows as positions, for those files that are still there as Fluent Bit left them.
    ///
    /// A file that was rotated away since is looked for beside its name. `known` are files of which we have a position of
    /// our own, which is the newer one.
    func positions(
        known: [SourcePosition],
        newSource: () -> UInt64
    ) throws(Failure) -> Takeover {
        let knownFiles = Set(known.map { FileNumber(device: $0.identity.device, inode: $0.identity.inode) })
        var newest: [UInt64: TailRow] = [:]
        var order: [UInt64] = []
        for row in try self.tailRows() {
            if newest.updateValue(row, forKey: row.inode) == nil { order.append(row.inode) }
        }
        var takeover = Takeover()
        for inode in order {
            guard let row = newest[inode] else { continue }
            do throws(FileSystemError) {
                guard let place = try self.find(row) else { continue }
                let handle = try self.disk.open(place, .read)
                defer { handle.close() }
                if let position = try Self.position(row, handle, knownFiles, newSource) {
                    takeover.positions.append(position)
                }
            } catch {
                takeover.failures.append("\(error): where Fluent Bit stood, byte \(row.offset), is not taken over")
            }
        }
        return takeover
    }

    /// What tells files apart in a moment.
    private struct FileNumber: Hashable {
        let device: UInt64
        let inode: UInt64
    }

    private static func position(
        _ row: TailRow,
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
            path: row.name,
            identity: try FileIdentity.of(
                handle,
                status: status,
                prefixByteCount: Int(min(UInt64(FileIdentity.prefixByteCountMax), status.byteCount))
            ),
            offset: row.offset,
            marker: marker
        )
        // Files that were rotated away since are newer than this one.
        position.modifiedAtNanoseconds = status.modifiedAt.nanoseconds
        return position
    }

    /// The path of a row's file: its name, or a sibling with its inode.
    private func find(_ row: TailRow) throws(FileSystemError) -> String? {
        if let status = try self.disk.status(row.name), status.inode == row.inode, status.kind == .regular {
            return row.name
        }
        var target = row.name
        var linkCount = 0
        while let next = PathText.linkTarget(target), linkCount < 8 {
            target = PathText.joined(target.parentFolder, next)
            linkCount += 1
        }
        let folder = target.parentFolder
        guard try self.disk.status(folder) != nil else { return nil }
        let prefix = target.lastPathComponent + "."
        for name in try self.disk.list(folder) where name.hasPrefix(prefix) {
            let place = folder + "/" + name
            if let status = try self.disk.status(place), status.inode == row.inode, status.kind == .regular {
                return place
            }
        }
        return nil
    }
}
