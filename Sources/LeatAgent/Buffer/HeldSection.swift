internal import LeatCore

/// What a read changed of the events that filters hold back, as it lies in a frame; see `docs/formats/chunk.md`.
struct HeldSection: Hashable, Sendable {
    /// Number of the read that made the change before this one; 0 for none.
    ///
    /// A start that does not have that change cannot use this one.
    var after: UInt64
    var changes: [HeldChange]

    private static let replaces: UInt8 = 1

    init(after: UInt64, changes: [HeldChange]) {
        self.after = after
        self.changes = changes
    }

    /// Appends the section in the form that `init(from:)` reads.
    func encode(to bytes: inout [UInt8]) {
        bytes.appendInteger(self.after)
        bytes.appendInteger(UInt32(self.changes.count))
        for change in self.changes {
            bytes.appendCounted(change.key.filter.utf8.prefix(Int(UInt16.max)))
            bytes.appendCounted(change.key.tag.utf8.prefix(Int(UInt16.max)))
            bytes.appendCounted(change.key.stream.prefix(Int(UInt16.max)))
            bytes.appendInteger(change.replaces ? Self.replaces : 0)
            bytes.appendInteger(UInt32(change.events.count))
            for event in change.events {
                bytes.appendInteger(event.time)
                bytes.appendInteger(UInt32(event.members.count))
                bytes.append(contentsOf: event.members)
            }
        }
    }

    /// Reads a section; `nil` if there is none.
    init?(from reader: inout FieldReader) {
        guard let after = reader.integer(UInt64.self), let count = reader.integer(UInt32.self) else { return nil }
        self.init(after: after, changes: [])
        for _ in 0..<count {
            guard let change = Self.change(from: &reader) else { return nil }
            self.changes.append(change)
        }
    }

    private static func change(from reader: inout FieldReader) -> HeldChange? {
        guard let filter = reader.countedText(), let tag = reader.countedText(), let stream = reader.counted(),
            let flags = reader.integer(UInt8.self), let eventCount = reader.integer(UInt32.self)
        else { return nil }
        let key = HeldKey(filter: filter, tag: tag, stream: Array(stream))
        var change = HeldChange(key: key, replaces: flags & Self.replaces != 0, events: [])
        for _ in 0..<eventCount {
            guard let time = reader.integer(Int64.self), let length = reader.integer(UInt32.self),
                let members = reader.bytes(Int(length))
            else { return nil }
            change.events.append(HeldEvent(time: time, members: Array(members)))
        }
        return change
    }
}
