internal import LeatCore
internal import LeatParsing

/// `multiline` with `mode partial_message`: joins the messages that docker has split at 16 KiB.
///
/// Docker's logging drivers that keep its marks, such as `fluentd` (and FireLens with it), send each part as an event; see
/// `MessagePart`. Parts of one route tag and one `partial_id` belong together. A message goes on with its last part, or
/// `Flush_ms` after its newest one; until then the buffer knows its parts.
final class PartialMessageFilter: EventFilter {
    /// Messages that may be incomplete at a time; beyond it the oldest are handed on as they are.
    private let messageCountMax: Int
    /// Bytes of all parts that wait; the same beyond it.
    private let heldByteCountMax: Int

    private let key: [UInt8]
    /// `multiline_buffer_limit`: the longest text that is joined; what is longer goes on in pieces.
    private let textByteCountMax: Int
    private let timeoutNanoseconds: UInt64

    private struct Key: Hashable {
        let tag: String
        let id: [UInt8]
    }

    private var messages: [Key: SplitMessage] = [:]
    private var heldByteCount = 0

    /// Messages whose parts may have changed since the buffer was told.
    private var changed: Set<Key> = []
    /// Those of them that handed on the parts that they had then.
    private var replaced: Set<Key> = []
    /// How many parts of a message the buffer knows; never 0.
    private var recorded: [Key: Int] = [:]

    init(
        _ configuration: PluginConfiguration,
        textByteCountMax: Int,
        messageCountMax: Int = 4_096,
        heldByteCountMax: Int = 8 << 20
    ) throws(Diagnostics) {
        let settings = configuration.settings
        if !settings.flag("buffer") {
            let mark = settings.entries("buffer").last?.valueMark ?? configuration.mark
            throw Diagnostics(mark.diagnostic("the mode partial_message needs buffer on: parts come in several reads"))
        }
        self.key = FieldPath.contents(settings.text("multiline.key_content") ?? "log")
        self.textByteCountMax = textByteCountMax
        self.timeoutNanoseconds = UInt64(max(0, settings.integer("flush_ms") ?? 2_000)) * 1_000_000
        self.messageCountMax = messageCountMax
        self.heldByteCountMax = heldByteCountMax
    }

    var keepsEvents: Bool { true }

    func apply(to events: inout EventList, tag: RouteTag, context: inout FilterContext) {
        events = self.add(events, tag, now: context.monotonicNanoseconds)
        self.boundHeld(&context)
    }

    func release(all: Bool, context: inout FilterContext) {
        let now = context.monotonicNanoseconds
        let due = self.messages.filter { all || now >= $0.value.deadline }.sorted {
            $0.value.deadline < $1.value.deadline
        }
        for (key, message) in due {
            // What has waited in vain is as whole as it gets.
            self.release(key, message, keepsMarks: now < message.deadline, &context)
        }
    }

    func takeHeldChanges(filter name: String) -> [HeldChange] {
        var changes: [HeldChange] = []
        for key in self.changed {
            let parts = self.messages[key]?.parts ?? []
            let isOver = self.replaced.contains(key)
            let known = self.recorded[key]
            let news = parts[(isOver ? 0 : known ?? 0)...].map(\.event)
            let replaces = isOver && known != nil
            self.recorded[key] = parts.isEmpty ? nil : parts.count
            guard replaces || !news.isEmpty else { continue }
            let heldKey = HeldKey(filter: name, tag: key.tag, stream: key.id)
            changes.append(HeldChange(key: heldKey, replaces: replaces, events: news))
        }
        self.changed.removeAll(keepingCapacity: true)
        self.replaced.removeAll(keepingCapacity: true)
        return changes
    }

    func restore(_ events: [HeldEvent], of key: HeldKey, tag: RouteTag, context: inout FilterContext) {
        // The buffer is told once more what is held.
        let known = Key(tag: key.tag, id: key.stream)
        self.recorded[known] = events.count
        self.changed.insert(known)
        self.replaced.insert(known)
        let output = self.add(EventList(events), tag, now: context.monotonicNanoseconds)
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
        guard let part = MessagePart(members, time: time, key: self.key) else {
            return output.append(time: time, members: members)
        }
        let key = Key(tag: tag.text, id: part.id)
        var message = self.messages.removeValue(forKey: key) ?? SplitMessage(tag: tag)
        if message.textByteCount + part.content.count > self.textByteCountMax {
            self.handOn(key, &message, keepsMarks: true, to: &output)
        }
        message.append(part, deadline: now + self.timeoutNanoseconds)
        self.heldByteCount += part.event.members.count
        self.changed.insert(key)
        if message.isWhole {
            self.handOn(key, &message, keepsMarks: false, to: &output)
        } else {
            self.messages[key] = message
        }
    }

    private func handOn(_ key: Key, _ message: inout SplitMessage, keepsMarks: Bool, to output: inout EventList) {
        self.heldByteCount -= message.byteCount
        message.handOn(key: self.key, keepsMarks: keepsMarks, to: &output)
        self.changed.insert(key)
        self.replaced.insert(key)
    }

    private func release(_ key: Key, _ message: SplitMessage, keepsMarks: Bool, _ context: inout FilterContext) {
        var message = message
        var output = EventList()
        self.messages[key] = nil
        self.handOn(key, &message, keepsMarks: keepsMarks, to: &output)
        if !output.isEmpty { context.released.append((tag: message.tag, events: output)) }
    }

    /// Hands on the oldest messages while too much waits.
    private func boundHeld(_ context: inout FilterContext) {
        guard self.holdsTooMuch else { return }
        context.warnings.append("too many unfinished messages are held; the oldest go on in pieces")
        while self.holdsTooMuch, let oldest = self.messages.min(by: { $0.value.deadline < $1.value.deadline }) {
            self.release(oldest.key, oldest.value, keepsMarks: true, &context)
        }
    }

    private var holdsTooMuch: Bool {
        self.messages.count > self.messageCountMax || self.heldByteCount > self.heldByteCountMax
    }
}
