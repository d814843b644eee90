internal import LeatCore

/// A `[FILTER]`: changes, drops or adds events between an input and the chunks.
///
/// Calls come one at a time from the agent's loop, for the events of one read and one route tag, in the order in which
/// the input made them. A filter that must wait for more events keeps them only when `keepsEvents` says so.
protocol EventFilter: AnyObject {
    /// Changes `events` in place.
    ///
    /// Events for another route tag go to `context.rerouted`; they enter the chain of filters at its beginning.
    func apply(to events: inout EventList, tag: RouteTag, context: inout FilterContext)

    /// Whether the filter may hold events back; the agent then asks for them with `release`.
    var keepsEvents: Bool { get }

    /// Gives back events that were held long enough, or all of them when the agent stops.
    func release(all: Bool, context: inout FilterContext)

    /// What of the events that are held back has changed since the last call; the agent asks after each `apply` and
    /// `release`, and makes it durable together with what these handed on.
    func takeHeldChanges(filter name: String) -> [HeldChange]

    /// Holds back again what it held when the agent was killed; called after `start`, before the first event.
    ///
    /// What it would not hold any more goes on at once, as from `release`.
    func restore(_ events: [HeldEvent], of key: HeldKey, tag: RouteTag, context: inout FilterContext)

    /// Called once before the first event, to begin what needs the loop.
    func start(_ services: FilterServices) throws(Diagnostics)

    /// Called once after the last event.
    func stop()

    /// Whether the filter knows what it needs for its first events; inputs wait for that a few seconds.
    var isReady: Bool { get }
}

extension EventFilter {
    var keepsEvents: Bool { false }
    func release(all: Bool, context: inout FilterContext) {}
    func takeHeldChanges(filter name: String) -> [HeldChange] { [] }
    func restore(_ events: [HeldEvent], of key: HeldKey, tag: RouteTag, context: inout FilterContext) {
        preconditionFailure("a filter that keeps no events has none to restore")
    }
    func start(_ services: FilterServices) throws(Diagnostics) {}
    func stop() {}
    var isReady: Bool { true }
}

/// What a filter may use of the agent.
struct FilterServices {
    let loop: EventLoop
    let files: any FileSystem
    let environment: [String: String]
    /// The agent's log, under the filter's name.
    let log: AgentLog
}

/// What a filter sees of the agent, and what it hands back beside the events.
struct FilterContext {
    /// The time of day.
    let now: Timestamp

    /// A clock that never goes back, in nanoseconds, for rates and deadlines.
    let monotonicNanoseconds: UInt64

    /// Whether nothing but the buffer comes behind the filter, so that it may set `EventList.commonTail`.
    var isLast = false

    /// Events that now have another route tag.
    var rerouted: [(tag: String, events: EventList)] = []

    /// Events that were held back and now go on behind this filter, under their own route tag.
    var released: [(tag: RouteTag, events: EventList)] = []

    /// Set when the agent is to stop, with an exit code that says failure.
    var stopsAgent = false

    /// Lines for the agent's log, at most a few per call.
    var warnings: [String] = []
}
