internal import NIOCore
internal import NIOPosix

/// Wakes a live query's client from time to time, for heartbeats.
final class LiveTicker: Sendable {
    private let task: RepeatedTask

    init(_ query: LiveQuery) {
        let interval = TimeAmount.seconds(Int64(ServerLimits.heartbeatSeconds))
        self.task = MultiThreadedEventLoopGroup.singleton.any()
            .scheduleRepeatedTask(initialDelay: interval, delay: interval) { [weak query] _ in query?.nudge() }
    }

    func stop() { self.task.cancel() }
}
