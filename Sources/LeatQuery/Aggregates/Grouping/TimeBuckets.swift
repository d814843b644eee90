internal import LeatCore

/// How time is cut into buckets.
struct TimeBuckets: Hashable, Sendable {
    /// Length of a bucket in nanoseconds; that of days is an hour more or less where clocks are set.
    let span: Int64
    /// The zone in which buckets of whole days begin at midnight; `nil`: buckets are multiples of the span.
    private(set) var zone: TimeZoneRules?

    /// Buckets of a span; `zone` matters for whole days.
    init(span: Int64, zone: TimeZoneRules? = nil) {
        self.span = span
        self.zone = span % Self.day == 0 && zone != .utc ? zone : nil
    }

    /// The start of the bucket of a moment.
    func start(of nanoseconds: Int64) -> Int64 { self.range(of: nanoseconds).lowerBound }

    /// The bucket of a moment.
    func range(of nanoseconds: Int64) -> Range<Int64> {
        guard let zone = self.zone else {
            let start = Self.floor(nanoseconds, by: self.span)
            return Self.range(start, start &+ self.span, around: nanoseconds)
        }
        let offset = Int64(zone.offset(at: Timestamp(nanoseconds: nanoseconds)).seconds) * Self.second
        let local = Self.floor(nanoseconds &+ offset, by: self.span)
        return Self.range(Self.moment(local, zone), Self.moment(local &+ self.span, zone), around: nanoseconds)
    }

    /// A bucket that ends where time does if its border lies beyond.
    private static func range(_ start: Int64, _ end: Int64, around moment: Int64) -> Range<Int64> {
        (start > moment ? .min : start)..<(end <= moment ? .max : end)
    }

    private static func floor(_ value: Int64, by span: Int64) -> Int64 {
        let remainder = value % span
        return value &- (remainder < 0 ? remainder &+ span : remainder)
    }

    /// When clocks of a zone show a local time, which is given as if it were UTC.
    private static func moment(_ local: Int64, _ zone: TimeZoneRules) -> Int64 {
        zone.timestamp(of: CivilTime(Timestamp(nanoseconds: local)))?.nanoseconds ?? local
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
    func next(after start: Int64) -> Int64 { self.range(of: start).upperBound }

    /// The start of the bucket `count` places before the one that starts at `start`.
    func start(_ count: Int, before start: Int64) -> Int64 {
        guard self.zone != nil else { return start &- Int64(count) &* self.span }
        return (0..<count).reduce(start) { start, _ in self.start(of: start &- 1) }
    }

    /// The length of a bucket in words, such as `15 minutes`.
    var spanText: String {
        let units: [(name: String, length: Int64)] = [
            ("day", Self.day), ("hour", 3600 * Self.second), ("minute", 60 * Self.second), ("second", Self.second),
            ("millisecond", 1_000_000),
        ]
        for (name, length) in units where self.span % length == 0 {
            let count = self.span / length
            return "\(count) \(name)\(count == 1 ? "" : "s")"
        }
        return "\(self.span) nanoseconds"
    }
}

/// Numbers for bucket starts.
struct BucketTable {
    private(set) var starts: [Int64] = []
    /// Whether rows had a time outside of the years that buckets reach, so that they are in none.
    private(set) var hasTimesBeyond = false
    private var indexOfStart: [Int64: Int] = [:]

    mutating func index(of start: Int64) -> Int {
        if let known = self.indexOfStart[start] { return known }
        self.indexOfStart[start] = self.starts.count
        self.starts.append(start)
        return self.starts.count - 1
    }

    /// Fast path: times in order lie in few buckets, one after the other.
    private mutating func number(ascending times: [Int64], _ buckets: TimeBuckets, into values: inout [UInt32]) {
        var row = 0
        while row < times.count {
            let bucket = buckets.range(of: times[row])
            // The very last nanosecond is in no range.
            let end = max(row + 1, times.firstIndex(after: bucket.upperBound - 1, from: row))
            let number = UInt32(self.index(of: bucket.lowerBound))
            values.withUnsafeMutableBufferPointer { $0[row..<end].update(repeating: number) }
            row = end
        }
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
                current = buckets.range(of: time)
                number = UInt32(self.index(of: current.lowerBound))
            }
            values[row] = number
        }
        guard let column else {
            guard rows.areEvents && !rows.batch.isChanged("@timestamp") else {
                return Bitmap(repeating: false, count: rows.rowCount)
            }
            let times = rows.batch.timestamps
            // A bucket without selected rows must get no number.
            if rows.isInOrderOfTime, selection.isFull {
                self.number(ascending: times, buckets, into: &values)
                return selection
            }
            times.withUnsafeBufferPointer { times in selection.forEachSet { note(times[$0], $0) } }
            return selection
        }
        let (milliseconds, valid) = column.numbers()
        var timed = selection
        if let valid { timed.formIntersection(valid) }
        var beyond = Bitmap(repeating: false, count: rows.rowCount)
        timed.forEachSet { row in
            let whole = Int64(exactly: milliseconds[row].rounded(.down))
            guard let time = whole.flatMap({ Timestamp(milliseconds: $0, nanoseconds: 0) }) else {
                return beyond.set(row)
            }
            note(time.nanoseconds, row)
        }
        if !beyond.isEmpty {
            self.hasTimesBeyond = true
            timed.subtract(beyond)
        }
        return timed
    }
}

extension [Int64] {
    /// The first place from `start` on of a number above `bound`, in ascending numbers; looked for in growing steps.
    fileprivate func firstIndex(after bound: Int64, from start: Int) -> Int {
        var (low, step) = (start, 1)
        while low + step < self.count, self[low + step] <= bound {
            low += step
            step *= 2
        }
        var high = Swift.min(low + step, self.count)
        if self[low] > bound { return low }
        while high - low > 1 {
            let middle = (low + high) / 2
            if self[middle] <= bound { low = middle } else { high = middle }
        }
        return high
    }
}
