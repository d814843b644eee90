internal import LeatCore

/// What an input reads by the clock.
///
/// Calls come on the loop, `prepare` once before the first `sample`. Reading must be quick: a few files of the kernel.
protocol SampleSource {
    /// Reads what the first event is compared with; an error ends the agent's start.
    mutating func prepare(_ now: Moment) throws(InputError)

    /// Appends the events of an interval that ends now; an error is logged, and the next interval tried.
    mutating func sample(_ now: Moment, to events: inout EventList) throws(InputError)

    /// Whether there will be no more events.
    var isDone: Bool { get }
}

extension SampleSource {
    mutating func prepare(_ now: Moment) throws(InputError) {}
    var isDone: Bool { false }
}

/// The inputs that look at the machine once per interval: `cpu`, `mem`, `disk` and the like.
///
/// An interval during which the buffer is full makes no event; what is compared with the last reading then covers more
/// than one interval.
final class SamplingInput: Input {
    private let tag: RouteTag
    private var source: any SampleSource
    private let interval: Duration
    private let counters: InputCounters
    private unowned let sink: any InputSink
    private let loop: EventLoop
    private let log: AgentLog
    private var timer: TimerQueue.ID?

    init(
        tag: RouteTag,
        source: any SampleSource,
        interval: Duration,
        counters: InputCounters,
        sink: any InputSink,
        loop: EventLoop,
        log: AgentLog
    ) {
        self.tag = tag
        self.source = source
        self.interval = interval
        self.counters = counters
        self.sink = sink
        self.loop = loop
        self.log = log
    }

    func start() throws(InputError) {
        try self.source.prepare(Moment(self.loop.time))
        self.plan()
    }

    func resume() { self.counters.isPaused = false }

    func stop() {
        if let timer { self.loop.cancel(timer) }
        self.timer = nil
    }

    private func plan() {
        guard !self.source.isDone else { return }
        self.timer = self.loop.schedule(after: self.interval) { [weak self] in self?.sample() }
    }

    private func sample() {
        self.counters.isPaused = !self.sink.hasRoom(for: self.counters)
        if !self.counters.isPaused {
            var events = EventList()
            do throws(InputError) {
                try self.source.sample(Moment(self.loop.time), to: &events)
            } catch {
                self.log.once("\(error); tried again every \(self.interval)", .error)
            }
            self.sink.accept(events, tag: self.tag, from: self.counters)
        }
        self.plan()
    }
}

/// Writing an event member by member.
extension EventList {
    mutating func append(_ name: String, text: String) {
        self.bytes.appendMember(name, text: text.utf8, start: self.openStart)
    }

    mutating func append(_ name: String, _ value: UInt64) {
        self.bytes.appendMember(name, json: String(value), start: self.openStart)
    }

    mutating func append(_ name: String, _ value: Bool) {
        self.bytes.appendMember(name, json: value ? "true" : "false", start: self.openStart)
    }

    /// A number with at most three digits behind the point.
    mutating func append(_ name: String, rounded value: Double) {
        self.bytes.appendMember(name, json: String((value * 1_000).rounded() / 1_000), start: self.openStart)
    }
}
