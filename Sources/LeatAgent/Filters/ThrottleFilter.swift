internal import LeatCore
internal import LeatParsing

/// `throttle`: drops events while the mean over the last `window` intervals is at or above the rate.
final class ThrottleFilter: EventFilter {
    private let rate: Double
    private let intervalNanoseconds: UInt64
    private let printsStatus: Bool
    /// Events let through per interval, the current one at `current`.
    private var panes: [Int]
    private var current = 0
    private var total = 0
    /// Start of the current interval on the clock that never goes back.
    private var paneStart: UInt64?

    init(_ configuration: PluginConfiguration) throws(Diagnostics) {
        let settings = configuration.settings
        self.rate = max(1, settings.number("rate") ?? 1)
        self.panes = [Int](repeating: 0, count: min(max(1, settings.integer("window") ?? 5), 100_000))
        self.printsStatus = settings.flag("print_status")
        let interval = settings.text("interval") ?? "1"
        guard let nanoseconds = SettingValue.nanoseconds(interval), nanoseconds > 0 else {
            let mark = settings.entries("interval").last?.valueMark ?? configuration.mark
            throw Diagnostics(mark.diagnostic("'\(interval)' is no interval", hint: "such as 1s or 5m"))
        }
        self.intervalNanoseconds = UInt64(nanoseconds)
    }

    func apply(to events: inout EventList, tag: RouteTag, context: inout FilterContext) {
        self.advance(to: context.monotonicNanoseconds, &context)
        events.filter { _, _ in
            guard Double(self.total) / Double(self.panes.count) < self.rate else { return false }
            self.panes[self.current] += 1
            self.total += 1
            return true
        }
    }

    private func advance(to now: UInt64, _ context: inout FilterContext) {
        guard let start = self.paneStart else {
            self.paneStart = now
            return
        }
        let passed = now > start ? (now - start) / self.intervalNanoseconds : 0
        guard passed > 0 else { return }
        if self.printsStatus { context.warnings.append("\(self.panes[self.current]) events in the last interval") }
        for _ in 0..<min(passed, UInt64(self.panes.count)) {
            self.current = (self.current + 1) % self.panes.count
            self.total -= self.panes[self.current]
            self.panes[self.current] = 0
        }
        self.paneStart = start + passed * self.intervalNanoseconds
    }
}
