internal import LeatCore

/// Counts events and their bytes per unit of time, for `[OUTPUT] flowcounter`: what to print, and when.
///
///     [out_flowcounter] [1700000060, {"counts":120, "bytes":4800, "counts/minute":2, "bytes/minute":80 }]
///
/// The number at the start is the end of the unit; the averages are per second, whatever their names say, as in Fluent
/// Bit. A unit without events is not printed.
struct FlowCounter: Hashable, Sendable {
    /// How long one count lasts.
    enum Unit: String, CaseIterable, Sendable {
        case second, minute, hour, day

        var secondCount: UInt64 {
            switch self {
            case .second: 1
            case .minute: 60
            case .hour: 3_600
            case .day: 86_400
            }
        }
    }

    private let unit: Unit
    /// Whether the events' own times count, not the clock's.
    private let usesEventTimes: Bool
    /// The end of the unit that is counted, nanoseconds since 1970; `nil` before its first event.
    private var unitEnd: Int64?
    private var eventCount: UInt64 = 0
    private var byteCount: UInt64 = 0

    init(unit: Unit, usesEventTimes: Bool) {
        self.unit = unit
        self.usesEventTimes = usesEventTimes
    }

    /// When the clock ends the unit; `nil` when there is nothing to print, or the events end it.
    var clockEnd: Int64? { self.usesEventTimes ? nil : self.unitEnd }

    /// Counts events; the lines of units that have ended.
    ///
    /// An event whose own time is before the unit counts in the unit: it came now.
    mutating func take(_ events: EventList, now: Int64) -> [String] {
        var lines: [String] = []
        for index in 0..<events.count {
            let time = self.usesEventTimes ? events.times[index] : now
            if let unitEnd, time >= unitEnd, let line = self.finishUnit() { lines.append(line) }
            if self.unitEnd == nil { self.unitEnd = self.endOfUnit(with: time) }
            self.eventCount += 1
            self.byteCount += UInt64(events.range(of: index).count)
        }
        return lines
    }

    /// Ends the unit; its line, unless nothing was counted.
    mutating func finishUnit() -> String? {
        guard let unitEnd else { return nil }
        let (count, bytes, seconds) = (self.eventCount, self.byteCount, self.unit.secondCount)
        self = FlowCounter(unit: self.unit, usesEventTimes: self.usesEventTimes)
        let unit = self.unit.rawValue
        return "[out_flowcounter] [\(unitEnd / 1_000_000_000), {\"counts\":\(count), \"bytes\":\(bytes), "
            + "\"counts/\(unit)\":\(count / seconds), \"bytes/\(unit)\":\(bytes / seconds) }]"
    }

    /// Units begin at whole minutes, hours and days of UTC.
    private func endOfUnit(with time: Int64) -> Int64 {
        let length = Int64(self.unit.secondCount) * 1_000_000_000
        let begun = time % length
        return time - (begun < 0 ? begun + length : begun) + length
    }
}
