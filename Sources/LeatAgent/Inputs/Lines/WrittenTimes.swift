internal import LeatCore
internal import LeatParsing

/// The time of a container's line as its runtime wrote it: the digits of its fraction tell nothing by themselves.
struct WrittenTime {
    /// Since 1970.
    let nanoseconds: Int64
    /// Where the line begins.
    let offset: UInt64
    let text: [UInt8]
}

/// How the times of the unfinished line and the unfinished event of a stream are written, so that what is joined has the
/// same text as its first line.
struct WrittenTimes {
    /// Of the line that is being added.
    var current: WrittenTime?
    private var line: WrittenTime?
    private var event: WrittenTime?

    /// Forgets all but the times of what is unfinished, which begins at these offsets.
    mutating func keep(line: UInt64?, event: UInt64?) {
        (self.line, self.event) = (self.time(at: line), self.time(at: event))
        self.current = nil
    }

    private func time(at offset: UInt64?) -> WrittenTime? {
        offset.flatMap { offset in self.all.first { $0.offset == offset } }
    }

    private var all: [WrittenTime] { [self.current, self.line, self.event].compactMap { $0 } }

    /// The time of a joined line; with nine digits where its first line is not known any more.
    func text(of joined: JoinedLine) -> [UInt8] {
        for time in self.all where time.offset == joined.offset && time.nanoseconds == joined.nanoseconds {
            return time.text
        }
        var text: [UInt8] = []
        TimestampWriter.append(Timestamp(nanoseconds: joined.nanoseconds), precision: .nanoseconds, to: &text)
        return text
    }
}
