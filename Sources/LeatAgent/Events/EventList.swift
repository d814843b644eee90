/// Events on their way from an input through the filters into a chunk, all of one route tag.
///
/// A struct of arrays: per event its time, and the members of its record as JSON without the outer braces, such as
/// `"log":"hello","stream":"stdout"`. The members of all events lie end to end in one byte array, so that a chunk
/// takes them with one copy and no event costs an allocation. A record without members has no bytes.
///
///      times   │ t0 │ t1 │ t2 │
///      ends    │ 5  │ 5  │ 12 │            (event 1 is empty)
///      bytes   │"a":1"b":"xy"│
struct EventList: Sendable {
    /// Per event its time, nanoseconds since 1970 UTC.
    private(set) var times: [Int64] = []

    /// Per event the offset in `bytes` just after its last member.
    private(set) var ends: [Int] = []

    /// The members of all events, end to end, then those of the event under construction.
    ///
    /// Writers append to it and call `endEvent`; what lies before the last end must not change.
    var bytes: [UInt8] = []

    /// Members that follow those of every event, without a comma before them.
    ///
    /// What a filter adds to all alike is kept once. Only the buffer reads it, so that the last filter of a route sets it
    /// or none.
    var commonTail: [UInt8] = []

    /// Numbers of the events, ascending, whose `log` was an object that the input has merged already (`EarlyMerge`).
    ///
    /// Only for the first filter of a route, which is the one that asked for it.
    private(set) var merged: [Int32] = []

    /// Number of complete events.
    var count: Int { self.times.count }

    /// Whether there is no complete event.
    var isEmpty: Bool { self.times.isEmpty }

    /// Where the event under construction begins in `bytes`.
    var openStart: Int { self.ends.last ?? 0 }

    /// Completes the event whose members were appended to `bytes` since the last one ended.
    mutating func endEvent(time: Int64) {
        self.times.append(time)
        self.ends.append(self.bytes.count)
    }

    /// Notes that the last event needs no merging.
    mutating func noteMerged() { self.merged.append(Int32(self.count - 1)) }

    /// Forgets the bytes of the event under construction.
    mutating func abandonEvent() {
        self.bytes.removeLast(self.bytes.count - self.openStart)
    }

    /// Makes room for events of about this many bytes at once.
    mutating func reserve(byteCount: Int) {
        self.bytes.reserveCapacity(byteCount)
        self.times.reserveCapacity(byteCount / 256)
        self.ends.reserveCapacity(byteCount / 256)
    }

    /// Appends a whole event.
    mutating func append(time: Int64, members: UnsafeRawBufferPointer) {
        self.bytes.append(contentsOf: members)
        self.endEvent(time: time)
    }

    /// Appends all events of another list.
    mutating func append(contentsOf other: EventList) {
        let base = self.openStart
        precondition(base == self.bytes.count, "an event is under construction")
        self.bytes.append(contentsOf: other.bytes[..<other.openStart])
        self.times.append(contentsOf: other.times)
        for end in other.ends { self.ends.append(base + end) }
    }

    /// Where the members of an event lie in `bytes`.
    func range(of index: Int) -> Range<Int> {
        (index == 0 ? 0 : self.ends[index - 1])..<self.ends[index]
    }

    /// Calls `body` with the members of an event; the bytes are valid only during the call.
    func withMembers<Result>(of index: Int, _ body: (UnsafeRawBufferPointer) throws -> Result) rethrows -> Result {
        let range = self.range(of: index)
        return try self.bytes.withUnsafeBytes { try body(UnsafeRawBufferPointer(rebasing: $0[range])) }
    }

    /// Sets the time of an event.
    mutating func setTime(_ time: Int64, of index: Int) { self.times[index] = time }

    /// A list of what `body` appends for each event, in order.
    func transformed(
        _ body: (_ members: UnsafeRawBufferPointer, _ time: Int64, _ output: inout EventList) -> Void
    ) -> EventList {
        var output = EventList()
        for index in 0..<self.count { self.withMembers(of: index) { body($0, self.times[index], &output) } }
        return output
    }

    /// Keeps only the events for which `isKept` says so, in order.
    mutating func filter(_ isKept: (_ index: Int, _ members: UnsafeRawBufferPointer) -> Bool) {
        var kept = 0
        var end = 0
        for index in 0..<self.count {
            let range = self.range(of: index)
            guard self.withMembers(of: index, { isKept(index, $0) }) else { continue }
            // The members move down; they never overlap bytes that are still to be read.
            if range.lowerBound != end {
                self.bytes.withUnsafeMutableBytes { bytes in
                    bytes.baseAddress.map { start in
                        (start + end).copyMemory(from: start + range.lowerBound, byteCount: range.count)
                    }
                }
            }
            end += range.count
            self.times[kept] = self.times[index]
            // Not `ends[kept]`, which the next event still reads as its start.
            self.keptEnds.append(end)
            kept += 1
        }
        self.times.removeLast(self.times.count - kept)
        swap(&self.ends, &self.keptEnds)
        self.keptEnds.removeAll(keepingCapacity: true)
        self.bytes.removeLast(self.bytes.count - end)
    }

    /// Forgets all events and keeps the memory.
    mutating func removeAll() {
        self.times.removeAll(keepingCapacity: true)
        self.ends.removeAll(keepingCapacity: true)
        self.bytes.removeAll(keepingCapacity: true)
        self.merged.removeAll(keepingCapacity: true)
        self.commonTail = []
    }

    /// Scratch space of `filter`.
    private var keptEnds: [Int] = []
}
