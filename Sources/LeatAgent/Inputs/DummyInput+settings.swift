internal import LeatCore

extension DummyInput.Options {
    /// What a configuration says of the events to make.
    init(_ settings: Settings, log: AgentLog) {
        self.init()
        var events = EventList()
        Array((settings.text("dummy") ?? "{}").utf8).withUnsafeBytes { text in
            if !JSONRecords.append(text, time: 0, to: &events) {
                log.once("the value of dummy is no JSON object; an empty record is made", .error)
            }
        }
        self.record = events.bytes
        self.sampleCount = settings.integer("samples").flatMap { $0 > 0 ? $0 : nil }
        let nanoseconds =
            (settings.integer("interval_sec") ?? 0) * 1_000_000_000 + (settings.integer("interval_nsec") ?? 0)
        let rate = max(1, settings.integer("rate") ?? 1)
        // Several events at a time rather than many wakes of the loop.
        let turnsPerSecond = min(rate, 10)
        self.interval = nanoseconds > 0 ? .nanoseconds(nanoseconds) : .nanoseconds(1_000_000_000 / turnsPerSecond)
        let perTurn = nanoseconds > 0 ? 1 : (rate + turnsPerSecond - 1) / turnsPerSecond
        self.eventsPerTurn = perTurn * max(1, settings.integer("copies") ?? 1)
        self.makesFirstAtOnce = settings.flag("flush_on_startup")
        self.isTimeFixed = settings.flag("fixed_timestamp")
        let (seconds, rest) = (settings.integer("start_time_sec"), settings.integer("start_time_nsec"))
        if seconds != nil || rest != nil {
            self.startNanoseconds = Int64(seconds ?? 0) &* 1_000_000_000 &+ Int64(rest ?? 0)
        }
    }
}
