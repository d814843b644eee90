/// The values of an answer over time: one series per group and number, on a common row of buckets.
///
/// Rows come in any order, as `timeChart` and `bucket` give them: `_bucket`, the fields that name a group, numbers. Which
/// columns are groups is seen from the values: all up to the last that holds text, and as many as it takes to tell the
/// rows of one bucket apart.
struct TimeSeries {
    /// One line of the chart.
    struct Series {
        let name: String
        /// Per bucket the value; `nil` where no row gives one.
        var values: [Double?] = []

        var largest: Double { self.values.reduce(0) { max($0, $1 ?? 0) } }
        var total: Double { self.values.reduce(0) { $0 + ($1 ?? 0) } }
    }

    /// Buckets that a chart can have, those without rows included.
    static let bucketCountMax = 100_000
    /// Rows of which a chart is made; more become a table.
    static let rowCountMax = 200_000

    /// Moments in milliseconds, ascending and evenly spaced where they are multiples of one span.
    private(set) var buckets: [Int64] = []
    private(set) var series: [Series] = []

    private struct Row {
        let bucket: Int64
        let cells: [String?]
    }

    private let columns: [String]
    private var index: ColumnIndex
    private var rows: [Row] = []
    private var isSound = true
    private var textColumns: Set<Int> = []

    /// Columns without `_bucket` in their order.
    init(columns: [String]) {
        self.columns = columns.filter { $0 != "_bucket" }
        self.index = ColumnIndex(["_bucket"] + self.columns)
    }

    /// Takes a row.
    mutating func add(_ row: AnswerRow) {
        let cells = self.index.cells(of: row).map { cell in cell.map { String(decoding: row.bytes[$0], as: UTF8.self) }
        }
        guard let bucket = cells[0].flatMap({ Int64($0) }) else {
            self.isSound = false
            return
        }
        for (column, text) in cells.dropFirst().enumerated() {
            if let text, !text.isEmpty, Double(text) == nil { self.textColumns.insert(column) }
        }
        self.rows.append(Row(bucket: bucket, cells: Array(cells.dropFirst())))
    }

    /// Sorts the rows into series; `false` when they are nothing that a chart can show.
    mutating func arrange() -> Bool {
        guard self.isSound, let groupCount = self.groupCount() else { return false }
        self.arrangeBuckets()
        guard self.buckets.count > 1 else { return false }
        let place = Dictionary(uniqueKeysWithValues: zip(self.buckets, 0...))
        let numbers = self.columns[groupCount...]
        var position: [String: Int] = [:]
        for row in self.rows {
            let group = row.cells[..<groupCount].map { $0 ?? "" }.joined(separator: " ")
            for (offset, number) in numbers.enumerated() {
                let name = groupCount == 0 ? number : numbers.count == 1 ? group : "\(group) \(number)"
                let series = position[name] ?? self.series.count
                if series == self.series.count {
                    position[name] = series
                    self.series.append(Series(name: name, values: Array(repeating: nil, count: self.buckets.count)))
                }
                guard let bucket = place[row.bucket] else { continue }
                self.series[series].values[bucket] = row.cells[groupCount + offset].flatMap { Double($0) }
            }
        }
        self.rows = []
        return !self.series.isEmpty
    }

    /// How many of the first columns name a group; `nil` when no number is left.
    private func groupCount() -> Int? {
        var count = (self.textColumns.max() ?? -1) + 1
        while count < self.columns.count, !self.areTold(apartBy: count) { count += 1 }
        return count < self.columns.count ? count : nil
    }

    private func areTold(apartBy count: Int) -> Bool {
        var seen: Set<[String?]> = []
        return self.rows.allSatisfy { seen.insert([String($0.bucket)] + $0.cells[..<count]).inserted }
    }

    /// The buckets of all rows, and those between them in which nothing happened.
    private mutating func arrangeBuckets() {
        let known = Set(self.rows.map(\.bucket)).sorted()
        self.buckets = known
        guard let first = known.first, let last = known.last,
            let span = zip(known, known.dropFirst()).map({ $1 - $0 }).min(),
            zip(known, known.dropFirst()).allSatisfy({ ($1 - $0) % span == 0 }),
            (last - first) / span < Self.bucketCountMax
        else { return }
        self.buckets = Array(stride(from: first, through: last, by: Int64.Stride(span)))
    }
}
