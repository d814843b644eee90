internal import Foundation
internal import GRDB
internal import LeatCore

/// The tables of the catalog, each row with a checksum of its values at the end; see `docs/formats/catalog.md`.
///
/// SQLite notices a page that makes no sense, but not a number or a text that has changed in one. Rows are read through
/// `rows`, which refuses such a row, and written through `put`.
enum CatalogTable: String, CaseIterable {
    case meta, repositories, segments, datasources, series, batches, documents

    /// The columns but the checksum.
    private var columns: [(name: String, type: String)] {
        switch self {
        case .meta: [("key", "TEXT PRIMARY KEY"), ("value", "INTEGER NOT NULL")]
        case .repositories:
            [
                ("id", "INTEGER PRIMARY KEY"), ("name", "TEXT NOT NULL UNIQUE"), ("created", "INTEGER NOT NULL"),
                ("retention_age", "INTEGER"), ("retention_bytes", "INTEGER"), ("next_row", "INTEGER NOT NULL"),
            ]
        case .segments:
            [
                ("number", "INTEGER PRIMARY KEY"), ("repository", "INTEGER NOT NULL"),
                ("byte_count", "INTEGER NOT NULL"), ("row_count", "INTEGER NOT NULL"),
                ("plain_byte_count", "INTEGER NOT NULL"), ("time_first", "INTEGER NOT NULL"),
                ("time_last", "INTEGER NOT NULL"), ("arrival_first", "INTEGER NOT NULL"),
                ("arrival_last", "INTEGER NOT NULL"),
            ]
        case .datasources:
            [("repository", "INTEGER NOT NULL"), ("tags", "BLOB NOT NULL"), ("sealed_through", "INTEGER NOT NULL")]
        case .series:
            [
                ("repository", "INTEGER NOT NULL"), ("credential", "TEXT NOT NULL"), ("series", "BLOB NOT NULL"),
                ("first", "INTEGER NOT NULL"), ("last", "INTEGER NOT NULL"),
            ]
        case .batches:
            [
                ("repository", "INTEGER NOT NULL"), ("credential", "TEXT NOT NULL"), ("series", "BLOB NOT NULL"),
                ("number", "INTEGER NOT NULL"), ("hash", "BLOB NOT NULL"), ("arrived", "INTEGER NOT NULL"),
                ("refused", "BLOB"),
            ]
        case .documents: [("kind", "TEXT NOT NULL"), ("name", "TEXT NOT NULL"), ("content", "BLOB NOT NULL")]
        }
    }

    /// Whether rows have a number of their own, by which SQLite finds them.
    private var hasRowNumber: Bool { self == .repositories || self == .segments }

    /// The columns of the primary key that are not named so above.
    private var key: String? {
        switch self {
        case .meta, .repositories, .segments: nil
        case .datasources: "repository, tags"
        case .series: "repository, credential, series, first"
        case .batches: "repository, credential, series, number"
        case .documents: "kind, name"
        }
    }

    /// Creates the table if it is not there.
    func create(_ db: Database) throws {
        var parts = self.columns.map { "\($0.name) \($0.type)" } + ["checksum INTEGER NOT NULL"]
        if let key = self.key { parts.append("PRIMARY KEY (\(key))") }
        let suffix = self.hasRowNumber ? "" : " WITHOUT ROWID"
        try db.execute(sql: "CREATE TABLE IF NOT EXISTS \(self.rawValue) (\(parts.joined(separator: ", ")))\(suffix)")
    }

    /// Writes a row, in the place of the one with its key if that `replaces`.
    func put(_ values: [(any DatabaseValueConvertible)?], replaces: Bool = true, _ db: Database) throws {
        let values = values.map { $0?.databaseValue ?? .null }
        let places = repeatElement("?", count: values.count + 1).joined(separator: ", ")
        try db.execute(
            sql: "INSERT \(replaces ? "OR REPLACE " : "")INTO \(self.rawValue) VALUES (\(places))",
            arguments: StatementArguments(values + [self.checksum(values).databaseValue])
        )
    }

    /// The rows that fit a condition, in the order of their keys, each with the values but the checksum.
    func rows(
        _ db: Database,
        where condition: String = "1",
        _ arguments: StatementArguments = StatementArguments()
    ) throws -> [Row] {
        var rows: [Row] = []
        let cursor = try Row.fetchCursor(db, sql: self.selection(condition), arguments: arguments)
        while let row = try cursor.next() {
            guard let damage = self.damage(row) else {
                rows.append(row.copy())
                continue
            }
            throw StorageError.catalog(
                damage + "; 'leat-server verify' lists all such rows, 'leat-server rebuild-catalog' makes a new catalog"
            )
        }
        return rows
    }

    /// What is wrong with rows of the table.
    func faults(_ db: Database) throws -> [String] {
        var faults: [String] = []
        let cursor = try Row.fetchCursor(db, sql: self.selection("1"))
        while let row = try cursor.next() {
            if let damage = self.damage(row) { faults.append(damage) }
        }
        return faults
    }

    private func selection(_ condition: String) -> String {
        let names = self.columns.map(\.name).joined(separator: ", ")
        let order = self.key ?? self.columns[0].name
        return "SELECT \(names), checksum FROM \(self.rawValue) WHERE \(condition) ORDER BY \(order)"
    }

    private func damage(_ row: Row) -> String? {
        let values = Array(row.databaseValues)
        guard values.last != self.checksum(values.dropLast()).databaseValue else { return nil }
        // Not the other values: some are secret.
        let first = values.first.map { "\($0)" } ?? ""
        return "a row of table '\(self.rawValue)' has a wrong checksum; its \(self.columns[0].name) says \(first)"
    }

    /// CRC-32C of the table's name, and of the kind, length and bytes of each value.
    private func checksum(_ values: some Sequence<DatabaseValue>) -> Int64 {
        var bytes = ByteWriter()
        bytes.append(counted: self.rawValue)
        for value in values {
            switch value.storage {
            case .null: bytes.append(byte: 0)
            case .int64(let number):
                bytes.append(byte: 1)
                bytes.append(number)
            case .double(let number):
                bytes.append(byte: 2)
                bytes.append(number.bitPattern)
            case .string(let text):
                bytes.append(byte: 3)
                bytes.append(counted: text)
            case .blob(let data):
                bytes.append(byte: 4)
                bytes.append(counted: [UInt8](data))
            }
        }
        return Int64(Checksum.crc32c(bytes.bytes))
    }
}
