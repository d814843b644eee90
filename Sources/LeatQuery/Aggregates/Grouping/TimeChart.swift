internal import LeatCore

/// `bucket` and `timeChart`: an aggregate per bucket of time and, within it, per tuple of fields.
struct TimeChartPlan: AggregatePlan {
    var fields: [String]
    var function: any AggregatePlan
    /// Length of a bucket in nanoseconds; `nil`: from `bucketCount`, or one of the automatic spans.
    var span: Int64?
    var bucketCount: Int?
    var minSpan: Int64?
    /// Most series; those with the largest values stay.
    var limit: Int
    /// Whether the limit was written, so that nobody needs to be told.
    var isLimitGiven = false
    /// Whether buckets without events are rows too.
    var fillsBuckets: Bool
    /// The interval of the query; ends that are open are those of the events.
    var start: Int64?
    var end: Int64?
    /// Whether events may lie after `end`, which is the moment of the question.
    var isEndOpen = false
    /// The zone whose midnights begin buckets of whole days.
    var zone = TimeZoneRules.utc
    /// Where the query asks for it.
    var place: QueryPlace
    /// Into which units the numbers of the function are converted: per part of the function, or one for all.
    var units: [BucketUnit?] = []

    var columns: [String]? {
        self.function.columns.map { ["_bucket"].adding(self.fields).adding($0) }
    }

    func makeState(_ context: StageContext) -> any AggregateState {
        TimeChartState(self, self.buckets(context.dataRange), context)
    }

    /// How time is cut.
    func buckets(_ dataRange: ClosedRange<Int64>?) -> TimeBuckets {
        let first = self.start ?? dataRange?.lowerBound ?? 0
        let last = self.end ?? dataRange.map { $0.upperBound == .max ? .max : $0.upperBound + 1 } ?? first
        let length = max(last.subtractingReportingOverflow(first).partialValue, 1)
        var span = self.span ?? TimeBuckets.automaticSpan(for: length)
        if self.span == nil, let count = self.bucketCount, count > 0 { span = max(length / Int64(count), 1_000_000) }
        if let minSpan = self.minSpan { span = max(span, minSpan) }
        return TimeBuckets(span: max(span, 1), zone: self.zone)
    }

    /// The columns whose numbers are multiplied, by how much.
    func factors(_ buckets: TimeBuckets) -> [(column: String, factor: Double)] {
        guard !self.units.isEmpty else { return [] }
        let parts = (self.function as? CombinedPlan)?.parts ?? [self.function]
        return parts.enumerated().flatMap { index, part -> [(column: String, factor: Double)] in
            let unit = self.units.count == 1 ? self.units[0] : index < self.units.count ? self.units[index] : nil
            guard let unit else { return [] }
            return (part.columns ?? []).map { ($0, unit.factor(bucketNanoseconds: buckets.span)) }
        }
    }
}

/// See `TimeChartPlan`.
final class TimeChartState: AggregateState {
    private let plan: TimeChartPlan
    private let buckets: TimeBuckets
    private let grouping: Grouping
    private let context: StageContext
    private let factors: [(column: String, factor: Double)]

    init(_ plan: TimeChartPlan, _ buckets: TimeBuckets, _ context: StageContext) {
        self.plan = plan
        self.buckets = buckets
        self.context = context
        self.factors = plan.factors(buckets)
        self.grouping = Grouping(
            [.time(buckets)] + plan.fields.map { .field($0) },
            function: plan.function.makeState(context),
            context
        )
    }

    func update(_ rows: EventRows, _ groups: Groups) throws(QueryFailure) { try self.grouping.update(rows, groups) }

    func merge(_ other: any AggregateState, groups: [UInt32], groupCount: Int) throws(QueryFailure) {
        try self.grouping.merge(self.sibling(other).grouping, outer: groups)
    }

    /// The groups of one series by the start of their bucket.
    private struct Series {
        var first: Int
        var groupOfBucket: [Int64: Int]
        var rank: Double
    }

    func emit(_ group: Int, into writer: RowWriter, then next: () throws(QueryFailure) -> Void) throws(QueryFailure) {
        let groups = (0..<self.grouping.count).filter { self.grouping.keys.outer(of: $0) == group }
        let series = self.largest(self.series(of: groups))
        let starts = try self.bucketStarts(groups)
        if self.plan.fillsBuckets, let first = starts.first, let last = starts.last { self.note(first, last) }
        let bucketColumn = writer.column("_bucket")
        let fieldColumns = self.plan.fields.enumerated().map { (key: $0.offset + 1, column: writer.column($0.element)) }
        for start in starts {
            try writer.scoped { () throws(QueryFailure) in
                try writer.set(bucketColumn, to: Int(Timestamp(nanoseconds: start).milliseconds))
                if series.isEmpty && self.plan.fillsBuckets && self.plan.fields.isEmpty {
                    try self.emitFunction(.max, writer, next)
                }
                for one in series {
                    let inner = one.groupOfBucket[start]
                    if inner == nil && !self.plan.fillsBuckets { continue }
                    if let window = self.plan.function as? WindowPlan {
                        try self.emit(window, endingAt: start, of: one, fieldColumns, writer, next)
                    } else {
                        try self.emit(inner, of: one, fieldColumns, writer, next)
                    }
                }
            }
        }
    }

    /// Adds up the buckets of a window in a state of its own.
    private func emit(
        _ window: WindowPlan,
        endingAt start: Int64,
        of series: Series,
        _ fieldColumns: [(key: Int, column: Int)],
        _ writer: RowWriter,
        _ next: () throws(QueryFailure) -> Void
    ) throws(QueryFailure) {
        guard let function = self.grouping.function else { return }
        let first = self.buckets.start(window.count(bucketSpan: self.buckets.span) - 1, before: start)
        // Group 0 is the window, group 1 everything else.
        var target = [UInt32](repeating: 1, count: self.grouping.count)
        for (bucket, group) in series.groupOfBucket where bucket <= start && bucket >= first {
            target[group] = 0
        }
        let sum = window.makeState(self.context)
        try sum.merge(function, groups: target, groupCount: 2)
        try writer.scoped { () throws(QueryFailure) in
            for (key, column) in fieldColumns {
                try self.grouping.keys.withText(key, of: series.first) { (text) throws(QueryFailure) in
                    try writer.set(column, to: text)
                }
            }
            var isEmpty = true
            try sum.emit(0, into: writer) { () throws(QueryFailure) in
                isEmpty = false
                try self.converted(writer, next)
            }
            if isEmpty { try next() }
        }
    }

    /// Writes down what whoever draws the chart wants to know.
    private func note(_ first: Int64, _ last: Int64) {
        self.context.note("timechart", "true")
        self.context.note("bucket_span_millis", String(self.buckets.span / 1_000_000))
        self.context.note("bucket_span_humanized", self.buckets.spanText)
        self.context.note("bucket_first_bucket", String(Timestamp(nanoseconds: first).milliseconds))
        self.context.note("bucket_last_bucket", String(Timestamp(nanoseconds: last).milliseconds))
        self.context.note("ui:suggested-widget", "time-chart")
    }

    /// Converts the numbers of the row into their units.
    private func converted(_ writer: RowWriter, _ next: () throws(QueryFailure) -> Void) throws(QueryFailure) {
        for (name, factor) in self.factors {
            let column = writer.column(name)
            guard let number = writer.number(column) else { continue }
            writer.clear(column)
            try writer.set(column, to: number * factor)
        }
        try next()
    }

    private func emit(
        _ group: Int?,
        of series: Series,
        _ fieldColumns: [(key: Int, column: Int)],
        _ writer: RowWriter,
        _ next: () throws(QueryFailure) -> Void
    ) throws(QueryFailure) {
        try writer.scoped { () throws(QueryFailure) in
            for (key, column) in fieldColumns {
                try self.grouping.keys.withText(key, of: series.first) { (text) throws(QueryFailure) in
                    try writer.set(column, to: text)
                }
            }
            try self.emitFunction(group ?? .max, writer, next)
        }
    }

    /// Writes the rows of the function, at least one; a group beyond all stands for a bucket without events.
    private func emitFunction(
        _ group: Int,
        _ writer: RowWriter,
        _ next: () throws(QueryFailure) -> Void
    ) throws(QueryFailure) {
        var isEmpty = true
        try self.grouping.function?.emit(group, into: writer) { () throws(QueryFailure) in
            isEmpty = false
            try self.converted(writer, next)
        }
        if isEmpty { try next() }
    }

    private func series(of groups: [Int]) -> [Series] {
        var indexOfKey: [[UInt32]: Int] = [:]
        var result: [Series] = []
        let ordered = self.grouping.sorted(groups, by: nil, ranked: false)
        for group in ordered {
            let key = self.plan.fields.indices.map { self.grouping.keys.value($0 + 1, of: group) }
            let index = indexOfKey[key] ?? result.count
            if index == result.count {
                indexOfKey[key] = index
                result.append(Series(first: group, groupOfBucket: [:], rank: 0))
            }
            result[index].groupOfBucket[self.grouping.keys.bucket(0, of: group)] = group
            result[index].rank += self.grouping.function?.rank(of: group, by: nil) ?? 0
        }
        return result
    }

    /// At most `limit` series, those with the largest sums of values, largest first.
    private func largest(_ series: [Series]) -> [Series] {
        let sorted = series.enumerated().sorted { left, right in
            left.element.rank != right.element.rank
                ? left.element.rank > right.element.rank : left.offset < right.offset
        }.map(\.element)
        guard sorted.count > self.plan.limit else { return sorted }
        if !self.plan.isLimitGiven {
            self.context.warn("\(sorted.count) series; the \(self.plan.limit) largest are shown, use limit= for more")
        }
        return Array(sorted.prefix(self.plan.limit))
    }

    private func tooManyBuckets(_ limit: Int, length: Int64) -> Diagnostic {
        let sufficient = TimeBuckets(span: TimeBuckets.automaticSpan(for: length)).spanText
        return self.plan.place.diagnostic(
            "the interval has more than \(limit) buckets of \(self.buckets.spanText)",
            hint: "use a larger span such as \(sufficient), or a shorter interval"
        )
    }

    /// The buckets that have rows, ascending.
    private func bucketStarts(_ groups: [Int]) throws(QueryFailure) -> [Int64] {
        let used = Set(groups.map { self.grouping.keys.bucket(0, of: $0) }).sorted()
        guard self.plan.fillsBuckets else { return used }
        let moved = self.context.interval
        let first = (moved?.lowerBound ?? self.plan.start).map { self.buckets.start(of: $0) } ?? used.first
        var last = (moved?.upperBound ?? self.plan.end).map { self.buckets.start(of: $0 - 1) } ?? used.last
        if self.plan.isEndOpen || moved != nil, let end = last, let newest = used.last { last = max(end, newest) }
        guard let first, let last, first <= last else { return used }
        let limit = self.context.options.limits.buckets
        let (length, isBeyond) = last.subtractingReportingOverflow(first)
        guard !isBeyond, length / self.buckets.span <= limit else {
            throw .refused(self.tooManyBuckets(limit, length: isBeyond ? .max : length))
        }
        var starts: [Int64] = []
        var start = first
        while start <= last {
            starts.append(start)
            start = self.buckets.next(after: start)
        }
        return starts
    }
}
