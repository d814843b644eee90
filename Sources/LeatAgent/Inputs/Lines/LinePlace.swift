internal import LeatCore

/// When something happens, on both clocks.
struct Moment {
    /// Nanoseconds since 1970.
    let wall: Int64
    /// Nanoseconds of the clock that never goes back.
    let monotonic: UInt64

    init(_ time: any TimeSource) {
        self.wall = time.now().nanoseconds
        self.monotonic = time.monotonicNanoseconds()
    }
}

/// Where and when a line was read, and what is appended to its record.
struct LinePlace {
    /// Where the line begins in its source.
    var offset: UInt64
    let source: UInt64
    /// Nanoseconds since 1970.
    let now: Int64
    /// Nanoseconds of the clock that never goes back.
    let monotonic: UInt64
    /// Members of the file, each behind a comma.
    let recordTail: [UInt8]
}
