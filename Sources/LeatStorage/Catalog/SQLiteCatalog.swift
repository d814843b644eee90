internal import Foundation
internal import GRDB
internal import LeatCore

/// The catalog of one machine: an SQLite database in the data folder.
final class SQLiteCatalog: Catalog {
    private static let schemaVersion: Int64 = 1

    private let database: DatabaseQueue
    private let path: String

    /// Opens the database, creating it when absent.
    init(path: String) throws(StorageError) {
        self.path = path
        var configuration = Configuration()
        configuration.journalMode = .wal
        configuration.prepareDatabase { db in
            // FULL, since an acknowledged change must survive a power failure.
            try db.execute(sql: "PRAGMA synchronous = FULL")
        }
        do {
            self.database = try DatabaseQueue(path: path, configuration: configuration)
            try self.database.write { db in try Self.createTables(db) }
        } catch {
            throw .catalog("\(path): \(error)")
        }
        try self.checkSchema()
    }

    /// Opens a database that another process may be writing to, for reading alone.
    init(readOnly path: String) throws(StorageError) {
        self.path = path
        var configuration = Configuration()
        configuration.readonly = true
        configuration.busyMode = .timeout(TimeInterval(StorageLimits.catalogWaitSeconds))
        do {
            self.database = try DatabaseQueue(path: path, configuration: configuration)
        } catch {
            throw .catalog("\(path): \(error)")
        }
        try self.checkSchema()
    }

    private func checkSchema() throws(StorageError) {
        let found = try self.read { db in
            try Int64.fetchOne(db, sql: "SELECT value FROM meta WHERE key = 'schema'") ?? 0
        }
        guard found == Self.schemaVersion else {
            throw .damaged(path: self.path, reason: "schema \(found), this program reads \(Self.schemaVersion)")
        }
    }

    /// What SQLite finds wrong with the file.
    func faults() throws(StorageError) -> [String] {
        try self.read { db in
            try String.fetchAll(db, sql: "PRAGMA integrity_check").filter { $0 != "ok" }
        }
    }

    /// Writes all of it, as it is at this moment, to a new file.
    func copy(to target: String) throws(StorageError) {
        do {
            try self.database.writeWithoutTransaction { db in
                try db.execute(sql: "VACUUM INTO ?", arguments: [target])
            }
        } catch {
            throw .catalog("\(target): \(error)")
        }
    }

    private static func createTables(_ db: Database) throws {
        try db.execute(
            sql: """
                CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
                INSERT OR IGNORE INTO meta VALUES
                    ('schema', \(Self.schemaVersion)), ('version', 0), ('segment', 1), ('repository', 1), ('journal', 0);
                CREATE TABLE IF NOT EXISTS repositories (
                    id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, created INTEGER NOT NULL,
                    retention_age INTEGER, retention_bytes INTEGER, next_row INTEGER NOT NULL);
                CREATE TABLE IF NOT EXISTS segments (
                    number INTEGER PRIMARY KEY, repository INTEGER NOT NULL, byte_count INTEGER NOT NULL,
                    row_count INTEGER NOT NULL, plain_byte_count INTEGER NOT NULL,
                    time_first INTEGER NOT NULL, time_last INTEGER NOT NULL,
                    arrival_first INTEGER NOT NULL, arrival_last INTEGER NOT NULL);
                CREATE TABLE IF NOT EXISTS datasources (
                    repository INTEGER NOT NULL, tags BLOB NOT NULL, sealed_through INTEGER NOT NULL,
                    PRIMARY KEY (repository, tags)) WITHOUT ROWID;
                CREATE TABLE IF NOT EXISTS series (
                    repository INTEGER NOT NULL, credential TEXT NOT NULL, series BLOB NOT NULL,
                    first INTEGER NOT NULL, last INTEGER NOT NULL,
                    PRIMARY KEY (repository, credential, series, first)) WITHOUT ROWID;
                CREATE TABLE IF NOT EXISTS batches (
                    repository INTEGER NOT NULL, credential TEXT NOT NULL, series BLOB NOT NULL,
                    number INTEGER NOT NULL, hash BLOB NOT NULL, arrived INTEGER NOT NULL, refused BLOB,
                    PRIMARY KEY (repository, credential, series, number)) WITHOUT ROWID;
                CREATE INDEX IF NOT EXISTS batches_arrived ON batches (arrived) WHERE refused IS NULL;
                CREATE TABLE IF NOT EXISTS documents (
                    kind TEXT NOT NULL, name TEXT NOT NULL, content BLOB NOT NULL,
                    PRIMARY KEY (kind, name)) WITHOUT ROWID;
                """
        )
    }

    func contents() throws(StorageError) -> CatalogContents {
        try self.read { db in
            var contents = CatalogContents()
            contents.version = try Self.meta("version", db)
            contents.nextSegment = try Self.meta("segment", db)
            contents.nextRepository = try Self.meta("repository", db)
            contents.journalRemovedThrough = UInt64(bitPattern: try Self.meta("journal", db))
            for row in try Row.fetchAll(db, sql: "SELECT * FROM repositories ORDER BY id") {
                contents.repositories.append(Self.repository(row))
            }
            let segments = try Row.fetchCursor(db, sql: "SELECT * FROM segments ORDER BY number")
            while let row = try segments.next() { contents.segments.append(try Self.segment(row)) }
            for row in try Row.fetchAll(db, sql: "SELECT repository, tags, sealed_through FROM datasources") {
                var bytes = ByteReader(ByteSlice([UInt8](row[1] as Data)))
                contents.sealedThrough[row[0], default: [:]][try DatasourceTags(from: &bytes)] = row[2]
            }
            return contents
        }
    }

    private static func meta(_ key: String, _ db: Database) throws -> Int64 {
        try Int64.fetchOne(db, sql: "SELECT value FROM meta WHERE key = ?", arguments: [key]) ?? 0
    }

    private static func repository(_ row: Row) -> RepositoryRecord {
        let byteCount: Int64? = row["retention_bytes"]
        let retention = Retention(ageSeconds: row["retention_age"], byteCount: byteCount.map { UInt64(bitPattern: $0) })
        let repository = Repository(
            name: row["name"],
            createdAt: Timestamp(nanoseconds: row["created"]),
            retention: retention
        )
        return RepositoryRecord(id: row["id"], repository: repository, nextRow: row["next_row"])
    }

    private static func segment(_ row: Row) throws(StorageError) -> SegmentRecord {
        let times: (first: Int64, last: Int64) = (row["time_first"], row["time_last"])
        let arrivals: (first: Int64, last: Int64) = (row["arrival_first"], row["arrival_last"])
        guard times.first <= times.last, arrivals.first <= arrivals.last else {
            throw .catalog("segment \(row["number"] as Int64) has a range that ends before it begins")
        }
        return SegmentRecord(
            number: row["number"],
            repositoryID: row["repository"],
            byteCount: row["byte_count"],
            rowCount: row["row_count"],
            plainByteCount: row["plain_byte_count"],
            times: times.first...times.last,
            arrivals: arrivals.first...arrivals.last
        )
    }

    func publish(_ change: CatalogChange, expecting version: Int64) throws(StorageError) -> Int64 {
        try self.write { db in
            let found = try Self.meta("version", db)
            guard found == version else { throw StorageError.catalog("another writer published version \(found)") }
            try db.execute(sql: "UPDATE meta SET value = ? WHERE key = 'version'", arguments: [version + 1])
            try db.execute(
                sql: "UPDATE meta SET value = MAX(value, ?) WHERE key = 'journal'",
                arguments: [Int64(bitPattern: change.journalRemovedThrough)]
            )
            try Self.writeRepositories(change, db)
            try Self.writeSegments(change, db)
            try Self.writeBatches(change, db)
            return version + 1
        }
    }

    private static func writeRepositories(_ change: CatalogChange, _ db: Database) throws {
        for record in change.putRepositories {
            try db.execute(
                sql: "INSERT OR REPLACE INTO repositories VALUES (?, ?, ?, ?, ?, ?)",
                arguments: [
                    record.id, record.repository.name, record.repository.createdAt.nanoseconds,
                    record.repository.retention.ageSeconds,
                    record.repository.retention.byteCount.map { Int64(bitPattern: $0) }, record.nextRow,
                ]
            )
            try db.execute(
                sql: "UPDATE meta SET value = MAX(value, ?) WHERE key = 'repository'",
                arguments: [record.id + 1]
            )
        }
        for id in change.removedRepositories {
            try db.execute(sql: "DELETE FROM repositories WHERE id = ?", arguments: [id])
            for table in ["segments", "datasources", "series", "batches"] {
                try db.execute(sql: "DELETE FROM \(table) WHERE repository = ?", arguments: [id])
            }
        }
    }

    private static func writeSegments(_ change: CatalogChange, _ db: Database) throws {
        for number in change.removedSegments {
            try db.execute(sql: "DELETE FROM segments WHERE number = ?", arguments: [number])
        }
        for record in change.addedSegments {
            try db.execute(
                sql: "INSERT INTO segments VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                arguments: [
                    record.number, record.repositoryID, record.byteCount, record.rowCount, record.plainByteCount,
                    record.times.lowerBound, record.times.upperBound,
                    record.arrivals.lowerBound, record.arrivals.upperBound,
                ]
            )
            try db.execute(
                sql: "UPDATE meta SET value = MAX(value, ?) WHERE key = 'segment'",
                arguments: [record.number + 1]
            )
        }
        for (id, rows) in change.sealedThrough {
            for (tags, row) in rows {
                var bytes = ByteWriter()
                tags.append(to: &bytes)
                try db.execute(
                    sql: """
                        INSERT INTO datasources VALUES (?, ?, ?) ON CONFLICT DO UPDATE
                        SET sealed_through = MAX(sealed_through, excluded.sealed_through)
                        """,
                    arguments: [id, Data(bytes.bytes), row]
                )
            }
        }
    }

    private static func writeBatches(_ change: CatalogChange, _ db: Database) throws {
        for (series, numbers) in change.storedNumbers {
            let key: StatementArguments = [series.repositoryID, series.credential, Self.data(series.series)]
            try db.execute(
                sql: "DELETE FROM series WHERE repository = ? AND credential = ? AND series = ?",
                arguments: key
            )
            for range in numbers {
                let bounds: StatementArguments = [
                    Int64(bitPattern: range.lowerBound), Int64(bitPattern: range.upperBound),
                ]
                try db.execute(sql: "INSERT INTO series VALUES (?, ?, ?, ?, ?)", arguments: key + bounds)
            }
        }
        for (series, batches) in change.batches {
            let key: StatementArguments = [series.repositoryID, series.credential, Self.data(series.series)]
            for batch in batches {
                var refused = ByteWriter()
                RefusedItem.append(batch.refused, to: &refused)
                let rest: StatementArguments = [
                    Int64(bitPattern: batch.number), Self.data(batch.hash), batch.arrivedAtMilliseconds,
                    batch.refused.isEmpty ? nil : Data(refused.bytes),
                ]
                try db.execute(
                    sql: "INSERT OR REPLACE INTO batches VALUES (?, ?, ?, ?, ?, ?, ?)",
                    arguments: key + rest
                )
            }
        }
        if let limit = change.forgetsBatchesBefore {
            try db.execute(sql: "DELETE FROM batches WHERE refused IS NULL AND arrived < ?", arguments: [limit])
        }
    }

    func storedNumbers(of series: BatchSeries) throws(StorageError) -> [ClosedRange<UInt64>] {
        try self.read { db in
            let rows = try Row.fetchAll(
                db,
                sql: "SELECT first, last FROM series WHERE repository = ? AND credential = ? AND series = ?",
                arguments: [series.repositoryID, series.credential, Self.data(series.series)]
            )
            let ranges = rows.compactMap { row -> ClosedRange<UInt64>? in
                let first = UInt64(bitPattern: row[0] as Int64)
                let last = UInt64(bitPattern: row[1] as Int64)
                return first <= last ? first...last : nil
            }
            return ranges.sorted { $0.lowerBound < $1.lowerBound }
        }
    }

    func outcome(of series: BatchSeries, number: UInt64) throws(StorageError) -> BatchRecord? {
        try self.read { db in
            let row = try Row.fetchOne(
                db,
                sql: """
                    SELECT hash, arrived, refused FROM batches
                    WHERE repository = ? AND credential = ? AND series = ? AND number = ?
                    """,
                arguments: [
                    series.repositoryID, series.credential, Self.data(series.series), Int64(bitPattern: number),
                ]
            )
            guard let row else { return nil }
            var hash = ByteReader(ByteSlice([UInt8](row[0] as Data)))
            var refused: [RefusedItem] = []
            if let data = row[2] as Data? {
                var bytes = ByteReader(ByteSlice([UInt8](data)))
                refused = try RefusedItem.list(from: &bytes)
            }
            return BatchRecord(
                number: number,
                hash: try hash.read(UInt128.self),
                arrivedAtMilliseconds: row[1],
                refused: refused
            )
        }
    }

    private static func data(_ value: UInt128) -> Data { withUnsafeBytes(of: value.littleEndian) { Data($0) } }

    func documents(kind: String) throws(StorageError) -> [String: [UInt8]] {
        try self.read { db in
            var documents: [String: [UInt8]] = [:]
            let rows = try Row.fetchAll(
                db,
                sql: "SELECT name, content FROM documents WHERE kind = ?",
                arguments: [kind]
            )
            for row in rows { documents[row[0]] = [UInt8](row[1] as Data) }
            return documents
        }
    }

    func setDocument(_ content: [UInt8]?, kind: String, name: String) throws(StorageError) {
        try self.write { db in
            if let content {
                try db.execute(
                    sql: "INSERT OR REPLACE INTO documents VALUES (?, ?, ?)",
                    arguments: [kind, name, Data(content)]
                )
            } else {
                try db.execute(sql: "DELETE FROM documents WHERE kind = ? AND name = ?", arguments: [kind, name])
            }
        }
    }

    func close() throws(StorageError) {
        do {
            try self.database.close()
        } catch {
            throw .catalog("\(self.path): \(error)")
        }
    }

    private func read<Value>(_ body: (Database) throws -> Value) throws(StorageError) -> Value {
        do {
            return try self.database.read(body)
        } catch let error as StorageError {
            throw error
        } catch {
            throw .catalog("\(self.path): \(error)")
        }
    }

    private func write<Value>(_ body: (Database) throws -> Value) throws(StorageError) -> Value {
        do {
            return try self.database.write(body)
        } catch let error as StorageError {
            throw error
        } catch {
            throw .catalog("\(self.path): \(error)")
        }
    }
}
