internal import LeatCore

extension PlanBuilder {
    /// Stages of functions that look at more than the values of one event.
    mutating func specialStage(_ call: BoundCall) -> (any Stage)? {
        switch call.signature.name {
        case "match", "matchAsArray":
            // Tables that the query defines; files are looked up in `elementStage`.
            return self.tables[call.text("file") ?? ""] == nil ? nil : self.matchStage(call)
        case "join": return self.joinStage(call)
        case "cidr": return self.subnets(call).map { FilterStage(filter: $0) }
        case "selfJoinFilter": return self.selfJoinFilterStage(call)
        case "split":
            return SplitStage(array: Self.arrayName(call.text("field") ?? "_events"), strips: call.isTrue("strip"))
        case "copyEvent": return CopyEventStage(type: call.text("type") ?? "")
        case "array:reduceRow":
            guard let function = self.function(call, "function") else { return nil }
            return ReduceRowStage(
                elements: self.elements(call),
                function: function,
                target: call.text("as") ?? "_reduceRow"
            )
        case "beta:param":
            let value = self.options.arguments[call.text("parameter") ?? ""]
            return AssignStage(
                target: call.text("as") ?? "",
                value: value.map { .literal(Array($0.utf8)) } ?? .null
            )
        default: return nil
        }
    }

    /// The name of an array without `[]`.
    static func arrayName(_ text: String) -> String { text.hasSuffix("[]") ? String(text.dropLast(2)) : text }

    func elements(_ call: BoundCall) -> ArrayElements {
        let array = Self.arrayName(call.text("array") ?? "")
        return ArrayElements(array: array, variable: call.text("var") ?? array)
    }

    // MARK: Tables

    /// The table that a name stands for: one defined in the query, else a lookup file.
    mutating func table(_ name: String, at range: SourceRange) -> TableSource {
        if let known = self.tables[name] { return known }
        let empty = JoinTable(columns: [], rows: [])
        guard let bytes = self.options.lookupFiles?.lookupFile(name) else {
            if !self.options.isCheckOnly {
                self.report(
                    "there is no lookup file or table '\(name)'",
                    at: range,
                    hint: "upload it, or use defineTable"
                )
            }
            return TableSource(.table(empty))
        }
        guard let table = JoinTable(file: bytes) else {
            self.report("the lookup file '\(name)' is neither CSV nor JSON", at: range)
            return TableSource(.table(empty))
        }
        let source = TableSource(.table(table))
        self.tables[name] = source
        return source
    }

    /// Remembers the table that `defineTable` or `remoteTable` names, of events of a repository (`nil`: of the same).
    mutating func defineTable(_ call: BoundCall, repository: String?) {
        guard let name = call.text("name"), let plan = self.subplan(call, include: call.texts("include")) else {
            return
        }
        self.tables[name] = TableSource(.query(plan, repository: repository))
    }

    /// The plan of the sub-query in the parameter `query`, with an interval of its own if one is given.
    private mutating func subplan(_ call: BoundCall, include: [String]) -> QueryPlan? {
        guard case .subquery(let subquery)? = call.expression("query") else {
            self.report("'query' must be a pipeline { … }", at: call.call.range)
            return nil
        }
        let origin = self.end ?? self.options.now
        let zone = TimeZoneRules.named(self.options.timeZone) ?? .utc
        let start = self.moment(call, "start", origin, zone) ?? self.start
        let end = self.moment(call, "end", origin, zone) ?? self.end
        let isOrdered = self.isOrdered
        self.isOrdered = false
        var program = self.program(of: subquery.pipeline)
        self.isOrdered = isOrdered
        // Without an aggregate of its own the sub-query keeps its newest events, with only the fields that are asked for.
        if !program.isAggregate {
            program.aggregate = KeepRowsPlan(
                columns: include.isEmpty ? nil : include,
                limit: min(call.integer("limit") ?? 100_000, self.options.limits.joinRows)
            )
        }
        let tree = QueryTree(text: self.text.string, pipeline: subquery.pipeline)
        return QueryPlan(
            program,
            of: tree,
            options: self.options,
            start: start,
            end: end,
            cancellation: self.cancellation
        )
    }

    /// The moment that a parameter of a sub-query names, seen from the end of the query.
    private mutating func moment(
        _ call: BoundCall,
        _ parameter: String,
        _ origin: Timestamp,
        _ zone: TimeZoneRules
    ) -> Timestamp? {
        guard let text = call.text(parameter) else { return nil }
        if let moment = RelativeTime.moment(text, now: origin, zone: zone) { return moment }
        let range = call.expression(parameter)?.range ?? call.call.range
        self.report("'\(text)' is no moment", at: range, hint: "write 7d, now or a number")
        return nil
    }

    mutating func matchStage(_ call: BoundCall) -> JoinStage {
        let fields = call.texts("field")
        let keys = call.texts("column")
        let isArray = call.signature.name == "matchAsArray"
        let mode = call.isTrue("glob") ? .glob : JoinStage.Mode(rawValue: call.text("mode") ?? "") ?? .string
        let include = call.isGiven("include") && call.texts("include") != ["all"] ? call.texts("include") : nil
        return JoinStage(
            source: self.table(call.text("file") ?? "", at: call.call.range),
            fields: fields,
            keys: keys.isEmpty ? fields : keys,
            include: include,
            mode: mode,
            foldsCase: call.isTrue("ignoreCase"),
            isStrict: call.text("strict")?.lowercased() != "false",
            rowLimit: min(call.integer("nrows") ?? 1, self.options.limits.lookupRows),
            array: isArray ? call.text("asArray").map { Self.arrayName($0) } ?? "_match" : nil
        )
    }

    /// `cidr(file=)` where the file is a table that the query defines; `nil` when it is none.
    func subnets(_ call: BoundCall) -> FilterNode? {
        guard let name = call.text("file"), let source = self.tables[name], let column = call.text("column") else {
            return nil
        }
        let stage = JoinStage(
            source: source,
            fields: [call.text("field") ?? ""],
            keys: [column],
            include: [],
            mode: .cidr
        )
        return call.isTrue("negate") ? .not(.lookup(stage)) : .lookup(stage)
    }

    mutating func joinStage(_ call: BoundCall) -> JoinStage? {
        let fields = call.texts("field")
        let given = call.texts("key")
        let keys = given.isEmpty ? fields : given
        let include = call.texts("include")
        guard let plan = self.subplan(call, include: keys.adding(include)) else { return nil }
        return JoinStage(
            source: TableSource(.query(plan, repository: call.text("repo") ?? call.text("view"))),
            fields: fields,
            keys: keys,
            include: include,
            isStrict: call.text("mode")?.lowercased() != "left",
            rowLimit: call.integer("max") ?? 1,
            prefersLast: false,
            fillsMissing: true
        )
    }

    /// Two passes: the first finds the keys for which every clause has an event, the second keeps events with them.
    private mutating func selfJoinFilterStage(_ call: BoundCall) -> (any Stage)? {
        let fields = call.texts("field")
        guard let join = self.selfJoinProgram(call, fields: fields, collect: []) else { return nil }
        var program = Program()
        program.stages = self.earlierStages
        program.aggregate = join.aggregate
        program.rest = join.rest
        let tree = QueryTree(text: self.text.string, pipeline: Pipeline(steps: []))
        let plan = QueryPlan(
            program,
            of: tree,
            options: self.options,
            start: self.start,
            end: self.end,
            cancellation: self.cancellation
        )
        return JoinStage(
            source: TableSource(.query(plan, repository: nil)),
            fields: fields,
            keys: fields,
            include: []
        )
    }

    /// Groups by the key with a count per clause, and keeps the groups in which none is 0.
    mutating func selfJoinProgram(_ call: BoundCall, fields: [String], collect: [String]) -> Program? {
        var parts: [any AggregatePlan] = []
        var names: [String] = []
        for element in call.elements("where") {
            guard case .subquery(let clause) = element else {
                self.report("'where' takes pipelines [{ … }, { … }]", at: element.range)
                return nil
            }
            let name = "_where\(names.count)"
            var program = Program()
            program.stages = self.stages(of: clause.pipeline)
            program.aggregate = CountPlan(name: name)
            parts.append(SubpipelinePlan(program: program))
            names.append(name)
        }
        if !collect.isEmpty { parts.append(CollectPlan(fields: collect, limit: self.options.limits.collectedValues)) }
        let selected = call.signature.parameter("select") == nil ? [] : call.texts("select")
        if !selected.isEmpty { parts.append(SelectPlan(choice: .newest, fields: selected)) }
        var program = Program()
        program.aggregate = GroupByPlan(
            fields: fields,
            function: CombinedPlan(parts: parts),
            limit: self.options.limits.groupsMax
        )
        let tests = names.map { FilterNode.field($0, .number(.greater, 0)) }
        program.rest = [.stage(FilterStage(filter: .and(tests))), .stage(DropStage(names: names))]
        return program
    }

    // MARK: Sources

    /// What takes the place of the events, if the step is such a function.
    mutating func source(_ step: Step) -> Program.EventSource? {
        guard case .call(let call) = step, let bound = call.bound, bound.signature.kind == .source else { return nil }
        switch bound.signature.name {
        case "createEvents":
            var builder = BatchBuilder()
            let column = builder.columnIndex(of: "@rawstring")
            var batches: [Batch] = []
            for text in bound.texts("rawstring") {
                builder.append(Array(text.utf8), to: column)
                builder.endRow(timestamp: self.options.now.nanoseconds)
                if builder.isFull { batches.append(builder.finish()) }
            }
            if builder.rowCount > 0 { batches.append(builder.finish()) }
            return .batches(batches)
        case "readFile":
            return .tables(
                bound.texts("file").map { self.table($0, at: call.range) },
                include: bound.isGiven("include") ? bound.texts("include") : nil,
                limit: bound.integer("limit")
            )
        default:
            self.report("\(bound.signature.name)() is not supported", at: call.range)
            return .batches([])
        }
    }
}
