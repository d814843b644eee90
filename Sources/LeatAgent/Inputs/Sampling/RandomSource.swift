internal import LeatCore

/// `[INPUT] random`: a random number per interval.
struct RandomSource: SampleSource {
    /// Events that are still to be made; `nil`: without end.
    private var leftCount: Int?

    init(sampleCount: Int?) { self.leftCount = sampleCount }

    var isDone: Bool { self.leftCount == 0 }

    mutating func sample(_ now: Moment, to events: inout EventList) {
        self.leftCount = self.leftCount.map { $0 - 1 }
        events.append("rand_value", SystemRandom.uint64())
        events.endEvent(time: now.wall)
    }
}
