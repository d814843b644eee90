internal import LeatCore
internal import LeatParsing

/// What must hold of an event for a processor to see it (`condition:` of YAML): all rules, or one of them.
struct EventCondition {
    private enum Test {
        /// One of these texts, or none of them.
        case texts([[UInt8]], isIn: Bool)
        case pattern(PatternMatcher, matches: Bool)
        case number(Double, (Double, Double) -> Bool)
    }

    private struct Rule {
        let path: FieldPath
        let test: Test
    }

    private static let operators = [
        "eq", "neq", "gt", "lt", "gte", "lte", "regex", "not_regex", "in", "not_in",
    ]

    private let rules: [Rule]
    private let needsAll: Bool
    private var text: [UInt8] = []

    /// Reads `op` and `rules`, each with `field`, `op` and `value`.
    init(_ section: Section) throws(Diagnostics) {
        let written = section.entry("op")
        let op = written?.value.lowercased() ?? "and"
        guard ["and", "or"].contains(op) else {
            throw Diagnostics((written?.valueMark ?? section.mark).diagnostic("the op of a condition is and, or or"))
        }
        self.needsAll = op == "and"
        var rules: [Rule] = []
        for rule in section.conditions { rules.append(try Self.rule(rule)) }
        if rules.isEmpty { throw Diagnostics(section.mark.diagnostic("a condition needs rules")) }
        self.rules = rules
    }

    private static func rule(_ section: Section) throws(Diagnostics) -> Rule {
        guard let field = section.entry("field"), let op = section.entry("op"), let value = section.entry("value")
        else {
            throw Diagnostics(section.mark.diagnostic("a rule of a condition needs field, op and value"))
        }
        if let context = section.entry("context"), context.value.lowercased() != "body" {
            throw Diagnostics(
                context.valueMark.diagnostic("the context '\(context.value)' is not supported", hint: "body")
            )
        }
        let name = op.value.lowercased()
        return Rule(path: try FilterText.path(field.value, field), test: try Self.test(name, op, value, section))
    }

    private static func test(
        _ name: String,
        _ op: Section.Entry,
        _ value: Section.Entry,
        _ rule: Section
    ) throws(Diagnostics) -> Test {
        switch name {
        case "eq", "neq": return .texts([Array(value.value.utf8)], isIn: name == "eq")
        case "in", "not_in": return .texts(rule.all("value").map { Array($0.value.utf8) }, isIn: name == "in")
        case "regex", "not_regex":
            return .pattern(PatternMatcher(try FilterText.pattern(value.value, value)), matches: name == "regex")
        case "gt": return .number(try Self.number(value), >)
        case "lt": return .number(try Self.number(value), <)
        case "gte": return .number(try Self.number(value), >=)
        case "lte": return .number(try Self.number(value), <=)
        default:
            let nearest = NearestName.find(name, among: Self.operators)
            throw Diagnostics(
                op.valueMark.diagnostic(
                    "unknown op '\(op.value)'",
                    hint: nearest.map { "did you mean '\($0)'?" } ?? "known: " + Self.operators.joined(separator: ", ")
                )
            )
        }
    }

    private static func number(_ entry: Section.Entry) throws(Diagnostics) -> Double {
        guard let number = Double(entry.value) else {
            throw Diagnostics(entry.valueMark.diagnostic("'\(entry.value)' is no number"))
        }
        return number
    }

    /// Whether it holds of an event's members.
    ///
    /// A field that is not there has no text, and no number.
    mutating func holds(_ members: UnsafeRawBufferPointer) -> Bool {
        for rule in self.rules where self.holds(rule, members) != self.needsAll { return !self.needsAll }
        return self.needsAll
    }

    private mutating func holds(_ rule: Rule, _ members: UnsafeRawBufferPointer) -> Bool {
        self.text.removeAll(keepingCapacity: true)
        if let range = rule.path.find(in: members) {
            RecordTemplate.appendText(of: members.slice(range), to: &self.text)
        }
        switch rule.test {
        case .texts(let texts, let isIn): return texts.contains(self.text) == isIn
        case .pattern(let matcher, let matches): return self.text.withUnsafeBytes { matcher.matches($0) == matches }
        case .number(let bound, let compare):
            return Double(String(decoding: self.text, as: UTF8.self)).map { compare($0, bound) } ?? false
        }
    }
}

/// A processor that sees only the events for which its condition holds; the others pass it by, in their order.
final class ConditionalFilter: EventFilter {
    private let filter: any EventFilter
    private var condition: EventCondition
    private var output = EventList()

    init(_ filter: any EventFilter, _ condition: EventCondition) {
        self.filter = filter
        self.condition = condition
    }

    func apply(to events: inout EventList, tag: RouteTag, context: inout FilterContext) {
        // What is added to all events alike would be added to those that pass by as well.
        context.isLast = false
        self.output.removeAll()
        var run = EventList()
        for index in 0..<events.count {
            events.withMembers(of: index) { members in
                if self.condition.holds(members) {
                    run.append(time: events.times[index], members: members)
                } else {
                    self.flush(&run, tag, &context)
                    self.output.append(time: events.times[index], members: members)
                }
            }
        }
        self.flush(&run, tag, &context)
        swap(&events, &self.output)
    }

    /// Takes events that follow each other through the filter.
    private func flush(_ run: inout EventList, _ tag: RouteTag, _ context: inout FilterContext) {
        guard !run.isEmpty else { return }
        self.filter.apply(to: &run, tag: tag, context: &context)
        self.output.append(contentsOf: run)
        run.removeAll()
    }

    var keepsEvents: Bool { self.filter.keepsEvents }

    func release(all: Bool, context: inout FilterContext) { self.filter.release(all: all, context: &context) }

    func takeHeldChanges(filter name: String) -> [HeldChange] { self.filter.takeHeldChanges(filter: name) }

    func restore(_ events: [HeldEvent], of key: HeldKey, tag: RouteTag, context: inout FilterContext) {
        self.filter.restore(events, of: key, tag: tag, context: &context)
    }

    func start(_ services: FilterServices) throws(Diagnostics) { try self.filter.start(services) }

    func stop() { self.filter.stop() }

    var isReady: Bool { self.filter.isReady }
}
