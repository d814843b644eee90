internal import LeatCore

/// How time is cut into buckets.
struct TimeBuckets: Hashable, Sendable {
    /// Length of a bucket in nanoseconds.
    let span: Int64
    /// What is added to a moment before it is cut, so that day buckets begin at midnight of the zone.
    let offset: Int64

    /// The start of the bucket of a moment.
    @inline(__always)
    func start(of nanoseconds: Int64) -> Int64 {
        let shifted = nanoseconds &+ self.offset
        let remainder = shifted % self.span
        return nanoseconds &- (remainder < 0 ? remainder &+ self.span : remainder)
    }

    private static let second: Int64 = 1_000_000_000
    static let day: Int64 = 86_400 * Self.second

    /// The spans that are chosen from when none is given, ascending (9.2, [M]).
    private static let automaticSpans: [Int64] =
        [1, 2, 5, 10, 15, 30].map { $0 * Self.second } + [1, 2, 5, 10, 15, 30].map { $0 * 60 * Self.second }
        + [1, 2, 3, 4, 6, 8, 12].map { $0 * 3600 * Self.second } + [1, 2, 7, 30, 365].map { $0 * Self.day }

    /// How many buckets an automatic span gives at most.
    private static let automaticCount: Int64 = 100

    /// The span for an interval of that length when none is given.
    static func automaticSpan(for length: Int64) -> Int64 {
        Self.automaticSpans.first { length / $0 <= Self.automaticCount } ?? 3650 * Self.day
    }

    /// The start of the bucket after the one that starts at `start`.
    func next(after start: Int64) -> Int64 { self.start(of: start &+ self.span) }
}

/// Numbers for bucket starts.
struct BucketTable {
    private(set) var starts: [Int64] = []
    private var indexOfStart: [Int64: Int] = [:]

    mutating func index(of start: Int64) -> Int {
        if let known = self.indexOfStart[start] { return known }
        self.indexOfStart[start] = self.starts.count
        self.starts.append(start)
        return self.starts.count - 1
    }

    /// The numbers of the buckets of the rows of `selection`, which are returned if they have a time.
    mutating func number(
        _ rows: EventRows,
        _ column: Column?,
        _ buckets: TimeBuckets,
        within selection: Bitmap,
        into values: inout [UInt32]
    ) -> Bitmap {
        var current: Range<Int64> = 0..<0
        var number: UInt32 = 0
        func note(_ time: Int64, _ row: Int) {
            if !current.contains(time) {
                let start = buckets.start(of: time)
                current = start..<start &+ buckets.span
                number = UInt32(self.index(of: start))
            }
            values[row] = number
        }
        guard let column else {
            guard rows.areEvents && !rows.batch.isChanged("@timestamp") else {
                return Bitmap(repeating: false, count: rows.rowCount)
            }
            let times = rows.batch.timestamps
            times.withUnsafeBufferPointer { times in selection.forEachSet { note(times[$0], $0) } }
            return selection
        }
        let (milliseconds, valid) = column.numbers()
        var timed = selection
        if let valid { timed.formIntersection(valid) }
        timed.forEachSet { row in
            note(Timestamp(milliseconds: Int64(exactly: milliseconds[row].rounded(.down)) ?? 0).nanoseconds, row)
        }
        return timed
    }
}
