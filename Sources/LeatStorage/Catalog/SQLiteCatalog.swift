internal import Foundation
internal import GRDB
internal import LeatCore

/// The catalog of one machine: an SQLite database in the data folder.
final class SQLiteCatalog: Catalog {
    private static let schemaVersion: Int64 = 2

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
        } catch {
            throw .catalog("\(path): \(error)")
        }
        let isNew = try self.write { db in
            let isNew = try Int.fetchOne(db, sql: "SELECT COUNT(*) FROM sqlite_master") == 0
            if isNew { try Self.createTables(db) }
            return isNew
        }
        if !isNew { try self.checkSchema() }
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

    /// What is wrong with the file, for SQLite, and with its rows.
    func faults() throws(StorageError) -> [String] {
        try self.read { db in
            let faults = try String.fetchAll(db, sql: "PRAGMA integrity_check").filter { $0 != "ok" }
            return try CatalogTable.allCases.reduce(faults) { try $0 + $1.faults(db) }
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
        for table in CatalogTable.allCases { try table.create(db) }
        try db.execute(sql: "CREATE INDEX batches_arrived ON batches (arrived) WHERE refused IS NULL")
        let first: [(key: String, value: Int64)] = [
            ("schema", Self.schemaVersion), ("version", 0), ("segment", 1), ("repository", 1), ("journal", 0),
        ]
        for (key, value) in first { try CatalogTable.meta.put([key, value], db) }
    }

    func contents() throws(StorageError) -> CatalogContents {
        try self.read { db in
            var contents = CatalogContents()
            contents.version = try Self.meta("version", db)
            contents.nextSegment = try Self.meta("segment", db)
            contents.nextRepository = try Self.meta("repository", db)
            contents.journalRemovedThrough = UInt64(bitPattern: try Self.meta("journal", db))
            contents.repositories = try CatalogTable.repositories.rows(db).map(Self.repository)
            for row in try CatalogTable.segments.rows(db) { contents.segments.append(try Self.segment(row)) }
            for row in try CatalogTable.datasources.rows(db) {
                var bytes = ByteReader(ByteSlice([UInt8](row[1] as Data)))
                contents.sealedThrough[row[0], default: [:]][try DatasourceTags(from: &bytes)] = row[2]
            }
            return contents
        }
    }

    private static func meta(_ key: String, _ db: Database) throws -> Int64 {
        guard let row = try CatalogTable.meta.rows(db, where: "key = ?", [key]).first else {
            throw StorageError.catalog("a row of table 'meta' is missing: \(key)")
        }
        return row[1]
    }

    private static func raise(_ key: String, to value: Int64, _ db: Database) throws {
        if value > (try Self.meta(key, db)) { try CatalogTable.meta.put([key, value], db) }
    }

    private static func repository(_ row: Row) -> RepositoryRecord {
        let byteCount: Int64? = row[4]
        let retention = Retention(ageSeconds: row[3], byteCount: byteCount.map { UInt64(bitPattern: $0) })
        let repository = Repository(name: row[1], createdAt: Timestamp(nanoseconds: row[2]), retention: retention)
        return RepositoryRecord(id: row[0], repository: repository, nextRow: row[5])
    }

    private static func segment(_ row: Row) throws(StorageError) -> SegmentRecord {
        let times: (first: Int64, last: Int64) = (row[5], row[6])
        let arrivals: (first: Int64, last: Int64) = (row[7], row[8])
        guard times.first <= times.last, arrivals.first <= arrivals.last else {
            throw .catalog("segment \(row[0] as Int64) has a range that ends before it begins")
        }
        return SegmentRecord(
            number: row[0],
            repositoryID: row[1],
            byteCount: row[2],
            rowCount: row[3],
            plainByteCount: row[4],
            times: times.first...times.last,
            arrivals: arrivals.first...arrivals.last
        )
    }

    func publish(_ change: CatalogChange, expecting version: Int64) throws(StorageError) -> Int64 {
        try self.write { db in
            let found = try Self.meta("version", db)
            guard found == version else { throw StorageError.catalog("another writer published version \(found)") }
            try CatalogTable.meta.put(["version", version + 1], db)
            try Self.raise("journal", to: Int64(bitPattern: change.journalRemovedThrough), db)
            try Self.writeRepositories(change, db)
            try Self.writeSegments(change, db)
            try Self.writeBatches(change, db)
            return version + 1
        }
    }

    private static func writeRepositories(_ change: CatalogChange, _ db: Database) throws {
        for record in change.putRepositories {
            try CatalogTable.repositories.put(
                [
                    record.id, record.repository.name, record.repository.createdAt.nanoseconds,
                    record.repository.retention.ageSeconds,
                    record.repository.retention.byteCount.map { Int64(bitPattern: $0) }, record.nextRow,
                ],
                db
            )
            try Self.raise("repository", to: record.id + 1, db)
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
            try CatalogTable.segments.put(
                [
                    record.number, record.repositoryID, record.byteCount, record.rowCount, record.plainByteCount,
                    record.times.lowerBound, record.times.upperBound,
                    record.arrivals.lowerBound, record.arrivals.upperBound,
                ],
                replaces: false,
                db
            )
        }
        if let last = change.addedSegments.map(\.number).max() { try Self.raise("segment", to: last + 1, db) }
        for (id, rows) in change.sealedThrough {
            for (tags, row) in rows {
                var bytes = ByteWriter()
                tags.append(to: &bytes)
                let key = Data(bytes.bytes)
                let known = try CatalogTable.datasources.rows(db, where: "repository = ? AND tags = ?", [id, key]).first
                if let known, known[2] >= row { continue }
                try CatalogTable.datasources.put([id, key, row], db)
            }
        }
    }

    private static func writeBatches(_ change: CatalogChange, _ db: Database) throws {
        for (series, numbers) in change.storedNumbers {
            try db.execute(
                sql: "DELETE FROM series WHERE \(Self.ofSeries)",
                arguments: Self.arguments(series)
            )
            for range in numbers {
                let bounds = (Int64(bitPattern: range.lowerBound), Int64(bitPattern: range.upperBound))
                try CatalogTable.series.put(Self.key(series) + [bounds.0, bounds.1], db)
            }
        }
        for (series, batches) in change.batches {
            for batch in batches {
                var refused = ByteWriter()
                RefusedItem.append(batch.refused, to: &refused)
                let rest: [(any DatabaseValueConvertible)?] = [
                    Int64(bitPattern: batch.number), Self.data(batch.hash), batch.arrivedAtMilliseconds,
                    batch.refused.isEmpty ? nil : Data(refused.bytes),
                ]
                try CatalogTable.batches.put(Self.key(series) + rest, db)
            }
        }
        if let limit = change.forgetsBatchesBefore {
            try db.execute(sql: "DELETE FROM batches WHERE refused IS NULL AND arrived < ?", arguments: [limit])
        }
    }

    /// Selects the rows of a series.
    private static let ofSeries = "repository = ? AND credential = ? AND series = ?"

    private static func key(_ series: BatchSeries) -> [(any DatabaseValueConvertible)?] {
        [series.repositoryID, series.credential, Self.data(series.series)]
    }

    private static func arguments(_ series: BatchSeries) -> StatementArguments {
        [series.repositoryID, series.credential, Self.data(series.series)]
    }

    func storedNumbers(of series: BatchSeries) throws(StorageError) -> [ClosedRange<UInt64>] {
        try self.read { db in
            let rows = try CatalogTable.series.rows(db, where: Self.ofSeries, Self.arguments(series))
            let ranges = rows.compactMap { row -> ClosedRange<UInt64>? in
                let first = UInt64(bitPattern: row[3] as Int64)
                let last = UInt64(bitPattern: row[4] as Int64)
                return first <= last ? first...last : nil
            }
            return ranges.sorted { $0.lowerBound < $1.lowerBound }
        }
    }

    func outcome(of series: BatchSeries, number: UInt64) throws(StorageError) -> BatchRecord? {
        try self.read { db in
            let condition = Self.ofSeries + " AND number = ?"
            let arguments = Self.arguments(series) + [Int64(bitPattern: number)]
            guard let row = try CatalogTable.batches.rows(db, where: condition, arguments).first else { return nil }
            var hash = ByteReader(ByteSlice([UInt8](row[4] as Data)))
            var refused: [RefusedItem] = []
            if let data = row[6] as Data? {
                var bytes = ByteReader(ByteSlice([UInt8](data)))
                refused = try RefusedItem.list(from: &bytes)
            }
            return BatchRecord(
                number: number,
                hash: try hash.read(UInt128.self),
                arrivedAtMilliseconds: row[5],
                refused: refused
            )
        }
    }

    private static func data(_ value: UInt128) -> Data { withUnsafeBytes(of: value.littleEndian) { Data($0) } }

    func documents(kind: String) throws(StorageError) -> [String: [UInt8]] {
        try self.read { db in
            var documents: [String: [UInt8]] = [:]
            for row in try CatalogTable.documents.rows(db, where: "kind = ?", [kind]) {
                documents[row[1]] = [UInt8](row[2] as Data)
            }
            return documents
        }
    }

    func setDocument(_ content: [UInt8]?, kind: String, name: String) throws(StorageError) {
        try self.write { db in
            if let content {
                try CatalogTable.documents.put([kind, name, Data(content)], db)
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

    /// Moves what was written from the write-ahead log to the main file.
    ///
    /// SQLite takes a log up to its first damaged byte, so that transactions behind one would be gone without a word, and
    /// with them the names of segments whose journal was removed. The main file's rows have checksums instead.
    private func emptyLog() {
        do {
            try self.database.writeWithoutTransaction { db in
                try db.execute(sql: "PRAGMA wal_checkpoint(TRUNCATE)")
            }
        } catch {
            // A full disk, or a reader in another process: the log is as durable, and the next transaction tries again.
        }
    }

    private func write<Value>(_ body: (Database) throws -> Value) throws(StorageError) -> Value {
        do {
            let value = try self.database.write(body)
            self.emptyLog()
            return value
        } catch let error as StorageError {
            throw error
        } catch {
            throw .catalog("\(self.path): \(error)")
        }
    }
}
