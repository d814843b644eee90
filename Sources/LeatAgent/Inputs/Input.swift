internal import LeatCore

/// An `[INPUT]`: makes events, and waits when the buffer is full.
protocol Input: AnyObject {
    /// Begins; called once, on the loop.
    func start() throws(InputError)

    /// Goes on after the buffer had been full.
    func resume()

    /// Makes no more events; everything it has handed out stays valid.
    func stop()
}

/// An input that cannot begin.
struct InputError: Error, CustomStringConvertible {
    let description: String
}

/// Where inputs hand their events to: the filters, the router and the buffer.
protocol InputSink: AnyObject {
    /// Whether there is room; an input that goes on all the same may overshoot by one read.
    var hasRoom: Bool { get }

    /// The one object for a route tag's text.
    func routeTag(_ text: String) -> RouteTag

    /// A number for a new source.
    func newSource() -> UInt64

    /// Takes the events of one read; `position` says how far its file was read with them.
    func accept(_ read: InputRead, from input: InputCounters)

    /// Says that a source was read to its end for good.
    func finish(source: UInt64)

    /// Ends the agent once everything that was handed on is delivered: the input has reached its end.
    func inputEnded()

    /// Forgets a source that is finished and whose file is gone.
    func forget(source: UInt64)
}

/// What one read of an input made.
struct InputRead {
    let tag: RouteTag
    var events: EventList
    var position: SourcePosition?
    /// Offset in the source where the read began.
    var startOffset: UInt64 = 0
}

/// What an input has done so far, for monitoring.
final class InputCounters {
    /// The name in logs and metrics.
    let name: String

    init(name: String) { self.name = name }

    var events: UInt64 = 0
    /// Bytes of the records.
    var bytes: UInt64 = 0
    /// Bytes read from files or connections.
    var readBytes: UInt64 = 0
    var filesOpened: UInt64 = 0
    var filesClosed: UInt64 = 0
    var filesRotated: UInt64 = 0
    var longLinesCut: UInt64 = 0
    var longLinesSkipped: UInt64 = 0
    var invalidTexts: UInt64 = 0
    /// Bytes that a truncation destroyed before they were read, as far as can be known.
    var lostBytes: UInt64 = 0
    var filteredEvents: UInt64 = 0
    var isPaused = false
}
