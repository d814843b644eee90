internal import LeatCore

extension PlanBuilder {
    /// The plans of the rarer aggregate functions.
    mutating func otherAggregate(_ call: BoundCall, isOrdered: Bool) -> (any AggregatePlan)? {
        switch call.signature.name {
        case "percentile": return self.percentile(call)
        case "collect": return self.collect(call)
        case "selectLast": return SelectPlan(choice: .newest, fields: call.texts("fields"))
        case "selectFromMax":
            return SelectPlan(choice: .largest(call.text("field") ?? ""), fields: call.texts("include"))
        case "selectFromMin":
            return SelectPlan(choice: .smallest(call.text("field") ?? ""), fields: call.texts("include"))
        case "fieldset": return FieldStatsPlan(hasCounts: false, limit: .max)
        case "fieldstats": return FieldStatsPlan(hasCounts: true, limit: call.integer("limit") ?? 200)
        case "linReg":
            return LinearRegressionPlan(
                x: call.text("x") ?? "",
                y: call.text("y") ?? "",
                prefix: call.text("prefix") ?? "_"
            )
        case "percentage":
            return PercentagePlan(
                condition: .filter(self.conditionNode(call.expression("condition"))),
                name: call.text("as") ?? "_percentage"
            )
        case "sankey": return self.sankey(call)
        case "correlate": return self.correlate(call)
        case "worldMap": return self.worldMap(call)
        case "callFunction": return self.calledFunction(call)
        case "array:reduceColumn":
            guard let function = self.function(call, "function") else { return nil }
            return ReduceColumnPlan(
                elements: self.elements(call),
                function: function,
                target: call.text("as").map { Self.arrayName($0) } ?? "_reduceColumn"
            )
        case "selfJoin":
            guard var program = self.selfJoinProgram(call, fields: call.texts("field"), collect: call.texts("collect"))
            else { return nil }
            let limits = self.options.limits
            let limit = self.limit(call, default: limits.groupsDefault, max: limits.groupsMax)
            program.rest.append(.aggregate(KeepRowsPlan(limit: limit)))
            return SubpipelinePlan(program: program)
        case "window": return self.window(call)
        default: break
        }
        guard let function = self.sequenceFunction(call) else {
            if self.diagnostics.isEmpty {
                self.report("\(call.signature.name)() is not supported", at: call.call.range)
            }
            return nil
        }
        return SequencePlan(function: function, isOrdered: isOrdered)
    }

    private mutating func percentile(_ call: BoundCall) -> any AggregatePlan {
        let given = call.isGiven("percentiles") ? call.texts("percentiles") : ["50", "75", "99"]
        let prefix = call.text("as") ?? ""
        var percentiles: [(percent: Double, name: String)] = []
        for text in given {
            guard let percent = NumberText.parse(text), percent >= 0, percent <= 100 else {
                self.report("'\(text)' is no percentile", at: call.call.range, hint: "write numbers from 0 to 100")
                continue
            }
            percentiles.append((percent, "\(prefix)_\(NumberText.text(percent))"))
        }
        let accuracy = call.number("accuracy") ?? 0.01
        return PercentilePlan(
            field: call.text("field") ?? "",
            percentiles: percentiles,
            accuracy: min(max(accuracy, 0.0001), 0.5)
        )
    }

    private mutating func collect(_ call: BoundCall) -> any AggregatePlan {
        CollectPlan(
            fields: call.texts("fields"),
            limit: self.limit(call, default: self.options.limits.collectedValues, max: self.options.limits.groupsMax),
            isJoined: call.text("multival")?.lowercased() != "false",
            separator: Self.unescaped(call.text("separator") ?? "\n")
        )
    }

    /// The default of a separator is written `"\n"` in the catalogue.
    private static func unescaped(_ text: String) -> String { text == "\\n" ? "\n" : text }

    private mutating func sankey(_ call: BoundCall) -> any AggregatePlan {
        GroupByPlan(
            fields: [call.text("source") ?? "", call.text("target") ?? ""],
            function: self.function(call, "weight"),
            limit: self.options.limits.groupsMax
        )
    }

    /// Events by cell of the geohash grid; each cell with the mean place of its events.
    private mutating func worldMap(_ call: BoundCall) -> (any AggregatePlan)? {
        var stages: [any Stage] = []
        var (lat, lon) = (call.text("lat") ?? "", call.text("lon") ?? "")
        if let ip = call.text("ip") {
            stages += self.stages(calling: "ipLocation", ["field": ip])
            (lat, lon) = ("\(ip).lat", "\(ip).lon")
        }
        let precision = String(call.integer("precision") ?? 4)
        stages += self.stages(calling: "geohash", ["lat": lat, "lon": lon, "precision": precision, "as": "_geohash"])
        var parts: [any AggregatePlan] = [
            NumericPlan(kind: .avg, field: lat, name: "lat"), NumericPlan(kind: .avg, field: lon, name: "lon"),
        ]
        if let magnitude = self.function(call, "magnitude") { parts.append(magnitude) }
        var program = Program()
        program.stages = stages
        program.aggregate = GroupByPlan(
            fields: ["_geohash"],
            function: CombinedPlan(parts: parts),
            limit: self.options.limits.groupsMax
        )
        return SubpipelinePlan(program: program)
    }

    /// The stages of a call of a function by name, with text arguments.
    private mutating func stages(calling name: String, _ arguments: [String: String]) -> [any Stage] {
        let call = FunctionCall(
            name: name,
            arguments: arguments.sorted { $0.key < $1.key }.map {
                Argument(name: FieldName($0.key), value: .string($0.value, .none))
            }
        )
        return call.bound.map { self.callStages($0) } ?? []
    }

    private mutating func calledFunction(_ call: BoundCall) -> (any AggregatePlan)? {
        let name = call.text("function") ?? ""
        let field = Argument(name: FieldName("field"), value: .string(call.text("field") ?? "", .none))
        let target = Argument(name: FieldName("as"), value: .string(call.text("as") ?? "_function", .none))
        let inner = FunctionCall(name: name, arguments: [field, target], range: call.call.range)
        let (bound, problems) = CallBinder.bind(inner)
        guard let bound, problems.allSatisfy({ $0.severity == .warning }), bound.signature.kind == .aggregate else {
            self.report(
                "'\(name)' is no aggregate of one field",
                at: call.call.range,
                hint: "for example count, sum, avg, min, max or range"
            )
            return nil
        }
        return self.aggregate(bound, isOrdered: false)
    }

    private mutating func window(_ call: BoundCall) -> (any AggregatePlan)? {
        guard let function = self.function(call, "function") else { return nil }
        return WindowPlan(
            function: function,
            span: self.span(call, "span"),
            bucketCount: call.integer("buckets")
        )
    }

    /// The bytes of a parameter that is a size.
    private mutating func byteCount(_ call: BoundCall, _ parameter: String) -> Int? {
        guard let text = call.text(parameter) else { return nil }
        if let count = ByteCountText.parse(text), count > 0 { return count }
        let range = call.expression(parameter)?.range ?? call.call.range
        self.report("'\(text)' is no size in memory", at: range, hint: "for example 1024, 64KiB or \"1 MB\"")
        return nil
    }

    private mutating func sequenceFunction(_ call: BoundCall) -> (any SequenceFunction)? {
        switch call.signature.name {
        case "session":
            return SessionFunction(
                function: self.function(call, "function"),
                pause: self.span(call, "maxpause") ?? 900_000_000_000
            )
        case "series":
            return SeriesFunction(
                byteCountMax: self.byteCount(call, "memlimit"),
                fields: call.texts("collect"),
                separator: Self.unescaped(call.text("separator") ?? "\n"),
                start: call.isGiven("startmatch") ? self.conditionNode(call.expression("startmatch")) : nil,
                end: call.isGiven("endmatch") ? self.conditionNode(call.expression("endmatch")) : nil,
                pause: self.span(call, "maxpause"),
                duration: self.span(call, "maxduration")
            )
        case "accumulate", "slidingWindow", "slidingTimeWindow":
            guard let function = self.function(call, "function") else { return nil }
            let extent: RunningWindowFunction.Extent =
                switch call.signature.name {
                case "accumulate": .all
                case "slidingWindow": .rows(max(call.integer("events") ?? 1, 1))
                default:
                    .time(nanoseconds: self.span(call, "span") ?? 1, field: call.text("timestampfield") ?? "@timestamp")
                }
            let isIncluded = call.text("current")?.lowercased() != "exclude"
            return RunningWindowFunction(function: function, extent: extent, includesCurrent: isIncluded)
        case "partition":
            guard let function = self.function(call, "function") else { return nil }
            return PartitionFunction(
                function: function,
                condition: self.conditionNode(call.expression("condition")),
                splitsBefore: call.text("split")?.lowercased() != "after"
            )
        case "neighbor":
            let distance = max(call.integer("distance") ?? 1, 0)
            return NeighborFunction(
                fields: call.texts("include"),
                offset: call.text("direction")?.lowercased() == "succeeding" ? distance : -distance,
                prefix: call.text("prefix") ?? "_neighbor"
            )
        case "counterAsRate":
            return CounterRateFunction(field: call.text("field") ?? "", name: call.text("as") ?? "_rate")
        case "transpose":
            return TransposeFunction(
                header: call.text("header") ?? call.text("pivot"),
                column: call.isGiven("column") ? call.text("column") ?? "" : call.text("pivot") ?? "column",
                limit: call.integer("limit") ?? 5
            )
        case "appendAggregation": return self.function(call, "function").map { AppendFunction(function: $0) }
        case "array:union", "array:intersection":
            let isIntersection = call.signature.name == "array:intersection"
            return ArraySetFunction(
                array: Self.arrayName(call.text("array") ?? ""),
                name: call.text("as").map { Self.arrayName($0) } ?? (isIntersection ? "_intersection" : "_union"),
                isIntersection: isIntersection
            )
        default: return nil
        }
    }
}
