internal import Glibc
internal import LeatCore

/// `[OUTPUT] null`, `counter` and `flowcounter`: take events without a chunk.
final class DirectOutput {
    /// What is printed of the events.
    enum Display {
        case nothing
        /// The number of each read, and of all.
        case count
        /// What came in a unit of time.
        case flow(FlowCounter)
    }

    let name: String
    let counters = OutputCounters()
    private var display: Display
    private let loop: EventLoop
    private let print: (String) -> Void
    private var timer: TimerQueue.ID?

    /// `print` writes a line without its end.
    init(
        name: String,
        display: Display,
        loop: EventLoop,
        print: @escaping (String) -> Void = DirectOutput.printLine
    ) {
        self.name = name
        self.display = display
        self.loop = loop
        self.print = print
    }

    /// Takes the events of one read.
    func take(_ events: EventList) {
        self.counters.acceptedEvents += UInt64(events.count)
        self.counters.deliveredEvents += UInt64(events.count)
        self.counters.deliveredBytes += UInt64(events.openStart)
        switch self.display {
        case .nothing: return
        case .count:
            self.print("\(self.loop.time.now().seconds),\(events.count) (total = \(self.counters.deliveredEvents))")
        case .flow(var flow):
            for line in flow.take(events, now: self.loop.time.now().nanoseconds) { self.print(line) }
            self.display = .flow(flow)
            self.planEnd(of: flow)
        }
    }

    /// Prints what is not printed yet.
    func close() {
        if let timer { self.loop.cancel(timer) }
        self.timer = nil
        self.endUnit()
    }

    /// Without events no timer runs.
    private func planEnd(of flow: FlowCounter) {
        guard self.timer == nil, let end = flow.clockEnd else { return }
        let rest = end - self.loop.time.now().nanoseconds
        self.timer = self.loop.schedule(after: .nanoseconds(max(0, rest))) { [weak self] in
            self?.timer = nil
            self?.endUnit()
        }
    }

    private func endUnit() {
        guard case .flow(var flow) = self.display else { return }
        if let line = flow.finishUnit() { self.print(line) }
        self.display = .flow(flow)
    }

    private static func printLine(_ text: String) {
        let line = Array((text + "\n").utf8)
        _ = Glibc.write(STDOUT_FILENO, line, line.count)
    }
}
