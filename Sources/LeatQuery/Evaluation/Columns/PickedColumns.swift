internal import LeatCore
internal import Synchronization

/// Rows picked from another batch; a column is copied when it is asked for.
final class PickedColumns: ColumnSource {
    let fieldNames: [String]
    private let base: Batch
    private let rows: [Int32]
    private let cache = Mutex<[String: Column?]>([:])

    init(of base: Batch, rows: [Int32]) {
        self.base = base
        self.rows = rows
        self.fieldNames = base.fieldNames
    }

    func column(_ name: String) throws(DamagedBlock) -> Column? {
        if let known = self.cache.withLock({ $0[name] }) { return known }
        let picked = try self.base.column(name)?.gathered(self.rows)
        self.cache.withLock { $0[name] = .some(picked) }
        return picked
    }
}
