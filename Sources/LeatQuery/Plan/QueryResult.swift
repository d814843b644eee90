public import LeatCore

/// Rows of an answer, in order, with the batches that hold them.
public struct QueryRows: Sendable {
    /// Where a row lies.
    public struct Reference: Hashable, Sendable {
        public let batch: UInt32
        public let row: UInt32

        public init(batch: Int, row: Int) {
            self.batch = UInt32(batch)
            self.row = UInt32(row)
        }
    }

    /// What the rows refer to.
    public var batches: [Batch]
    /// The rows, first to last.
    public var order: [Reference]

    public init(batches: [Batch] = [], order: [Reference] = []) {
        self.batches = batches
        self.order = order
    }

    /// Number of rows.
    public var count: Int { self.order.count }
}

/// The answer to a query, or what is known of it so far.
public struct QueryResult: Sendable {
    /// The columns of the last stage in their order; `nil` when each row has the fields of its event.
    public var columns: [String]?
    public var rows: QueryRows
    /// What the reader should know, in words: limits reached, parts that could not be read.
    public var warnings: [String]
    /// Whether the rows come from an aggregate, and are not events.
    public var isAggregate: Bool
    /// Facts for whoever draws the answer, named as in Humio's `extraData`.
    public var extraData: [String: String] = [:]
    /// Whether events are missing that the query should have seen.
    public var isPartial = false

    public init(columns: [String]?, rows: QueryRows, warnings: [String], isAggregate: Bool) {
        self.columns = columns
        self.rows = rows
        self.warnings = warnings
        self.isAggregate = isAggregate
    }

    /// Number of rows.
    public var rowCount: Int { self.rows.count }

    /// Appends row `index` as one JSON object, keys in the order of `RowRenderer`, without a newline.
    ///
    /// For many rows keep one `RowRenderer` per batch instead.
    public func appendJSON(row index: Int, to bytes: inout [UInt8]) throws(DamagedBlock) {
        let reference = self.rows.order[index]
        let renderer = try RowRenderer(self.rows.batches[Int(reference.batch)], columns: self.columns)
        renderer.appendJSON(row: Int(reference.row), to: &bytes)
    }

    /// Calls `body` with every row as JSON, first to last; the bytes are valid during the call.
    public func forEachRowAsJSON<Failure: Error>(
        _ body: ([UInt8]) throws(Failure) -> Void
    ) throws(Failure) {
        var renderers: [UInt32: RowRenderer] = [:]
        var bytes: [UInt8] = []
        for reference in self.rows.order {
            let renderer: RowRenderer
            if let known = renderers[reference.batch] {
                renderer = known
            } else {
                renderer = RowRenderer(readable: self.rows.batches[Int(reference.batch)], columns: self.columns)
                renderers[reference.batch] = renderer
            }
            bytes.removeAll(keepingCapacity: true)
            renderer.appendJSON(row: Int(reference.row), to: &bytes)
            try body(bytes)
        }
    }

    /// The fields of row `index` in output order, as text; for tables, tests and small answers.
    public func fields(row index: Int) -> [(name: String, value: String)] {
        let reference = self.rows.order[index]
        let renderer = RowRenderer(readable: self.rows.batches[Int(reference.batch)], columns: self.columns)
        return renderer.fields(row: Int(reference.row))
    }
}
