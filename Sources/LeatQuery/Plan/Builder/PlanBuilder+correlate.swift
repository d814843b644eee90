internal import LeatCore

extension PlanBuilder {
    /// `correlate(name: { filter | field <=> other.field } include: [...], ..., within=1h)`.
    mutating func correlate(_ call: BoundCall) -> (any AggregatePlan)? {
        let queries = call.others.compactMap { argument -> Subquery? in
            guard case .subquery(let subquery) = argument.value else { return nil }
            return subquery
        }
        let labels = queries.enumerated().map { $0.element.label?.name ?? "query\($0.offset + 1)" }
        guard queries.count >= 2, queries.count == call.others.count, Set(labels).count == labels.count else {
            self.report(
                "correlate() takes at least two queries with different names",
                at: call.call.range,
                hint: "write correlate(first: { … }, second: { field <=> first.field }, within=1h)"
            )
            return nil
        }
        let plan = self.constellations(call, queries, labels)
        guard call.isGiven("aggregation"), let aggregate = self.function(call, "aggregation") else { return plan }
        // What the events come to, as if it followed: correlate(…) | aggregation.
        var program = Program()
        program.aggregate = plan
        program.rest = [.aggregate(aggregate)]
        return SubpipelinePlan(program: program)
    }

    private mutating func constellations(_ call: BoundCall, _ queries: [Subquery], _ labels: [String]) -> CorrelatePlan
    {
        var builder = CorrelationBuilder(labels: labels)
        let globals = call.texts("globalConstraints")
        var stages: [[any Stage]] = []
        for (number, query) in queries.enumerated() {
            for attribute in query.attributes where attribute.name.name == "include" {
                builder.show(attribute.value.plainTexts, of: number)
            }
            stages.append(self.stages(of: builder.withoutLinks(query.pipeline, of: number)))
        }
        for field in globals {
            for number in 1..<queries.count { builder.link(number, field, 0, field) }
        }
        let showsConstraints = call.text("includeConstraintValues")?.lowercased() != "false"
        let (fields, links) = builder.finish(showsLinks: showsConstraints, orderedBy: call.texts("sequenceBy"))
        let root = call.text("root").flatMap { labels.firstIndex(of: $0) } ?? 0
        return CorrelatePlan(
            parts: labels.indices.map { number in
                .init(
                    label: labels[number],
                    stages: stages[number],
                    fields: fields[number].names,
                    shownCount: fields[number].shownCount,
                    orderFields: fields[number].order
                )
            },
            links: links,
            root: root,
            within: self.span(call, "within"),
            isSequence: call.isTrue("sequence"),
            jitter: self.span(call, "jitterTolerance") ?? 0,
            matchesPerRoot: max(call.integer("maxPerRoot") ?? 1, 1),
            usesOnce: call.isTrue("includeMatchesOnceOnly")
        )
    }
}

/// Gathers the links and the shown fields of the queries of one `correlate()`.
private struct CorrelationBuilder {
    private struct NamedLink {
        let part: Int
        let field: String
        let otherPart: Int
        let otherField: String
    }

    let labels: [String]
    private var shown: [[String]]
    private var links: [NamedLink] = []

    init(labels: [String]) {
        self.labels = labels
        self.shown = labels.map { _ in ["@timestamp"] }
    }

    mutating func show(_ fields: [String], of part: Int) {
        for field in fields where field != "*" && !self.shown[part].contains(field) { self.shown[part].append(field) }
    }

    mutating func link(_ part: Int, _ field: String, _ otherPart: Int, _ otherField: String) {
        self.links.append(NamedLink(part: part, field: field, otherPart: otherPart, otherField: otherField))
    }

    /// The pipeline without its `<=>`, which become links.
    mutating func withoutLinks(_ pipeline: Pipeline, of part: Int) -> Pipeline {
        var result = pipeline
        result.steps = []
        for step in pipeline.steps {
            guard case .filter(let filter) = step else {
                result.steps.append(step)
                continue
            }
            var rest: [Filter] = []
            for conjunct in PlanBuilder.conjuncts(filter) {
                if case .link(let left, let right) = conjunct {
                    let (first, second) = (self.resolved(left.name, in: part), self.resolved(right.name, in: part))
                    self.link(first.part, first.field, second.part, second.field)
                } else {
                    rest.append(conjunct)
                }
            }
            if let only = rest.first, rest.count == 1 {
                if case .call(let call) = only {
                    result.steps.append(.call(call))
                } else {
                    result.steps.append(.filter(only))
                }
            }
            if rest.count > 1 { result.steps.append(.filter(.and(rest))) }
        }
        return result
    }

    /// `other.field` is a field of the query `other`; any other name one of this query.
    private func resolved(_ name: String, in part: Int) -> (part: Int, field: String) {
        for (number, label) in self.labels.enumerated() where name.hasPrefix(label + ".") {
            return (number, String(name.dropFirst(label.count + 1)))
        }
        return (part, name)
    }

    /// Per query its fields, the shown ones first, with those that say its order, and the links by their numbers.
    mutating func finish(
        showsLinks: Bool,
        orderedBy order: [String]
    ) -> (fields: [(names: [String], shownCount: Int, order: [Int])], links: [CorrelatePlan.Link]) {
        if showsLinks {
            for link in self.links {
                self.show([link.field], of: link.part)
                self.show([link.otherField], of: link.otherPart)
            }
        }
        var fields = self.shown.map { (names: $0, shownCount: $0.count, order: [Int]()) }
        func number(_ field: String, _ part: Int) -> Int {
            if let known = fields[part].names.firstIndex(of: field) { return known }
            fields[part].names.append(field)
            return fields[part].names.count - 1
        }
        let links = self.links.filter { $0.part != $0.otherPart }.map { link in
            CorrelatePlan.Link(
                part: link.part,
                field: number(link.field, link.part),
                otherPart: link.otherPart,
                otherField: number(link.otherField, link.otherPart)
            )
        }
        for part in fields.indices { fields[part].order = order.map { number($0, part) } }
        return (fields, links)
    }
}
