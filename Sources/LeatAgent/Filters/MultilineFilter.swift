internal import LeatCore
internal import LeatParsing

/// `multiline`: joins the lines of several events, such as the frames of a stack trace.
///
/// Events of one route tag and one `stream` belong together. The first event's fields stay; its text becomes the joined
/// one. Held events are given back behind this filter, `Flush_ms` after the last line; until then the buffer knows them.
final class MultilineFilter: EventFilter {
    /// Streams that are held at a time; beyond it the oldest are handed out.
    static let streamCountMax = 4096

    private let machine: MultilineMachine
    private let key: [UInt8]
    private let byteCountMax: Int
    private let timeoutNanoseconds: UInt64
    private let buffers: Bool
    private var streams: [StreamKey: Stream] = [:]

    private struct StreamKey: Hashable {
        let tag: String
        let stream: [UInt8]
    }

    /// The joiner of one stream, and the fields of the event that is under way.
    private struct Stream {
        let tag: RouteTag
        var joiner: MultilineJoiner
        /// Events that the joiner holds, by the number that it was given as their offset; without gaps.
        var held: [UInt64: HeldEvent] = [:]
        var nextNumber: UInt64
    }

    /// Streams whose held events may have changed since the buffer was told.
    private var changed: Set<StreamKey> = []
    /// Numbers of the events that the buffer knows as held.
    private var recorded: [StreamKey: Range<UInt64>] = [:]
    /// Higher than every number that was given.
    private var nextNumber: UInt64 = 0

    init(_ configuration: PluginConfiguration, _ registry: ParserRegistry) throws(Diagnostics) {
        let settings = configuration.settings
        self.buffers = settings.flag("buffer")
        self.key = FieldPath.contents(settings.text("multiline.key_content") ?? "log")
        self.byteCountMax = registry.multilineByteCountMax
        self.timeoutNanoseconds = UInt64(max(0, settings.integer("flush_ms") ?? 2000)) * 1_000_000
        guard let entry = settings.entries("multiline.parser").first else {
            throw Diagnostics(configuration.mark.diagnostic("this filter has no multiline.parser"))
        }
        var rules: [MultilineRules] = []
        for name in settings.list("multiline.parser") where name != "cri" && name != "docker" {
            rules.append(try registry.multiline(name, entry).rules)
        }
        self.machine = MultilineMachine(MultilineRules.combined(rules), joinsFields: true)
    }

    var keepsEvents: Bool { true }

    func apply(to events: inout EventList, tag: RouteTag, context: inout FilterContext) {
        events = self.add(events, tag, now: context.monotonicNanoseconds)
        if !self.buffers {
            for key in Array(self.streams.keys) where key.tag == tag.text { self.finish(key, now: 0, to: &events) }
        }
        if self.streams.count > Self.streamCountMax { self.release(all: true, context: &context) }
    }

    func release(all: Bool, context: inout FilterContext) {
        let now = context.monotonicNanoseconds
        for (key, stream) in self.streams {
            guard all || (stream.joiner.deadline.map { now >= $0 } ?? true) else { continue }
            var output = EventList()
            self.finish(key, now: now, to: &output)
            if !output.isEmpty { context.released.append((tag: stream.tag, events: output)) }
            self.streams[key] = nil
        }
    }

    func takeHeldChanges(filter name: String) -> [HeldChange] {
        var changes: [HeldChange] = []
        for key in self.changed {
            let stream = self.streams[key]
            let end = stream?.nextNumber ?? 0
            let held = (end - UInt64(stream?.held.count ?? 0))..<end
            let before = self.recorded[key] ?? 0..<0
            guard held != before, !(held.isEmpty && before.isEmpty) else { continue }
            let grows = before.isEmpty || held.lowerBound == before.lowerBound
            let news = grows && !before.isEmpty ? before.upperBound..<held.upperBound : held
            self.recorded[key] = held.isEmpty ? nil : held
            changes.append(
                HeldChange(
                    key: HeldKey(filter: name, tag: key.tag, stream: key.stream),
                    replaces: !grows,
                    events: news.compactMap { stream?.held[$0] }
                )
            )
        }
        self.changed.removeAll(keepingCapacity: true)
        return changes
    }

    func restore(_ events: [HeldEvent], of key: HeldKey, tag: RouteTag, context: inout FilterContext) {
        let output = self.add(EventList(events), tag, now: context.monotonicNanoseconds)
        let stream = StreamKey(tag: key.tag, stream: key.stream)
        // No numbers are equal to these: the buffer is told once more what is held.
        self.recorded[stream] = .max - 1 ..< .max
        self.changed.insert(stream)
        if !output.isEmpty { context.released.append((tag: tag, events: output)) }
    }

    /// Takes events; what need not wait, or not any more.
    private func add(_ events: EventList, _ tag: RouteTag, now: UInt64) -> EventList {
        events.transformed { members, time, output in self.add(members, time: time, tag, now: now, to: &output) }
    }

    private func add(
        _ members: UnsafeRawBufferPointer,
        time: Int64,
        _ tag: RouteTag,
        now: UInt64,
        to output: inout EventList
    ) {
        let found = Self.scan(members, key: self.key)
        guard let value = found.content, members[value.lowerBound] == UInt8(ascii: "\"") else {
            return output.append(time: time, members: members)
        }
        let key = StreamKey(tag: tag.text, stream: found.stream.map { Array(members.slice($0)) } ?? [])
        let text = JSONText.unescaped(members.slice(value.lowerBound + 1..<value.upperBound - 1))
        var stream = self.streams.removeValue(forKey: key) ?? self.newStream(tag)
        let number = stream.nextNumber
        stream.nextNumber += 1
        self.nextNumber = max(self.nextNumber, stream.nextNumber)
        self.changed.insert(key)
        var held: [UInt64: HeldEvent] = [:]
        // Two owners would copy them for each line.
        swap(&held, &stream.held)
        held[number] = HeldEvent(time: time, members: Array(members))
        // docker's texts end with their newline, which is no part of the line.
        let line = text.last == 0x0A ? text.dropLast() : text[...]
        line.withUnsafeBytes { line in
            stream.joiner.add(line, nanoseconds: time, offset: number, now: now) { event, joined in
                self.emit(event, joined, &held, to: &output)
            }
        }
        stream.held = held
        self.streams[key] = stream
    }

    private func newStream(_ tag: RouteTag) -> Stream {
        let joiner = MultilineJoiner(
            self.machine,
            byteCountMax: self.byteCountMax,
            timeoutNanoseconds: self.timeoutNanoseconds
        )
        return Stream(tag: tag, joiner: joiner, nextNumber: self.nextNumber)
    }

    private func finish(_ key: StreamKey, now: UInt64, to output: inout EventList) {
        guard var stream = self.streams.removeValue(forKey: key) else { return }
        self.changed.insert(key)
        var held: [UInt64: HeldEvent] = [:]
        swap(&held, &stream.held)
        stream.joiner.finish(now: now) { event, joined in self.emit(event, joined, &held, to: &output) }
        stream.held = held
        self.streams[key] = stream
    }

    /// Appends the event of the first line with the joined text.
    private func emit(
        _ event: JoinedLine,
        _ joined: UnsafeRawBufferPointer,
        _ held: inout [UInt64: HeldEvent],
        to output: inout EventList
    ) {
        let last = event.offset + UInt64(event.partCount)
        guard let first = held[event.offset] else { return }
        for number in event.offset..<last { held[number] = nil }
        if event.partCount == 1 && !event.isTruncated {
            first.members.withUnsafeBytes { output.append(time: first.time, members: $0) }
            return
        }
        first.members.withUnsafeBytes { members in
            guard let value = Self.scan(members, key: self.key).content else { return }
            output.bytes.append(contentsOf: members.slice(0..<value.lowerBound))
            JSONWriter.append(string: joined, to: &output.bytes)
            output.bytes.append(contentsOf: members.slice(value.upperBound..<members.count))
        }
        if event.isTruncated { output.bytes += ",\"_truncated\":true".utf8 }
        output.endEvent(time: first.time)
    }

    private static func scan(
        _ members: UnsafeRawBufferPointer,
        key: [UInt8]
    ) -> (content: Range<Int>?, stream: Range<Int>?) {
        var content: Range<Int>?
        var stream: Range<Int>?
        var scanner = MemberScanner(members)
        while let member = scanner.next() {
            let name = members.slice(member.name)
            if name.elementsEqual(key) { content = content ?? member.value }
            if name.isEqual(to: "stream") { stream = member.value }
        }
        return (content, stream)
    }
}
