internal import LeatCore

/// Takes events through the filters of their route tag, and sorts what is left by the outputs that want it.
///
/// Outputs without chunks get their events at once; for the others the events become frames.
final class FilterPipeline {
    /// How often events may be given another route tag before that counts as a circle.
    private static let rerouteCountMax = 16
    /// Route tags that are remembered; what is in use is held by its file.
    private static let tagCountMax = 20_000

    /// A filter with its name for logs and metrics.
    struct NamedFilter {
        let name: String
        let filter: any EventFilter
        let counters = FilterCounters()
    }

    /// The filters of the configuration, in its order.
    let filters: [NamedFilter]
    /// Filters of single outputs, by the output's number.
    let processors: [Int: [NamedFilter]]
    /// Called when a filter asks for the end of the agent.
    var filterStops: () -> Void = {}

    /// Filters that may hold events back, and the names under which the buffer knows what they hold.
    private let keepers: [(index: Int, name: String)]
    private let router: Router
    /// Outputs that send from chunks, by their number in the configuration.
    private let queues: [Int: OutputQueue]
    /// Outputs that need no chunk.
    private let directOutputs: [Int: DirectOutput]
    private let direct: OutputSet
    private let loop: EventLoop
    private let log: AgentLog
    private var tags: [String: RouteTag] = [:]

    init(
        router: Router,
        filters: [NamedFilter],
        processors: [Int: [NamedFilter]],
        queues: [Int: OutputQueue],
        directOutputs: [Int: DirectOutput],
        loop: EventLoop,
        log: AgentLog
    ) {
        self.router = router
        self.filters = filters
        self.keepers = Self.keepers(of: filters)
        self.processors = processors
        self.queues = queues
        self.directOutputs = directOutputs
        self.direct = OutputSet(Array(directOutputs.keys))
        self.loop = loop
        self.log = log
    }

    /// The filters of the configuration, then those of single outputs.
    var allFilters: [NamedFilter] {
        self.filters + self.processors.sorted { $0.key < $1.key }.flatMap(\.value)
    }

    /// The one object for a route tag's text.
    func routeTag(_ text: String) -> RouteTag {
        if let known = self.tags[text] { return known }
        // Tags come and go with the files they are made of.
        if self.tags.count >= Self.tagCountMax { self.tags.removeAll() }
        let tag = RouteTag(text)
        self.tags[text] = tag
        return tag
    }

    /// How the first filter of a tag would merge the objects of container lines; `nil` when it would not.
    func earlyMerge(for tag: RouteTag) -> EarlyMerge? {
        guard let first = self.router.route(of: tag).filters.first else { return nil }
        return (self.filters[first].filter as? KubernetesFilter)?.earlyMerge(for: tag)
    }

    /// Takes the events of a read through filters and outputs; what is to be kept is appended to `frames`.
    func take(_ read: InputRead, to frames: inout [ChunkStore.NewFrame]) {
        self.route(read.events, tag: read.tag, rerouteCount: 0, behind: read.isFiltered ? .max : -1, to: &frames)
    }

    /// Asks filters for events that they held back: those whose time has come, or all.
    func released(all: Bool) -> [ChunkStore.NewFrame] {
        var frames: [ChunkStore.NewFrame] = []
        for (index, _) in self.keepers {
            let named = self.filters[index]
            var context = self.filterContext()
            named.filter.release(all: all, context: &context)
            self.takeRerouted(context, from: named, 0, &frames)
            self.takeReleased(context, from: index, 0, &frames)
        }
        return frames
    }

    /// Takes events through the filters of their tag; what is left becomes a frame.
    private func route(
        _ events: EventList,
        tag: RouteTag,
        rerouteCount: Int,
        behind filter: Int = -1,
        to frames: inout [ChunkStore.NewFrame]
    ) {
        guard !events.isEmpty else { return }
        var events = events
        let route = self.router.route(of: tag)
        for index in route.filters where index > filter && !events.isEmpty {
            let isLast = index == route.filters.last && self.processors.isEmpty
            self.apply(index, isLast: isLast, to: &events, tag, rerouteCount, &frames)
        }
        guard !events.isEmpty else { return }
        var stored = route.outputs.subtracting(self.direct)
        for index in route.outputs.intersection(self.direct).indices {
            let own = self.processed(events, by: index, tag, rerouteCount, &frames)
            self.directOutputs[index]?.take(own)
        }
        for index in self.processors.keys.sorted() where stored.contains(index) {
            // What an output changes for itself is a frame of its own.
            stored.remove(index)
            let own = self.processed(events, by: index, tag, rerouteCount, &frames)
            guard !own.isEmpty else { continue }
            self.queues[index]?.counters.acceptedEvents += UInt64(own.count)
            frames.append(ChunkStore.NewFrame(outputs: OutputSet([index]), tag: tag, events: own))
        }
        for index in stored.indices { self.queues[index]?.counters.acceptedEvents += UInt64(events.count) }
        if !stored.isEmpty { frames.append(ChunkStore.NewFrame(outputs: stored, tag: tag, events: events)) }
    }

    /// The events after the filters of one output.
    private func processed(
        _ events: EventList,
        by output: Int,
        _ tag: RouteTag,
        _ rerouteCount: Int,
        _ frames: inout [ChunkStore.NewFrame]
    ) -> EventList {
        guard let filters = self.processors[output] else { return events }
        var events = events
        for named in filters where !events.isEmpty {
            let before = FilterCounters.Amount(events)
            var context = self.filterContext()
            named.filter.apply(to: &events, tag: tag, context: &context)
            named.counters.note(before: before, after: FilterCounters.Amount(events))
            self.takeRerouted(context, from: named, rerouteCount, &frames)
        }
        return events
    }

    private func apply(
        _ index: Int,
        isLast: Bool,
        to events: inout EventList,
        _ tag: RouteTag,
        _ rerouteCount: Int,
        _ frames: inout [ChunkStore.NewFrame]
    ) {
        let named = self.filters[index]
        let before = FilterCounters.Amount(events)
        var context = self.filterContext()
        context.isLast = isLast
        named.filter.apply(to: &events, tag: tag, context: &context)
        named.counters.note(before: before, after: FilterCounters.Amount(events))
        self.takeRerouted(context, from: named, rerouteCount, &frames)
        self.takeReleased(context, from: index, rerouteCount, &frames)
    }

    /// Takes events that a filter had held back through the filters behind it.
    private func takeReleased(
        _ context: FilterContext,
        from index: Int,
        _ rerouteCount: Int,
        _ frames: inout [ChunkStore.NewFrame]
    ) {
        for (tag, events) in context.released {
            self.route(events, tag: tag, rerouteCount: rerouteCount, behind: index, to: &frames)
        }
    }

    private func filterContext() -> FilterContext {
        FilterContext(now: self.loop.time.now(), monotonicNanoseconds: self.loop.time.monotonicNanoseconds())
    }

    private func takeRerouted(
        _ context: FilterContext,
        from named: NamedFilter,
        _ rerouteCount: Int,
        _ frames: inout [ChunkStore.NewFrame]
    ) {
        let level: AgentLog.Level = context.stopsAgent ? .error : .warning
        for warning in context.warnings { self.log.once("[\(named.name)] \(warning)", level) }
        if context.stopsAgent { self.filterStops() }
        for (text, events) in context.rerouted {
            named.counters.emittedEvents += UInt64(events.count)
            if rerouteCount >= Self.rerouteCountMax {
                self.log.once(
                    "[\(named.name)] the tag '\(text)' goes round in a circle; the events go out with it, unfiltered",
                    .error
                )
                self.route(events, tag: self.routeTag(text), rerouteCount: rerouteCount, behind: .max, to: &frames)
            } else {
                self.route(events, tag: self.routeTag(text), rerouteCount: rerouteCount + 1, to: &frames)
            }
        }
    }
}

// MARK: - Events that filters hold

extension FilterPipeline {
    /// The filters that may hold events back, each under a name of its own.
    private static func keepers(of filters: [NamedFilter]) -> [(index: Int, name: String)] {
        var names: Set<String> = []
        return filters.indices.filter { filters[$0].filter.keepsEvents }.map { index in
            let name = filters[index].name
            return (index, names.insert(name).inserted ? name : "\(name)#\(index)")
        }
    }

    /// What of the events that filters hold back has changed since the last call.
    func takeHeldChanges() -> [HeldChange] {
        self.keepers.flatMap { self.filters[$0.index].filter.takeHeldChanges(filter: $0.name) }
    }

    /// Gives filters back what they held at the end of the last run; what they do not hold any more goes on.
    func restore(_ held: [HeldKey: [HeldEvent]]) -> (frames: [ChunkStore.NewFrame], changes: [HeldChange]) {
        var frames: [ChunkStore.NewFrame] = []
        var changes: [HeldChange] = []
        for (key, events) in held {
            let tag = self.routeTag(key.tag)
            if let keeper = self.keepers.first(where: { $0.name == key.filter }) {
                var context = self.filterContext()
                self.filters[keeper.index].filter.restore(events, of: key, tag: tag, context: &context)
                self.takeReleased(context, from: keeper.index, 0, &frames)
            } else {
                // The configuration has no such filter any more.
                var list = EventList()
                for event in events { event.members.withUnsafeBytes { list.append(time: event.time, members: $0) } }
                self.route(list, tag: tag, rerouteCount: 0, behind: .max, to: &frames)
                changes.append(HeldChange(key: key, replaces: true, events: []))
            }
        }
        return (frames, changes)
    }
}
