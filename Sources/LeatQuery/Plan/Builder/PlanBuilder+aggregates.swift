internal import LeatCore

extension PlanBuilder {
    /// The aggregate of a step, `nil` when the step is none; `isOrdered` when the rows come from another aggregate.
    mutating func aggregate(_ step: Step, isOrdered: Bool) -> (any AggregatePlan)? {
        guard case .call(let call) = step, let bound = call.bound else { return nil }
        switch bound.signature.kind {
        case .aggregate, .sequence:
            let outer = self.isOrdered
            defer { self.isOrdered = outer }
            self.isOrdered = isOrdered
            return self.aggregate(bound, isOrdered: isOrdered)
        case .filter, .transformation, .source, .preamble: return nil
        }
    }

    /// The plan of an aggregate function.
    mutating func aggregate(_ call: BoundCall, isOrdered: Bool) -> (any AggregatePlan)? {
        switch call.signature.name {
        case "count": return self.count(call)
        case "sum", "avg", "min", "max", "range", "stdDev":
            guard let kind = NumericPlan.Kind(rawValue: call.signature.name) else { return nil }
            return NumericPlan(kind: kind, field: call.text("field") ?? "", name: call.text("as") ?? "_\(kind)")
        case "stats": return self.function(call, "function")
        case "groupBy": return self.groupBy(call)
        case "top": return self.top(call)
        case "timeChart", "bucket": return self.timeChart(call)
        case "head", "tail": return self.headOrTail(call, isOrdered: isOrdered)
        case "sort": return self.sort(call)
        case "table": return self.table(call)
        case "array:reduceAll": return self.reduceElements(call)
        default: return self.otherAggregate(call, isOrdered: isOrdered)
        }
    }

    /// The aggregate that a parameter holds: a call, an array of them, or a pipeline that ends in one; `nil` for `[]`.
    mutating func function(_ call: BoundCall, _ parameter: String) -> (any AggregatePlan)? {
        guard let given = call.expression(parameter) else { return CountPlan(name: "_count") }
        var parts: [any AggregatePlan] = []
        for element in given.elements {
            if let part = self.function(element) { parts.append(part) }
        }
        if parts.isEmpty { return nil }
        return parts.count == 1 ? parts[0] : CombinedPlan(parts: parts)
    }

    private mutating func function(_ element: Expression) -> (any AggregatePlan)? {
        switch element {
        case .call(let call):
            guard let bound = call.bound else { return nil }
            if bound.signature.kind == .aggregate || bound.signature.kind == .sequence {
                return self.aggregate(bound, isOrdered: self.isOrdered)
            }
        case .subquery(let subquery): return self.subpipeline(subquery.pipeline)
        case .array(let elements, _), .list(let elements, _):
            let parts = elements.compactMap { self.function($0) }
            return parts.isEmpty ? nil : CombinedPlan(parts: parts)
        default: break
        }
        self.report("an aggregate such as count() must stand here", at: element.range)
        return nil
    }

    /// `{ filter | aggregate() | transform }`.
    private mutating func subpipeline(_ pipeline: Pipeline) -> (any AggregatePlan)? {
        let program = self.program(of: pipeline)
        guard program.isAggregate else {
            self.report("the pipeline must end in an aggregate such as count()", at: pipeline.range)
            return nil
        }
        return SubpipelinePlan(program: program)
    }

    private mutating func count(_ call: BoundCall) -> any AggregatePlan {
        let field = call.text("field")
        let name = call.text("as") ?? "_count"
        if call.isTrue("distinct"), let field { return DistinctPlan(field: field, name: name) }
        return CountPlan(field: field, name: name)
    }

    private mutating func groupBy(_ call: BoundCall) -> any AggregatePlan {
        let limits = self.options.limits
        return GroupByPlan(
            fields: call.texts("field"),
            function: self.function(call, "function"),
            limit: self.limit(call, default: limits.groupsDefault, max: limits.groupsMax)
        )
    }

    /// The value of `limit`: a number up to `max`, or the word `max`.
    mutating func limit(_ call: BoundCall, default standard: Int, max most: Int) -> Int {
        guard let text = call.text("limit") else { return standard }
        if text.lowercased() == "max" { return most }
        guard let limit = NumberText.parse(text).flatMap({ Int(exactly: $0) }), limit >= 0 else {
            let range = call.expression("limit")?.range ?? call.call.range
            self.report("'\(text)' is no limit", at: range, hint: "write a number or max")
            return standard
        }
        return min(limit, most)
    }

    private mutating func top(_ call: BoundCall) -> any AggregatePlan {
        var measure: any AggregatePlan
        var name: String
        if let field = call.text("sum") {
            name = call.text("as") ?? "_sum"
            measure = NumericPlan(kind: .sum, field: field, name: name)
        } else if let field = call.text("max") {
            name = call.text("as") ?? "_max"
            measure = NumericPlan(kind: .max, field: field, name: name)
        } else {
            name = call.text("as") ?? "_count"
            measure = CountPlan(name: name)
        }
        return TopPlan(
            fields: call.texts("field"),
            measure: measure,
            name: name,
            limit: self.limit(call, default: 10, max: self.options.limits.groupsMax),
            hasPercent: call.isTrue("percent"),
            rest: call.text("rest")
        )
    }

    private mutating func timeChart(_ call: BoundCall) -> any AggregatePlan {
        let limits = self.options.limits
        let isChart = call.signature.name == "timeChart"
        let function = self.function(call, "function") ?? CountPlan(name: "_count")
        let end = self.end ?? (self.start == nil && !self.options.isLive ? nil : self.options.now)
        return TimeChartPlan(
            fields: isChart ? call.texts("series") : call.texts("field"),
            function: function,
            span: self.span(call, "span"),
            bucketCount: call.integer("buckets"),
            minSpan: self.span(call, "minSpan"),
            limit: self.limit(call, default: limits.seriesDefault, max: limits.seriesMax),
            isLimitGiven: call.isGiven("limit"),
            fillsBuckets: isChart,
            start: self.start?.nanoseconds,
            end: end?.nanoseconds,
            isEndOpen: self.end == nil,
            zone: self.zone(call),
            place: QueryPlace(
                source: self.text,
                range: call.expression("span")?.range ?? call.expression("minSpan")?.range ?? call.call.nameRange
            ),
            units: self.units(call, partCount: (function as? CombinedPlan)?.parts.count ?? 1)
        )
    }

    /// The zone of the parameter `timezone`, else that of the query.
    mutating func zone(_ call: BoundCall) -> TimeZoneRules {
        let name = call.text("timezone") ?? self.options.timeZone
        if let zone = TimeZoneRules.named(name) { return zone }
        let range = call.expression("timezone")?.range ?? call.call.range
        self.report("unknown time zone '\(name)'", at: range, hint: "for example Europe/Copenhagen or +02:00")
        return .utc
    }

    /// The conversions of the parameter `unit`: one for all parts of the function, or one for each.
    private mutating func units(_ call: BoundCall, partCount: Int) -> [BucketUnit?] {
        guard call.isGiven("unit") else { return [] }
        let range = call.expression("unit")?.range ?? call.call.range
        var units: [BucketUnit?] = []
        for text in call.texts("unit") {
            do throws(CallProblem) {
                units.append(try BucketUnit(text, at: range))
            } catch {
                self.report(error.message, at: error.range, hint: error.hint)
            }
        }
        if units.count > 1 && units.count != partCount {
            self.report("'unit' has \(units.count) conversions for \(partCount) functions", at: range)
        }
        return units
    }

    /// A length of time in nanoseconds; `nil` when it is not given, or `auto`.
    mutating func span(_ call: BoundCall, _ parameter: String) -> Int64? {
        guard let text = call.text(parameter), text != "auto" else { return nil }
        guard let span = RelativeTime.span(text), span > 0 else {
            let range = call.expression(parameter)?.range ?? call.call.range
            self.report("'\(text)' is no length of time", at: range, hint: "write 5m, 1h or 1d")
            return nil
        }
        return span
    }

    /// Of events `head` keeps the oldest and `tail` the newest; of rows the first and the last, in their order.
    private mutating func headOrTail(_ call: BoundCall, isOrdered: Bool) -> any AggregatePlan {
        let isHead = call.signature.name == "head"
        let limits = self.options.limits
        return KeepRowsPlan(
            preference: isHead == isOrdered ? .newest : .oldest,
            limit: self.limit(call, default: limits.rowsDefault, max: limits.rowsMax),
            newestFirst: isOrdered || !isHead
        )
    }

    private mutating func sort(_ call: BoundCall) -> any AggregatePlan {
        let limits = self.options.limits
        return KeepRowsPlan(
            orders: self.orders(call, fields: call.texts("field")),
            limit: self.limit(call, default: limits.rowsDefault, max: limits.rowsMax)
        )
    }

    private mutating func table(_ call: BoundCall) -> any AggregatePlan {
        let limits = self.options.limits
        let sortFields = call.isGiven("sortby") ? call.texts("sortby") : []
        var plan = KeepRowsPlan(
            columns: call.texts("fields").withoutRepetitions,
            orders: self.orders(call, fields: sortFields),
            limit: self.limit(call, default: limits.rowsDefault, max: limits.rowsMax)
        )
        let isReversed = call.text("reverse")?.lowercased() == "true"
        if !call.isGiven("sortby"), (call.text("order")?.lowercased() == "asc") != isReversed {
            plan.preference = .oldest
            plan.newestFirst = false
        }
        return plan
    }

    /// The orders of `sort` and `table`; the last given `order` and `type` hold for the fields that follow.
    private func orders(_ call: BoundCall, fields: [String]) -> [SortOrder] {
        let orders = call.texts("order")
        let types = call.texts("type")
        let isReversed = call.text("reverse")?.lowercased() == "true"
        return fields.enumerated().map { index, field in
            let order = orders.isEmpty ? "desc" : orders[min(index, orders.count - 1)].lowercased()
            let type = types.isEmpty ? "any" : types[min(index, types.count - 1)].lowercased()
            return SortOrder(
                field: field,
                kind: SortOrder.Kind(rawValue: type) ?? .any,
                isDescending: (order != "asc") != isReversed
            )
        }
    }
}
