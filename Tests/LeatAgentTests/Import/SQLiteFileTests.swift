import Glibc
import LeatCore
import LeatTesting
import Testing

@testable import LeatAgent

/// Databases that the real SQLite wrote; skipped where its shell is missing.
@Suite(.enabled(if: access("/usr/bin/sqlite3", X_OK) == 0, "sqlite3 is not installed"))
struct SQLiteFileTests {
    /// Runs statements, and returns before the connection closes, so that a log stays a log.
    static func run(_ statements: String, _ folder: TemporaryFolder, keepsLog: Bool = false) throws {
        let path = folder.path("t.db")
        let copy = keepsLog ? "\n.system cp \(path) \(path).copy\n.system cp \(path)-wal \(path).copy-wal" : ""
        let program = try RunningProgram("/usr/bin/sqlite3", [path], input: statements + copy + "\n", folder: folder)
        #expect(try program.wait(within: .seconds(30)) == .exited(0), "\(program.errors)")
    }

    private static func file(_ path: String) throws -> SQLiteFile {
        let disk = PosixFileSystem()
        let log = try disk.status(path + "-wal") == nil ? .empty : disk.contents(path + "-wal")
        return try SQLiteFile(try disk.contents(path), log: log)
    }

    @Test
    func rowsOfEveryTypeAreRead() throws {
        try withTemporaryFolder { folder in
            try Self.run(
                """
                CREATE TABLE t(id INTEGER PRIMARY KEY, a, b, c);
                INSERT INTO t VALUES(7, NULL, 0, 1), (9, -128, 32767, -8388608), (10, 2147483647, 140737488355327, -9223372036854775808);
                INSERT INTO t(id, a, b, c) VALUES(11, 1.5, 'text ü', x'00FF');
                """,
                folder
            )
            let rows = try #require(try Self.file(folder.path("t.db")).rows(of: "t"))
            #expect(rows.map(\.id) == [7, 9, 10, 11])
            #expect(rows[0].values == [.integer(7), .null, .integer(0), .integer(1)])
            #expect(rows[1].values == [.integer(9), .integer(-128), .integer(32_767), .integer(-8_388_608)])
            #expect(
                rows[2].values == [
                    .integer(10), .integer(2_147_483_647), .integer(140_737_488_355_327), .integer(.min),
                ]
            )
            #expect(rows[3].values == [.integer(11), .real(1.5), .text("text ü"), .blob([0, 255])])
            #expect(try Self.file(folder.path("t.db")).rows(of: "u") == nil)
        }
    }

    @Test(arguments: [512, 4_096, 65_536])
    func manyRowsAndLongRowsAreRead(pageByteCount: Int) throws {
        try withTemporaryFolder { folder in
            try Self.run(
                """
                PRAGMA page_size=\(pageByteCount);
                CREATE TABLE t(id INTEGER PRIMARY KEY, a);
                WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x+1 FROM n WHERE x<5000)
                INSERT INTO t SELECT x, hex(zeroblob(x % 700)) FROM n;
                INSERT INTO t VALUES(6000, hex(zeroblob(100000)));
                """,
                folder
            )
            let rows = try #require(try Self.file(folder.path("t.db")).rows(of: "t"))
            #expect(rows.count == 5_001)
            for (index, row) in rows.dropLast().enumerated() {
                #expect(row.id == Int64(index + 1))
                #expect(row.values[1].text?.utf8.count == 2 * ((index + 1) % 700))
            }
            #expect(rows.last?.values[1].text == String(repeating: "0", count: 200_000))
        }
    }

    @Test
    func theLogCountsUpToItsLastWholeTransaction() throws {
        try withTemporaryFolder { folder in
            try Self.run(
                """
                PRAGMA journal_mode=WAL;
                PRAGMA wal_autocheckpoint=0;
                CREATE TABLE t(a);
                INSERT INTO t VALUES('old');
                PRAGMA wal_checkpoint(TRUNCATE);
                UPDATE t SET a='new';
                INSERT INTO t VALUES('second');
                """,
                folder,
                keepsLog: true
            )
            let path = folder.path("t.db.copy")
            func texts() throws -> [String] {
                try Self.file(path).rows(of: "t")?.compactMap { $0.values[0].text } ?? []
            }
            #expect(try texts() == ["new", "second"])
            // A log that was cut short loses its last transaction only.
            let log = try folder.read("t.db.copy-wal")
            try folder.write("t.db.copy-wal", Array(log.dropLast(10)))
            #expect(try texts() == ["new"])
            try folder.write("t.db.copy-wal", Array(log.prefix(40)))
            #expect(try texts() == ["old"])
        }
    }

    @Test
    func damageIsAnErrorAndNeverTraps() throws {
        try withTemporaryFolder { folder in
            try Self.run("CREATE TABLE t(id INTEGER PRIMARY KEY, a); INSERT INTO t VALUES(1, 'x'), (2, 'y');", folder)
            let whole = try folder.read("t.db")
            #expect(throws: SQLiteFile.Damaged.self) { try SQLiteFile(ByteSlice(Array(whole.prefix(50)))) }
            #expect(throws: SQLiteFile.Damaged.self) { try SQLiteFile(ByteSlice("text")) }
            var random = SeededRandom(seed: 11)
            for _ in 0..<500 {
                var bytes = whole
                for _ in 0..<4 {
                    bytes[Int.random(in: 16..<bytes.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
                }
                _ = try? SQLiteFile(ByteSlice(bytes)).rows(of: "t")
            }
        }
    }
}
