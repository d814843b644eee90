internal import LeatCore

/// `select`: only these fields stay, in this order.
struct SelectStage: InPlaceStage {
    let names: [String]

    func apply(_ rows: inout EventRows, _ context: StageContext) throws(QueryFailure) {
        rows = try rows.projected(to: self.names)
    }

    func columns(after columns: [String]?) -> [String]? { self.names }
}

/// `drop`: these fields go.
struct DropStage: InPlaceStage {
    let names: [String]

    func apply(_ rows: inout EventRows, _ context: StageContext) throws(QueryFailure) {
        for name in self.names { rows.batch.drop(name) }
    }

    func columns(after columns: [String]?) -> [String]? { columns?.filter { !self.names.contains($0) } }
}

/// `rename`: fields change their names; rows without the source stay as they are.
struct RenameStage: InPlaceStage {
    let pairs: [(source: String, target: String)]

    func apply(_ rows: inout EventRows, _ context: StageContext) throws(QueryFailure) {
        for pair in self.pairs where pair.source != pair.target {
            guard let column = try rows.column(pair.source) else { continue }
            try rows.write(column, to: pair.target, at: rows.selection)
            rows.batch.drop(pair.source)
        }
    }

    func columns(after columns: [String]?) -> [String]? {
        guard var columns else { return nil }
        for pair in self.pairs where columns.contains(pair.source) && pair.source != pair.target {
            columns.removeAll { $0 == pair.target }
            columns = columns.map { $0 == pair.source ? pair.target : $0 }
        }
        return columns
    }
}
