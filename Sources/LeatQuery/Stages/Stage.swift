internal import LeatCore
internal import Synchronization

/// A step of a plan that changes rows batch by batch: keeps, drops, alters or multiplies them.
///
/// A stage has no state of its own and is shared by all workers; it sees every batch once, in any order.
protocol Stage: Sendable {
    /// The rows that leave when `rows` come; batches without rows may be among them.
    func run(_ rows: EventRows, _ context: StageContext) throws(QueryFailure) -> [EventRows]

    /// The columns of the rows that leave, given those of the rows that come; `nil`: each row has its own.
    func columns(after columns: [String]?) -> [String]?
}

extension Stage {
    func columns(after columns: [String]?) -> [String]? { columns }
}

/// A stage that leaves each row in its place.
protocol InPlaceStage: Stage {
    /// Changes `rows`.
    func apply(_ rows: inout EventRows, _ context: StageContext) throws(QueryFailure)
}

extension InPlaceStage {
    func run(_ rows: EventRows, _ context: StageContext) throws(QueryFailure) -> [EventRows] {
        var rows = rows
        try self.apply(&rows, context)
        return [rows]
    }
}

extension [any Stage] {
    /// The rows that leave the last stage, in batches that have some.
    ///
    /// Their `lineage` says which rows of `rows` they come from.
    func run(_ rows: EventRows, _ context: StageContext) throws(QueryFailure) -> [EventRows] {
        var current = [rows]
        current[0].lineage = nil
        for stage in self {
            var next: [EventRows] = []
            for part in current where !part.isEmpty { next += try stage.run(part, context) }
            current = next
        }
        return current.filter { !$0.isEmpty }
    }
}

extension [String] {
    /// These columns and those of `names` that are new.
    func adding(_ names: [String]) -> [String] {
        self + names.filter { !self.contains($0) }
    }
}

/// What stages share during one execution.
final class StageContext: Sendable {
    let options: QueryOptions
    private let cancelled = Atomic<Bool>(false)
    private let messages = Mutex<[String]>([])
    private let facts = Mutex<[String: String]>([:])
    private let movedInterval = Mutex<Range<Int64>?>(nil)
    private let subqueries = Mutex<[QueryRun]>([])
    private let tables = Guarded<[ObjectIdentifier: JoinTable]>([:])
    private let indexes = Guarded<[IndexKey: JoinIndex]>([:])

    /// Times of the first and last event, where the interval leaves an end open.
    let dataRange: ClosedRange<Int64>?
    /// Where sub-queries look for events when the options name no provider.
    let blocks: [any BlockSource]

    init(options: QueryOptions, dataRange: ClosedRange<Int64>? = nil, blocks: [any BlockSource] = []) {
        self.options = options
        self.blocks = blocks
        self.dataRange = dataRange
    }

    /// The rows of a table; those of a sub-query are asked for once per execution.
    func table(_ source: TableSource) throws(QueryFailure) -> JoinTable {
        switch source.content {
        case .table(let table): return table
        case .query(let plan, let repository):
            return try self.tables.withLock { (tables) throws(QueryFailure) -> JoinTable in
                if let known = tables[ObjectIdentifier(source)] { return known }
                let table = try self.run(plan, repository)
                tables[ObjectIdentifier(source)] = table
                return table
            }
        }
    }

    private func run(_ plan: QueryPlan, _ repository: String?) throws(QueryFailure) -> JoinTable {
        try self.check()
        var blocks = self.blocks
        if let provider = self.options.blocks {
            do {
                blocks = try provider.blocks(repository: repository, start: plan.start, end: plan.end)
            } catch {
                throw .unanswerable("the events of a sub-query cannot be read: \(error)")
            }
        }
        let run = QueryRun(plan, over: blocks)
        self.subqueries.withLock { $0.append(run) }
        // Whoever ended the query before this line did not see the run.
        try self.check()
        let result = try run.run(threads: 1)
        for warning in result.warnings { self.warn(warning) }
        return JoinTable(result)
    }

    /// The index of a table over some columns, made once per execution.
    func index(_ source: TableSource, keys: [String], foldsCase: Bool) throws(QueryFailure) -> JoinIndex {
        let table = try self.table(source)
        let key = IndexKey(source: ObjectIdentifier(source), keys: keys, foldsCase: foldsCase)
        return self.indexes.withLock { indexes in
            if let known = indexes[key] { return known }
            let index = JoinIndex(table, keys: keys, foldsCase: foldsCase)
            indexes[key] = index
            return index
        }
    }

    private struct IndexKey: Hashable {
        let source: ObjectIdentifier
        let keys: [String]
        let foldsCase: Bool
    }

    /// Says something to the reader of the answer, once.
    func warn(_ message: String) {
        self.messages.withLock { messages in
            if !messages.contains(message) { messages.append(message) }
        }
    }

    var warnings: [String] { self.messages.withLock { $0 } }

    /// Says something to whoever draws the answer, under the name that Humio's `extraData` has for it.
    func note(_ name: String, _ value: String) { self.facts.withLock { $0[name] = value } }

    var extraData: [String: String] { self.facts.withLock { $0 } }

    /// The interval of a live query, which moves with the clock, in nanoseconds; `nil`: that of the plan.
    var interval: Range<Int64>? {
        get { self.movedInterval.withLock { $0 } }
        set { self.movedInterval.withLock { $0 = newValue } }
    }

    /// Ends the query and its sub-queries.
    func cancel() {
        self.cancelled.store(true, ordering: .relaxed)
        for run in self.subqueries.withLock({ $0 }) { run.cancel() }
    }

    /// Lets the sub-queries take no further blocks.
    func stop() {
        for run in self.subqueries.withLock({ $0 }) { run.stop() }
    }

    var isCancelled: Bool { self.cancelled.load(ordering: .relaxed) }

    /// Throws when somebody ended the query.
    func check() throws(QueryFailure) {
        if self.isCancelled { throw .cancelled }
    }
}
