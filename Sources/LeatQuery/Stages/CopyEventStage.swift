internal import LeatCore

/// `copyEvent`: each event twice, the copy with another `#type`.
struct CopyEventStage: Stage {
    let type: String

    func columns(after columns: [String]?) -> [String]? { columns?.adding(["#type"]) }

    func run(_ rows: EventRows, _ context: StageContext) throws(QueryFailure) -> [EventRows] {
        var result: [EventRows] = []
        for var part in rows.pickedBatches(rows.selection.rows.flatMap { [$0, $0] }) {
            let copies = Bitmap(count: part.rowCount) { $0 % 2 == 1 }
            try part.write(.constant(self.type, rowCount: part.rowCount), to: "#type", at: copies)
            result.append(part)
        }
        return result
    }
}
