public import LeatCore

/// A parser that is a script of the query language: turns each incoming event into the events that are stored.
///
/// A value without state; any number of threads may use it.
public struct ParserScript: Sendable {
    private let stages: [any Stage]
    private let tagFields: [String]
    private let removedFields: [GlobPattern]
    private let options: QueryOptions

    /// Compiles a script.
    ///
    /// - Parameters:
    ///   - script: The text; it may use what works event by event.
    ///   - tagFields: Fields that become tags after the script: `f` is renamed to `#f`.
    ///   - removedFields: Fields that go before the script runs; `*` is a glob star.
    ///   - options: Where lookup files and saved queries are found, and the present.
    /// - Throws: Everything that is wrong with the script.
    public init(
        _ script: String,
        tagFields: [String] = [],
        removedFields: [String] = [],
        options: QueryOptions
    ) throws(QueryErrors) {
        let tree = try QueryParser.parse(script, for: .parser)
        let checked = try QueryCheck.check(tree, options: options, context: .parser)
        var builder = PlanBuilder(checked.tree, options: options, isParser: true)
        let stages = builder.stages(of: checked.tree.pipeline)
        guard builder.diagnostics.isEmpty else { throw QueryErrors(builder.diagnostics) }
        self.stages = stages
        self.tagFields = tagFields
        self.removedFields = removedFields.map { GlobPattern($0) }
        self.options = options
    }

    /// The events that the script makes of those of a batch, in their order; `@timestamp` fields are their times.
    ///
    /// An event at which the script fails is kept as it came, with `@error`, `@error_msg` and `@event_parsed`.
    public func events(of batch: Batch) -> [Batch] {
        do throws(QueryFailure) {
            return try self.parsed(batch)
        } catch {
            return batch.rowCount == 1 ? [Self.failed(batch, error)] : self.eventByEvent(batch)
        }
    }

    /// After a failure somewhere in a batch only the events that cause it are marked.
    private func eventByEvent(_ batch: Batch) -> [Batch] {
        let rows = EventRows(batch, sequence: 1)
        return rows.selection.rows.flatMap { row in
            let one = rows.picked([row]).batch
            do throws(QueryFailure) {
                return try self.parsed(one)
            } catch {
                return [Self.failed(one, error)]
            }
        }
    }

    private static func failed(_ batch: Batch, _ error: QueryFailure) -> Batch {
        var result = batch
        let fields = [("@error", "true"), ("@error_msg", error.description), ("@event_parsed", "false")]
        for (name, value) in fields { result.set(name, to: .constant(value, rowCount: batch.rowCount)) }
        return result
    }

    private func parsed(_ batch: Batch) throws(QueryFailure) -> [Batch] {
        // The text of a document is made from all of its fields, also from those that go now.
        var first = batch.showingDocumentText()
        for name in first.fieldNames where self.isRemoved(name) { first.drop(name) }
        let context = StageContext(options: self.options)
        var current = [EventRows(first, sequence: 1)]
        for stage in self.stages {
            var next: [EventRows] = []
            for part in current where !part.isEmpty {
                // Free text looks at the event as it is here, not as it came.
                next += try stage.run(EventRows(part.batch, sequence: 1), context)
            }
            current = next
        }
        var result: [Batch] = []
        for rows in current where !rows.isEmpty { result.append(try self.stored(rows)) }
        return result
    }

    private func isRemoved(_ name: String) -> Bool {
        let bytes = Array(name.utf8)
        return bytes.withUnsafeBytes { name in self.removedFields.contains { $0.matches(name) } }
    }

    /// The rows as a batch of their own, with tags, and with their times as timestamps.
    private func stored(_ rows: EventRows) throws(QueryFailure) -> Batch {
        let picked = rows.selection.rows
        var columns: [(name: String, column: Column)] = []
        for name in rows.fieldNames where !name.hasPrefix("@timestamp") {
            guard let column = try rows.column(name) else { continue }
            let isTag = self.tagFields.contains(name)
            if isTag { columns.removeAll { $0.name == "#" + name } }
            let target = isTag ? "#" + name : name
            if !columns.contains(where: { $0.name == target }) { columns.append((target, column.gathered(picked))) }
        }
        return Batch(timestamps: try Self.timestamps(rows, picked), source: MemoryColumns(columns))
    }

    /// The time of each row: its fields `@timestamp` and `@timestamp.nanos` if a stage wrote them.
    private static func timestamps(_ rows: EventRows, _ picked: [Int32]) throws(QueryFailure) -> [Int64] {
        let milliseconds = try rows.column("@timestamp")
        let nanoseconds = rows.batch.isChanged("@timestamp.nanos") ? try rows.column("@timestamp.nanos") : nil
        let isChanged = rows.batch.isChanged("@timestamp") || nanoseconds != nil
        return try picked.map { (row) throws(QueryFailure) in
            let own = rows.batch.timestamps[Int(row)]
            guard isChanged, let text = milliseconds?.bytes(at: Int(row)),
                let value = text.withUnsafeBytes({ NumberText.parse($0) }),
                let whole = Int64(exactly: value.rounded(.down))
            else { return own }
            let rest = nanoseconds?.text(at: Int(row)).flatMap { Int64($0) } ?? 0
            guard let time = Timestamp(milliseconds: whole, nanoseconds: min(max(rest, 0), 999_999)) else {
                throw QueryFailure.unanswerable("the time \(whole) lies outside of the years 1678 to 2261")
            }
            return time.nanoseconds
        }
    }
}
