/// What a filter has done so far, for monitoring.
final class FilterCounters {
    var events: UInt64 = 0
    var bytes: UInt64 = 0
    var addedEvents: UInt64 = 0
    var droppedEvents: UInt64 = 0
    var droppedBytes: UInt64 = 0
    /// Events that went out under another route tag.
    var emittedEvents: UInt64 = 0

    /// How much a filter gets or gives at a time.
    struct Amount {
        let events: Int
        let bytes: Int

        init(_ events: borrowing EventList) {
            self.events = events.count
            self.bytes = events.openStart
        }
    }

    func note(before: Amount, after: Amount) {
        self.events += UInt64(before.events)
        self.bytes += UInt64(before.bytes)
        if after.events > before.events { self.addedEvents += UInt64(after.events - before.events) }
        guard after.events < before.events else { return }
        self.droppedEvents += UInt64(before.events - after.events)
        self.droppedBytes += UInt64(max(0, before.bytes - after.bytes))
    }
}
