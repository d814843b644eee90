import Glibc
import LeatCore
import LeatTesting
import Testing

@testable import LeatAgent

/// A switch from Fluent Bit: its database says where to go on.
@Suite(.enabled(if: access("/usr/bin/sqlite3", X_OK) == 0, "sqlite3 is not installed"))
struct FluentBitDatabaseTests {
    private static func inode(_ path: String) throws -> UInt64 {
        try #require(try PosixFileSystem().status(path)).inode
    }

    private static func marker(_ bytes: [UInt8]) -> Int64 {
        Int64(bitPattern: ByteSlice(bytes).withUnsafeBytes { Digest.xxh3($0) })
    }

    /// Writes the table as Fluent Bit 5 does.
    private static func write(
        _ rows: [(name: String, offset: Int, inode: UInt64, marker: [UInt8])],
        _ folder: TemporaryFolder
    ) throws {
        var text = """
            PRAGMA journal_mode=WAL;
            CREATE TABLE in_tail_files (id INTEGER PRIMARY KEY, name TEXT NOT NULL, offset INTEGER, inode INTEGER, \
            created INTEGER, rotated INTEGER DEFAULT 0, offset_marker INTEGER DEFAULT 0, \
            offset_marker_size INTEGER DEFAULT 0);

            """
        for row in rows {
            let marker = row.marker.isEmpty ? 0 : Self.marker(row.marker)
            text += "INSERT INTO in_tail_files(name,offset,inode,created,offset_marker,offset_marker_size) "
            text += "VALUES('\(row.name)',\(row.offset),\(row.inode),0,\(marker),\(row.marker.count));\n"
        }
        try SQLiteFileTests.run(text, folder)
    }

    private static func configuration(
        _ folder: TemporaryFolder,
        files: String = "*.log",
        more: String = ""
    ) -> String {
        """
        [SERVICE]
            Flush 0.01
        [INPUT]
            Name tail
            Path \(folder.path)/\(files)
            DB \(folder.path)/t.db
            \(more)
        [OUTPUT]
            Name file
            Match *
            Format plain
            Path \(folder.path)
            File out.jsonl
        """
    }

    /// Sets when a file was last written, seconds since 1970.
    private static func setTime(of path: String, _ seconds: Int) throws {
        var times = [timespec(tv_sec: seconds, tv_nsec: 0), timespec(tv_sec: seconds, tv_nsec: 0)]
        try #require(utimensat(AT_FDCWD, path, &times, 0) == 0)
    }

    @Test
    func readingGoesOnWhereFluentBitStood() throws {
        try withTemporaryFolder { folder in
            let plain = try folder.write("plain.log", "old 1\nold 2\nnew 1\n")
            let rotated = try folder.write("rot.log.1", "old a\nnew a\n")
            try folder.write("rot.log", "new b\n")
            let rewritten = try folder.write("again.log", "other bytes, all of them new\n")
            let before = Array("old 1\nold 2\n".utf8)
            try Self.write(
                [
                    (plain, 12, try Self.inode(plain), before),
                    (folder.path("rot.log"), 6, try Self.inode(rotated), Array("old a\n".utf8)),
                    (rewritten, 6, try Self.inode(rewritten), Array("gone 1".utf8)),
                    (folder.path("deleted.log"), 6, 1, []),
                ],
                folder
            )
            let untouched = try folder.read("t.db")
            let world = try AgentWorld(folder)
            let agent = try world.start(Self.configuration(folder))
            _ = try world.lines("out.jsonl", count: 3)
            let file = try #require(fopen(plain, "a"))
            fputs("new 2\n", file)
            fclose(file)
            let lines = try world.lines("out.jsonl", count: 4)
            // A file that was written anew is not known; without Read_from_Head its end counts.
            #expect(
                Set(lines) == [#"{"log":"new 1"}"#, #"{"log":"new a"}"#, #"{"log":"new b"}"#, #"{"log":"new 2"}"#]
            )
            #expect(lines.count == 4)
            #expect(try folder.read("t.db") == untouched)
            agent.stop()
            try world.turn { agent.store.closed.isEmpty }
            // The second start goes by our own positions.
            let second = try AgentWorld(folder)
            try second.start(Self.configuration(folder))
            let more = try #require(fopen(plain, "a"))
            fputs("new 3\n", more)
            fclose(more)
            #expect(try second.lines("out.jsonl", count: 5).last == #"{"log":"new 3"}"#)
        }
    }

    @Test
    func filesThatWereRotatedSinceAreReadInTheirOrder() throws {
        try withTemporaryFolder { folder in
            // Read by Fluent Bit to its end long ago, so that its row is gone.
            let ancient = try folder.write("in/a.log.3", "ancient\n")
            try Self.setTime(of: ancient, 1_000_000)
            let known = try folder.write("in/a.log.2", "old a\nnew a\n")
            try folder.write("in/a.log.1", "new b\n")
            try folder.write("in/a.log", "new c\n")
            try Self.write([(folder.path("in/a.log"), 6, try Self.inode(known), Array("old a\n".utf8))], folder)
            let world = try AgentWorld(folder)
            try world.start(Self.configuration(folder, files: "in/*.log"))
            let lines = try world.lines("out.jsonl", count: 3)
            #expect(lines == [#"{"log":"new a"}"#, #"{"log":"new b"}"#, #"{"log":"new c"}"#])
        }
    }

    /// Fluent Bit finds a new file by a timer: one that is rotated before then has no row, whatever other rows there are.
    @Test(arguments: [false, true])
    func aFileThatFluentBitHadNotOpenedIsReadThoughItWasRotated(hasRow: Bool) throws {
        try withTemporaryFolder { folder in
            let other = try folder.write("in/a.log", "old a\nnew a\n")
            let done = try folder.write("in/b.log.1", "done b\n")
            let unseen = try folder.write("in/b.log.2", "new b\n")
            let current = try folder.write("in/b.log", "newer b\n")
            let rows = hasRow ? [(other, 6, try Self.inode(other), Array("old a\n".utf8))] : []
            try Self.write(rows, folder)
            try Self.setTime(of: done, 1_000_000)
            try Self.setTime(of: folder.path("t.db"), 1_000_001)
            try Self.setTime(of: unseen, 1_000_002)
            for path in [other, current] { try Self.setTime(of: path, 1_000_003) }
            let world = try AgentWorld(folder)
            try world.start(Self.configuration(folder, files: "in/*.log", more: "Read_from_Head On"))
            let a = hasRow ? ["new a"] : ["old a", "new a"]
            let lines = try world.lines("out.jsonl", count: a.count + 2)
            #expect(lines.sorted() == (a + ["new b", "newer b"]).sorted().map { #"{"log":"\#($0)"}"# })
        }
    }

    /// It was killed while it still read a rotated file, under whose new name nothing is followed.
    @Test(arguments: [false, true])
    func theRestOfAFileIsReadThatFluentBitSawRotated(isLink: Bool) throws {
        try withTemporaryFolder { folder in
            let place = isLink ? "pods" : "in"
            let rotated = try folder.write("\(place)/0.log.20261130-080000", "old\nnew 1\n")
            let current = try folder.write("\(place)/0.log", "new 2\n")
            if isLink {
                try folder.write("in/none", "")
                try #require(symlink(current, folder.path("in/0.log")) == 0)
            }
            try Self.write(
                [
                    (rotated, 4, try Self.inode(rotated), Array("old\n".utf8)),
                    (folder.path("in/0.log"), 0, try Self.inode(current), []),
                ],
                folder
            )
            try SQLiteFileTests.run("UPDATE in_tail_files SET rotated=1 WHERE id=1;", folder)
            // Rotated once more.
            try #require(rename(rotated, folder.path("\(place)/0.log.20261129-080000")) == 0)
            let world = try AgentWorld(folder)
            try world.start(Self.configuration(folder, files: "in/*.log", more: "Path_Key path"))
            let path = folder.path("in/0.log")
            #expect(
                try world.lines("out.jsonl", count: 2)
                    == ["new 1", "new 2"].map {
                        #"{"log":"\#($0)","path":"\#(path)"}"#
                    }
            )
        }
    }

    /// The machine's files, of which some cannot be opened.
    private struct LockedFiles: FileSystem {
        private let files = PosixFileSystem()
        let locked: Set<String>

        func open(_ path: String, _ mode: FileOpenMode) throws(FileSystemError) -> any File {
            if self.locked.contains(path) { throw FileSystemError(operation: "open", path: path, code: EACCES) }
            return try self.files.open(path, mode)
        }
        func contents(_ path: String) throws(FileSystemError) -> ByteSlice { try self.files.contents(path) }
        func rename(_ source: String, to target: String) throws(FileSystemError) {
            try self.files.rename(source, to: target)
        }
        func link(_ source: String, to target: String) throws(FileSystemError) {
            try self.files.link(source, to: target)
        }
        func remove(_ path: String) throws(FileSystemError) { try self.files.remove(path) }
        func createDirectory(_ path: String) throws(FileSystemError) { try self.files.createDirectory(path) }
        func list(_ path: String) throws(FileSystemError) -> [String] { try self.files.list(path) }
        func status(_ path: String) throws(FileSystemError) -> FileStatus? { try self.files.status(path) }
        func syncDirectory(_ path: String) throws(FileSystemError) { try self.files.syncDirectory(path) }
        func space(_ path: String) throws(FileSystemError) -> (free: UInt64, total: UInt64) {
            try self.files.space(path)
        }
    }

    @Test
    func aFileThatCannotBeOpenedIsSaidAndTakenOverOnceItCan() throws {
        try withTemporaryFolder { folder in
            let first = try folder.write("in/a.log", "old 1\nnew 1\n")
            let second = try folder.write("in/b.log", "old 2\nnew 2\n")
            try Self.write(
                [first, second].map { ($0, 6, try Self.inode($0), Array("old \($0 == first ? 1 : 2)\n".utf8)) },
                folder
            )
            let world = try AgentWorld(folder)
            let agent = try world.start(Self.configuration(folder, files: "in/*"), disk: LockedFiles(locked: [second]))
            #expect(try world.lines("out.jsonl", count: 1) == [#"{"log":"new 1"}"#])
            let said = world.lines("agent.log").filter { $0.contains("error") }
            #expect(said.count == 2)
            #expect(said[0].contains("b.log") && said[0].contains("byte 6, is not taken over"))
            #expect(said[1].contains("t.db is read again at the next start"))
            agent.stop()
            try world.turn { agent.store.closed.isEmpty }
            let next = try AgentWorld(folder)
            try next.start(Self.configuration(folder, files: "in/*"))
            #expect(try next.lines("out.jsonl", count: 2) == [#"{"log":"new 1"}"#, #"{"log":"new 2"}"#])
        }
    }

    @Test
    func theJournalsCursorIsRead() throws {
        try withTemporaryFolder { folder in
            try SQLiteFileTests.run(
                "CREATE TABLE in_systemd_cursor (cursor TEXT NOT NULL, updated INTEGER); INSERT INTO in_systemd_cursor VALUES('s=1;i=2', 5);",
                folder
            )
            let database = FluentBitDatabase(path: folder.path("t.db"), disk: PosixFileSystem())
            #expect(try database.journalCursor() == "s=1;i=2")
            #expect(try database.tailRows().isEmpty)
        }
    }

    @Test
    func whatIsNoDatabaseIsSaidAndNothingElseHappens() throws {
        try withTemporaryFolder { folder in
            try folder.write("t.db", "text")
            let database = FluentBitDatabase(path: folder.path("t.db"), disk: PosixFileSystem())
            #expect(throws: FluentBitDatabase.Failure.self) { try database.tailRows() }
        }
    }
}
