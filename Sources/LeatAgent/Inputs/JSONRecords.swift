internal import LeatCore
internal import LeatParsing

/// JSON objects that come one behind the other, or in arrays, as events.
enum JSONRecords {
    /// Appends an event per object; `false` when there is anything else, and then the events are not to be used.
    ///
    /// `tail`: members that every event gets, each behind a comma.
    static func append(
        _ text: UnsafeRawBufferPointer,
        tail: [UInt8] = [],
        time: Int64,
        to events: inout EventList
    ) -> Bool {
        var scanner = MemberScanner(text.trimmed)
        var count = 0
        while let range = scanner.nextElement() {
            let value = text.trimmed.slice(range)
            if value[0] == UInt8(ascii: "[") {
                var elements = MemberScanner(value.slice(1..<value.count - 1))
                let contents = value.slice(1..<value.count - 1)
                while let element = elements.nextElement() {
                    guard self.appendObject(contents.slice(element), tail, time, &events) else { return false }
                }
                guard elements.isAtEnd else { return false }
            } else {
                guard self.appendObject(value, tail, time, &events) else { return false }
            }
            count += 1
        }
        return count > 0 && scanner.isAtEnd
    }

    private static func appendObject(
        _ value: UnsafeRawBufferPointer,
        _ tail: [UInt8],
        _ time: Int64,
        _ events: inout EventList
    ) -> Bool {
        guard value.first == UInt8(ascii: "{") else { return false }
        do throws(JSONError) {
            let compact = try JSONCompact.compacted(value)
            let start = events.bytes.count
            events.bytes.append(contentsOf: compact[1..<(compact.count - 1)])
            RepeatedMembers.remove(in: &events.bytes, from: start)
            // Members stand behind a comma, unless they are the first.
            events.bytes.append(contentsOf: compact.count == 2 ? tail.dropFirst() : tail[...])
            events.endEvent(time: time)
            return true
        } catch {
            return false
        }
    }
}
