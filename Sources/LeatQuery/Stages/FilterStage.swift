internal import LeatCore

/// Keeps the rows that pass a filter.
struct FilterStage: InPlaceStage {
    let filter: FilterNode

    func apply(_ rows: inout EventRows, _ context: StageContext) throws(QueryFailure) {
        rows.selection = try self.filter.evaluate(rows, within: rows.selection, context)
    }
}
