/// What an output has done so far, for monitoring.
final class OutputCounters {
    /// Events that came to the output, in this run or waiting from earlier ones.
    var acceptedEvents: UInt64 = 0
    var deliveredEvents: UInt64 = 0
    var deliveredBytes: UInt64 = 0
    /// Events in the dead-letter file.
    var rejectedEvents: UInt64 = 0
    /// Events given up: over `storage.total_limit_size`, or in damaged chunks.
    var droppedEvents: UInt64 = 0
    /// Batches sent again.
    var retries: UInt64 = 0
    /// Events in batches sent again.
    var retriedEvents: UInt64 = 0
    /// Batches given up after `Retry_Limit`.
    var failedRetries: UInt64 = 0
    var errors: UInt64 = 0
    var requests: UInt64 = 0
    /// From the beginning of a chunk to the delivery of each of its batches.
    var latency = LatencyHistogram()

    /// Events that wait: all accepted ones that have no other end.
    var bufferedEvents: UInt64 {
        let ended = self.deliveredEvents + self.rejectedEvents + self.droppedEvents
        return self.acceptedEvents > ended ? self.acceptedEvents - ended : 0
    }
}
