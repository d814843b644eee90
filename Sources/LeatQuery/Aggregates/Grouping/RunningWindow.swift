internal import LeatCore

/// `accumulate`, `slidingWindow`, `slidingTimeWindow`: each row with an aggregate over the rows before it.
struct RunningWindowFunction: SequenceFunction {
    enum Extent: Hashable, Sendable {
        /// All rows before.
        case all
        case rows(Int)
        /// Rows whose time in a field is at most so many nanoseconds older.
        case time(nanoseconds: Int64, field: String)
    }

    let function: any AggregatePlan
    let extent: Extent
    /// Whether the row itself counts.
    let includesCurrent: Bool

    var columns: [String]? { nil }

    func emit(
        _ rows: SequenceRows,
        into writer: RowWriter,
        _ context: StageContext,
        then next: () throws(QueryFailure) -> Void
    ) throws(QueryFailure) {
        let running = self.extent == .all ? self.function.makeState(context) : nil
        var start = 0
        for index in 0..<rows.count {
            try context.check()
            let end = self.includesCurrent ? index + 1 : index
            if running == nil { start = try self.start(rows, from: start, index) }
            if let running, end > start {
                for batch in try rows.rows(start..<end) { try running.update(batch, .one) }
                start = end
            }
            var isEmpty = true
            try writer.scoped { () throws(QueryFailure) in
                if let running {
                    try running.emit(0, into: writer) { () throws(QueryFailure) in
                        isEmpty = false
                        try self.finishRow(rows, index, writer, next)
                    }
                } else {
                    let range = min(start, end)..<end
                    try self.function.emit(over: rows, range, into: writer, context) { () throws(QueryFailure) in
                        isEmpty = false
                        try self.finishRow(rows, index, writer, next)
                    }
                }
                if isEmpty { try self.finishRow(rows, index, writer, next) }
            }
        }
    }

    /// The first row of the window of a row; windows only move forward.
    private func start(_ rows: SequenceRows, from start: Int, _ index: Int) throws(QueryFailure) -> Int {
        switch self.extent {
        case .all: return 0
        case .rows(let count): return max(start, index - count + (self.includesCurrent ? 1 : 0))
        case .time(let nanoseconds, let field):
            guard let now = try rows.number(field, index) else { return start }
            var first = start
            while first < index, let time = try rows.number(field, first),
                (now - time) * 1_000_000 >= Double(nanoseconds)
            {
                first += 1
            }
            return first
        }
    }

    /// Adds the row's own fields to those of the aggregate, which win.
    private func finishRow(
        _ rows: SequenceRows,
        _ index: Int,
        _ writer: RowWriter,
        _ next: () throws(QueryFailure) -> Void
    ) throws(QueryFailure) {
        try writer.scoped { () throws(QueryFailure) in
            for name in rows.names {
                let column = writer.column(name)
                if !writer.isSet(column), let value = try rows.value(name, index) { try writer.set(column, to: value) }
            }
            try next()
        }
    }
}

/// `partition`: cuts the rows where a condition holds, and aggregates each part.
struct PartitionFunction: SequenceFunction {
    let function: any AggregatePlan
    let condition: FilterNode
    /// Whether a row with the condition begins a part; otherwise it ends one.
    let splitsBefore: Bool

    var columns: [String]? { self.function.columns }

    func emit(
        _ rows: SequenceRows,
        into writer: RowWriter,
        _ context: StageContext,
        then next: () throws(QueryFailure) -> Void
    ) throws(QueryFailure) {
        let cuts = try rows.passing(self.condition, context)
        var start = 0
        for index in 0...rows.count {
            let isCut = index == rows.count || cuts.contains(self.splitsBefore ? index : index - 1)
            guard isCut, index > start else { continue }
            try self.function.emit(over: rows, start..<index, into: writer, context, then: next)
            start = index
        }
    }
}

/// `neighbor`: each row with fields of the row that stands some places before or after it.
struct NeighborFunction: SequenceFunction {
    let fields: [String]
    /// Negative: before.
    let offset: Int
    let prefix: String

    var columns: [String]? { nil }

    func emit(
        _ rows: SequenceRows,
        into writer: RowWriter,
        _ context: StageContext,
        then next: () throws(QueryFailure) -> Void
    ) throws(QueryFailure) {
        try rows.emitEach(into: writer, then: next) { (index) throws(QueryFailure) in
            let other = index + self.offset
            guard (0..<rows.count).contains(other) else { return }
            for field in self.fields {
                let column = writer.column(self.prefix.isEmpty ? field : "\(self.prefix).\(field)")
                writer.clear(column)
                if let value = try rows.value(field, other) { try writer.set(column, to: value) }
            }
        }
    }
}

/// `counterAsRate`: what a growing counter gained per second; after a reset it counts from 0.
struct CounterRateFunction: SequenceFunction {
    let field: String
    let name: String

    var columns: [String]? { [self.name] }

    func emit(
        _ rows: SequenceRows,
        into writer: RowWriter,
        _ context: StageContext,
        then next: () throws(QueryFailure) -> Void
    ) throws(QueryFailure) {
        var gain = 0.0
        var previous: Double?
        var times: [Double] = []
        for index in 0..<rows.count {
            guard let value = try rows.number(self.field, index) else { continue }
            if let previous { gain += value >= previous ? value - previous : value }
            previous = value
            times.append(try rows.number("@timestamp", index) ?? 0)
        }
        guard let first = times.first, let last = times.last, last > first else { return }
        try writer.scoped { () throws(QueryFailure) in
            try writer.set(writer.column(self.name), to: gain * 1000 / (last - first))
            try next()
        }
    }
}

/// `transpose`: rows become columns; the column names are numbers, or the values of a field.
struct TransposeFunction: SequenceFunction {
    let header: String?
    let column: String
    let limit: Int

    var columns: [String]? { nil }

    func emit(
        _ rows: SequenceRows,
        into writer: RowWriter,
        _ context: StageContext,
        then next: () throws(QueryFailure) -> Void
    ) throws(QueryFailure) {
        let count = min(rows.count, self.limit)
        var titles: [String] = []
        for index in 0..<count {
            let title = try self.header.flatMap { (name) throws(QueryFailure) in try rows.value(name, index) }
            titles.append(title.map { String(decoding: $0, as: UTF8.self) } ?? "row[\(index + 1)]")
        }
        for name in rows.names.sorted() where name != self.header {
            try writer.scoped { () throws(QueryFailure) in
                try writer.set(writer.column(self.column), to: Array(name.utf8))
                for (index, title) in titles.enumerated() {
                    if let value = try rows.value(name, index) { try writer.set(writer.column(title), to: value) }
                }
                try next()
            }
        }
    }
}

/// `appendAggregation`: the rows as they are, and after them those of an aggregate over them.
struct AppendFunction: SequenceFunction {
    let function: any AggregatePlan

    var columns: [String]? { nil }

    func emit(
        _ rows: SequenceRows,
        into writer: RowWriter,
        _ context: StageContext,
        then next: () throws(QueryFailure) -> Void
    ) throws(QueryFailure) {
        try rows.emitEach(into: writer, then: next)
        try self.function.emit(over: rows, 0..<rows.count, into: writer, context, then: next)
    }
}

/// `array:union`, `array:intersection`: the values that the arrays of some, or of all, events have.
struct ArraySetFunction: SequenceFunction {
    let array: String
    let name: String
    let isIntersection: Bool

    var columns: [String]? { nil }

    func emit(
        _ rows: SequenceRows,
        into writer: RowWriter,
        _ context: StageContext,
        then next: () throws(QueryFailure) -> Void
    ) throws(QueryFailure) {
        var values: [[UInt8]] = []
        var countOfValue: [[UInt8]: Int] = [:]
        for index in 0..<rows.count {
            var own: Set<[UInt8]> = []
            var element = 0
            while let value = try rows.value("\(self.array)[\(element)]", index) {
                if own.insert(value).inserted {
                    if countOfValue[value] == nil { values.append(value) }
                    countOfValue[value, default: 0] += 1
                }
                element += 1
            }
        }
        if self.isIntersection { values = values.filter { countOfValue[$0] == rows.count } }
        guard !values.isEmpty else { return }
        try writer.scoped { () throws(QueryFailure) in
            for (index, value) in values.enumerated() {
                try writer.set(writer.column("\(self.name)[\(index)]"), to: value)
            }
            try next()
        }
    }
}
