internal import LeatCore

/// What became of a batch that was sent.
enum DeliveryResult {
    /// Every event is where it should be.
    case delivered
    /// Some events were not taken, by their number in the batch, or dropped as the user wants it; all others were taken.
    case partly(again: [Int], rejected: [(item: Int, reason: [UInt8])], droppedCount: Int = 0)
    /// Nothing is known to be taken; the same batch goes again.
    case again(reason: String)
    /// The batch as a whole is not acceptable: smaller parts may be. The reason is JSON.
    case refused(reason: [UInt8])
}

/// Turns batches into requests of one protocol, and sends them.
///
/// Calls come on the loop; at most `OutputQueue.workerCount` batches are on their way at a time.
protocol BatchSender: AnyObject {
    /// Where a batch that begins with the first of `items` must end at the latest, since later events are for another
    /// request; more than `items.lowerBound`.
    func batchEnd(of chunk: LoadedChunk, items: Range<Int>) -> Int

    /// The request's body: the same bytes for the same events, whenever it is asked.
    func body(of chunk: LoadedChunk, items: [Range<Int>]) -> [UInt8]

    /// Events that no server could take as this output sends them, by their number among `items`, ascending; a batch
    /// with such is never sent.
    func unsendable(in chunk: LoadedChunk, items: [Range<Int>]) -> [(item: Int, reason: [UInt8])]

    /// Sends a body; `completion` is called once, later, on the loop.
    func send(_ body: [UInt8], batch: OutputBatch, completion: @escaping (DeliveryResult) -> Void)

    /// Ends all connections; requests on their way fail.
    func close()
}

extension BatchSender {
    func batchEnd(of chunk: LoadedChunk, items: Range<Int>) -> Int { items.upperBound }
    func unsendable(in chunk: LoadedChunk, items: [Range<Int>]) -> [(item: Int, reason: [UInt8])] { [] }
}

/// An event of a chunk, without its record.
struct ChunkEvent {
    let frame: EventFrame
    /// Number in the chunk, from 0.
    let number: Int
    /// Nanoseconds since 1970.
    let time: Int64

    /// What the event's frame says of all its events.
    var head: EventFrameHead { self.frame.head }
}

extension LoadedChunk {
    /// Bytes of the records of some events, about.
    func recordByteCount(of ranges: [Range<Int>]) -> Int {
        let share = ranges.reduce(0) { $0 + $1.count }
        guard self.eventCount > 0 else { return 0 }
        let tails = self.frames.reduce(0) { $0 + ($1.tail.count + 1) * $1.eventCount }
        return (self.content.withUnsafeBytes { $0.count } + tails) / self.eventCount * share
    }

    /// Calls `body` for the events of the ranges, in order.
    func forEachEvent(
        in ranges: [Range<Int>],
        _ body: (_ event: ChunkEvent, _ record: UnsafeRawBufferPointer) -> Void
    ) {
        var whole: [UInt8] = []
        self.forEachEventInParts(in: ranges) { event, members, tail in
            if tail.isEmpty { return body(event, members) }
            whole.removeAll(keepingCapacity: true)
            whole.append(contentsOf: members)
            if !members.isEmpty { whole.append(UInt8(ascii: ",")) }
            whole.append(contentsOf: tail)
            whole.withUnsafeBytes { body(event, $0) }
        }
    }

    /// The same with the record in two parts: its own members, and those that all events of its frame end with.
    func forEachEventInParts(
        in ranges: [Range<Int>],
        _ body: (_ event: ChunkEvent, _ members: UnsafeRawBufferPointer, _ tail: UnsafeRawBufferPointer) -> Void
    ) {
        self.content.withUnsafeBytes { bytes in
            var first = 0
            for frame in self.frames {
                let events = first..<(first + frame.eventCount)
                first = events.upperBound
                for range in ranges where range.overlaps(events) {
                    let part = range.clamped(to: events)
                    frame.forEachEvent(part.lowerBound - events.lowerBound..<part.upperBound - events.lowerBound, bytes)
                    {
                        let event = ChunkEvent(
                            frame: frame,
                            number: events.lowerBound + $0,
                            time: frame.time(of: $0, in: bytes)
                        )
                        body(event, $1, bytes.slice(frame.tail))
                    }
                }
            }
        }
    }
}

extension EventFrame {
    /// Calls `body` with the numbers in the frame and the members of some of its events.
    fileprivate func forEachEvent(
        _ indices: Range<Int>,
        _ bytes: UnsafeRawBufferPointer,
        _ body: (_ index: Int, _ members: UnsafeRawBufferPointer) -> Void
    ) {
        var offset = self.records
        for index in 0..<indices.lowerBound { offset += self.length(of: index, in: bytes) }
        for index in indices {
            let length = self.length(of: index, in: bytes)
            body(index, bytes.slice(offset..<(offset + length)))
            offset += length
        }
    }
}
