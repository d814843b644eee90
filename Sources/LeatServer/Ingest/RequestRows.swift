internal import LeatCore
internal import LeatStorage

/// The rows of one ingest request, per datasource.
struct RequestRows {
    private var datasources: [DatasourceTags: DatasourceRows] = [:]
    private var finished: [IngestPart?] = []
    private var partCount: UInt16 = 0
    /// The rows that were asked for last.
    private var last: DatasourceRows?

    /// Most parts of a request: each has up to 65,536 rows of one datasource.
    static let partCountMax = 4_096

    /// The rows of a datasource with room for one more; `nil` when the request has too many datasources.
    mutating func rows(of tags: DatasourceTags) -> DatasourceRows? {
        // Fast path: most requests are of one datasource.
        if let last = self.last, last.tags == tags, !last.isFull { return last }
        let rows = self.find(tags)
        self.last = rows
        return rows
    }

    private mutating func find(_ tags: DatasourceTags) -> DatasourceRows? {
        if let known = self.datasources[tags], !known.isFull { return known }
        guard Int(self.partCount) < Self.partCountMax else { return nil }
        let next = self.partCount
        self.partCount += 1
        self.finished.append(nil)
        if let full = self.datasources[tags] {
            let part = Int(full.part)
            self.finished[part] = full.finish(next: next)
            return full
        }
        let rows = DatasourceRows(tags: tags, part: next)
        self.datasources[tags] = rows
        return rows
    }

    /// All rows, as storage takes them, and for each number of a part its place there; empty parts have none.
    mutating func finish() -> (parts: [IngestPart], placeOfPart: [Int?]) {
        for rows in self.datasources.values where rows.rowCount > 0 {
            let part = Int(rows.part)
            self.finished[part] = rows.finish(next: rows.part)
        }
        var parts: [IngestPart] = []
        var places: [Int?] = []
        for part in self.finished {
            places.append(part == nil ? nil : parts.count)
            if let part { parts.append(part) }
        }
        self.datasources = [:]
        self.last = nil
        return (parts, places)
    }
}
