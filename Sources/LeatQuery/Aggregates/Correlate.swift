internal import LeatCore

/// `correlate()`: constellations of events, one of each query, that are linked by equal fields.
struct CorrelatePlan: AggregatePlan {
    /// One of the labelled queries.
    struct Part: Sendable {
        let label: String
        let stages: [any Stage]
        /// Fields that are kept of each event: those that are shown first, then those that only link.
        let fields: [String]
        let shownCount: Int
        /// The fields that say which event is earlier, instead of its time; numbers of `fields`.
        let orderFields: [Int]
    }

    /// Equality of a field of one query with one of another.
    struct Link: Hashable, Sendable {
        let part: Int
        let field: Int
        let otherPart: Int
        let otherField: Int
    }

    /// Events of one query that are remembered; more end the query with an error.
    static let eventCountMax = 200_000

    let parts: [Part]
    let links: [Link]
    /// The query whose events are looked at one by one.
    let root: Int
    /// Longest time between the first and the last event, in nanoseconds.
    let within: Int64?
    /// Whether events follow one another as their queries do.
    let isSequence: Bool
    /// How much earlier than its predecessor an event may be, in nanoseconds.
    let jitter: Int64
    let matchesPerRoot: Int
    /// Whether an event takes part in one constellation only.
    let usesOnce: Bool

    var columns: [String]? {
        self.parts.flatMap { part in part.fields.prefix(part.shownCount).map { "\(part.label).\($0)" } }
    }

    func makeState(_ context: StageContext) -> any AggregateState { CorrelateState(self, context) }
}

/// See `CorrelatePlan`.
final class CorrelateState: AggregateState {
    struct Candidate {
        let group: Int
        /// Nanoseconds since 1970.
        let time: Int64
        let arrival: UInt64
        /// Per field of the part its value.
        let values: [[UInt8]?]
    }

    private let plan: CorrelatePlan
    private let context: StageContext
    private var candidates: [[Candidate]]

    init(_ plan: CorrelatePlan, _ context: StageContext) {
        self.plan = plan
        self.context = context
        self.candidates = plan.parts.map { _ in [] }
    }

    func update(_ rows: EventRows, _ groups: Groups) throws(QueryFailure) {
        for (number, part) in self.plan.parts.enumerated() {
            for result in try part.stages.run(rows, self.context) {
                var columns: [Column?] = []
                for field in part.fields { columns.append(try result.column(field)) }
                result.selection.forEachSet { row in
                    let origin = result.lineage.map { Int($0[row]) } ?? row
                    self.candidates[number].append(
                        Candidate(
                            group: groups[origin],
                            time: result.batch.timestamps[row],
                            arrival: result.arrivalKey(row),
                            values: columns.map { $0?.bytes(at: row) }
                        )
                    )
                }
            }
            if self.candidates[number].count > CorrelatePlan.eventCountMax {
                throw .unanswerable(
                    "the query '\(part.label)' of correlate() has more than \(CorrelatePlan.eventCountMax) events; narrow it"
                )
            }
        }
    }

    func merge(_ other: any AggregateState, groups: [UInt32], groupCount: Int) throws(QueryFailure) {
        let other = self.sibling(other)
        for number in self.candidates.indices {
            self.candidates[number] += other.candidates[number].map {
                Candidate(group: Int(groups[$0.group]), time: $0.time, arrival: $0.arrival, values: $0.values)
            }
        }
    }

    func emit(_ group: Int, into writer: RowWriter, then next: () throws(QueryFailure) -> Void) throws(QueryFailure) {
        var search = CorrelateSearch(self.plan, self.candidates.map { $0.filter { $0.group == group } })
        for match in try search.matches(self.context) {
            try writer.scoped { () throws(QueryFailure) in
                for (number, part) in self.plan.parts.enumerated() {
                    let values = search.candidates[number][match[number]].values
                    for field in 0..<part.shownCount {
                        guard let value = values[field] else { continue }
                        try writer.set(writer.column("\(part.label).\(part.fields[field])"), to: value)
                    }
                }
                try next()
            }
        }
    }
}

/// Finds constellations: the events of the root from the newest, the others by the keys that link them.
struct CorrelateSearch {
    let plan: CorrelatePlan
    /// Per query its events by time, then arrival.
    let candidates: [[CorrelateState.Candidate]]
    /// The queries in the order in which they are joined, the root first.
    private let order: [Int]
    /// Per place in `order` the links to queries before it.
    private let linksBack: [[CorrelatePlan.Link]]
    /// Per place in `order` the events by the values of their links.
    private let indexes: [[[[UInt8]]: [Int]]]
    private var used: [Set<Int>]
    private var found: [[Int]] = []
    private var chosen: [Int]
    private var stepCount = 0

    init(_ plan: CorrelatePlan, _ candidates: [[CorrelateState.Candidate]]) {
        self.plan = plan
        let sorted = candidates.map { $0.sorted { ($0.time, $0.arrival) < ($1.time, $1.arrival) } }
        self.candidates = sorted
        var order = [plan.root]
        while order.count < plan.parts.count {
            let left = plan.parts.indices.filter { !order.contains($0) }
            let linked = left.first { part in
                plan.links.contains { Self.joins($0, part, order) }
            }
            if let nextPart = linked ?? left.first { order.append(nextPart) }
        }
        var linksBack: [[CorrelatePlan.Link]] = []
        var indexes: [[[[UInt8]]: [Int]]] = []
        for (place, part) in order.enumerated() {
            let before = Array(order[..<place])
            let links = plan.links.compactMap { link -> CorrelatePlan.Link? in
                if link.part == part && before.contains(link.otherPart) { return link }
                guard link.otherPart == part && before.contains(link.part) else { return nil }
                return .init(part: part, field: link.otherField, otherPart: link.part, otherField: link.field)
            }
            var index: [[[UInt8]]: [Int]] = [:]
            for (number, candidate) in sorted[part].enumerated() {
                let key = links.compactMap { candidate.values[$0.field] }
                if key.count == links.count { index[key, default: []].append(number) }
            }
            linksBack.append(links)
            indexes.append(index)
        }
        self.order = order
        self.linksBack = linksBack
        self.indexes = indexes
        self.used = plan.parts.map { _ in [] }
        self.chosen = plan.parts.map { _ in 0 }
    }

    private static func joins(_ link: CorrelatePlan.Link, _ part: Int, _ order: [Int]) -> Bool {
        (link.part == part && order.contains(link.otherPart)) || (link.otherPart == part && order.contains(link.part))
    }

    /// Per constellation the number of the event of each query.
    mutating func matches(_ context: StageContext) throws(QueryFailure) -> [[Int]] {
        for number in self.candidates[self.plan.root].indices.reversed() {
            if self.plan.usesOnce && self.used[self.plan.root].contains(number) { continue }
            self.chosen[self.plan.root] = number
            let before = self.found.count
            try self.extend(place: 1, before: before, context)
        }
        return self.found
    }

    private mutating func extend(place: Int, before: Int, _ context: StageContext) throws(QueryFailure) {
        self.stepCount += 1
        if self.stepCount & 0xFFF == 0 { try context.check() }
        guard place < self.order.count else {
            self.found.append(self.chosen)
            if self.plan.usesOnce { for part in self.chosen.indices { self.used[part].insert(self.chosen[part]) } }
            return
        }
        let part = self.order[place]
        let key = self.linksBack[place].compactMap { link in
            self.candidates[link.otherPart][self.chosen[link.otherPart]].values[link.otherField]
        }
        guard key.count == self.linksBack[place].count else { return }
        for number in self.indexes[place][key] ?? [] {
            if self.found.count - before >= self.plan.matchesPerRoot { return }
            if self.plan.usesOnce && self.used[part].contains(number) { continue }
            self.chosen[part] = number
            if self.fits(upTo: place) { try self.extend(place: place + 1, before: before, context) }
        }
    }

    /// Whether the events chosen so far lie within the time, and in order.
    private func fits(upTo place: Int) -> Bool {
        let parts = self.order[...place].sorted()
        let times = parts.map { self.candidates[$0][self.chosen[$0]].time }
        if let within = self.plan.within, let first = times.min(), let last = times.max(), last &- first > within {
            return false
        }
        guard self.plan.isSequence else { return true }
        if !self.plan.parts[0].orderFields.isEmpty {
            return zip(parts, parts.dropFirst()).allSatisfy { !self.precedes($1, $0) }
        }
        return zip(times, times.dropFirst()).allSatisfy { $1 >= $0 &- self.plan.jitter }
    }

    /// Whether the chosen event of one part is earlier than that of another by the fields of `sequenceBy`; what has no
    /// value comes last.
    private func precedes(_ left: Int, _ right: Int) -> Bool {
        for (one, other) in zip(self.plan.parts[left].orderFields, self.plan.parts[right].orderFields) {
            let first = self.candidates[left][self.chosen[left]].values[one]
            let second = self.candidates[right][self.chosen[right]].values[other]
            guard let first, let second else {
                if first == nil && second == nil { continue }
                return first != nil
            }
            if first == second { continue }
            if let one = first.withUnsafeBytes({ NumberText.parse($0) }),
                let other = second.withUnsafeBytes({ NumberText.parse($0) })
            {
                if one == other { continue }
                return one < other
            }
            return first.lexicographicallyPrecedes(second)
        }
        return false
    }
}
