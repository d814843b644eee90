/// An event that a filter holds back.
struct HeldEvent: Hashable, Sendable {
    /// Nanoseconds since 1970.
    var time: Int64
    /// The members of its record, as in an `EventList`.
    var members: [UInt8]
}

extension EventList {
    /// A list of events that were held back.
    init(_ held: [HeldEvent]) {
        for event in held { event.members.withUnsafeBytes { self.append(time: event.time, members: $0) } }
    }
}

/// Which held events belong together: those of one filter, route tag and stream.
struct HeldKey: Hashable, Sendable {
    /// The filter's name, such as `multiline.0`.
    var filter: String
    var tag: String
    /// What tells the stream from others of the tag, as the filter sees it.
    var stream: [UInt8]
}

/// A change of what a filter holds back; the buffer keeps it, so that a killed agent loses none of it.
struct HeldChange: Hashable, Sendable {
    var key: HeldKey
    /// Whether what was held before has been handed on, or is among `events` again.
    var replaces: Bool
    /// Events that are held now, behind those of before.
    var events: [HeldEvent]
}

/// What filters hold back, as far as it is durable.
struct HeldState: Hashable, Sendable {
    /// Number of the newest read that changed it; 0 for none.
    var read: UInt64 = 0
    private(set) var events: [HeldKey: [HeldEvent]] = [:]

    /// Takes the changes of one read, which came after all others.
    mutating func apply(_ section: HeldSection, of read: UInt64) {
        self.read = read
        for change in section.changes { self.apply(change) }
    }

    /// Takes a change by itself.
    mutating func apply(_ change: HeldChange) {
        if change.replaces { self.events[change.key] = nil }
        if !change.events.isEmpty { self.events[change.key, default: []] += change.events }
    }
}
