/// What a filter has done so far, for monitoring.
final class FilterCounters {
    var events: UInt64 = 0
    var addedEvents: UInt64 = 0
    var droppedEvents: UInt64 = 0

    func note(before: Int, after: Int) {
        self.events += UInt64(before)
        if after > before { self.addedEvents += UInt64(after - before) }
        if after < before { self.droppedEvents += UInt64(before - after) }
    }
}
