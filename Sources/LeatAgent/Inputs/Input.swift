internal import LeatCore

/// An `[INPUT]`: makes events, and waits when the buffer is full.
protocol Input: AnyObject {
    /// Begins; called once, on the loop.
    func start() throws(InputError)

    /// Goes on after the buffer had been full.
    func resume()

    /// Makes no more events; everything it has handed out stays valid.
    func stop()

    /// Whether nothing is left to wait for after `stop`.
    var hasStopped: Bool { get }

    /// Ends by force what is left, before the agent ends.
    func abandon()

    /// Whether more events can be read at once, so that it pays to gather more before they are written.
    var hasBacklog: Bool { get }
}

extension Input {
    var hasBacklog: Bool { false }
    var hasStopped: Bool { true }
    func abandon() {}
}

/// An input that cannot begin.
struct InputError: Error, CustomStringConvertible {
    let description: String
}

/// Where inputs hand their events to: the filters, the router and the buffer.
protocol InputSink: AnyObject {
    /// Whether there is room; an input that goes on all the same may overshoot by one read.
    var hasRoom: Bool { get }

    /// The same for one input, which may have a limit of its own (`Mem_Buf_Limit`).
    func hasRoom(for input: InputCounters) -> Bool

    /// The one object for a route tag's text.
    func routeTag(_ text: String) -> RouteTag

    /// A number for a new source.
    func newSource() -> UInt64

    /// How the first filter behind a route tag would merge the objects of container lines, so that the input may do so
    /// without escaping them first; `nil`: it must not.
    func earlyMerge(for tag: RouteTag) -> EarlyMerge?

    /// Takes the events of one read; `position` says how far its file was read with them.
    func accept(_ read: InputRead, from input: InputCounters)

    /// Says that an input with a backlog has none any more, so that what gathered need not wait for more.
    func caughtUp()

    /// Calls `body` once everything that was accepted so far is on stable storage; soon, since somebody waits for it.
    func whenDurable(_ body: @escaping () -> Void)

    /// Says that a source was read to its end for good.
    func finish(source: UInt64)

    /// Ends the agent with this code once everything that was handed on is delivered: the input has reached its end.
    func inputEnded(exitCode: Int32)

    /// Forgets a source that is finished and whose file is gone.
    func forget(source: UInt64)
}

extension InputSink {
    func inputEnded() { self.inputEnded(exitCode: 0) }
    func earlyMerge(for tag: RouteTag) -> EarlyMerge? { nil }

    /// Takes events that have no position, if there are any.
    func accept(_ events: EventList, tag: RouteTag, from input: InputCounters) {
        if !events.isEmpty { self.accept(InputRead(tag: tag, events: events), from: input) }
    }
}

/// What one read of an input made.
struct InputRead {
    let tag: RouteTag
    var events: EventList
    var position: SourcePosition?
    /// Offset in the source where the read began.
    var startOffset: UInt64 = 0
    /// Whether filters have seen the events already.
    var isFiltered = false
}
