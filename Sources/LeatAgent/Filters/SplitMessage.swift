internal import LeatCore
internal import LeatParsing

/// One event of a message that docker has split, and what docker's marks say of it.
///
///     "partial_message":"true","partial_id":"ab12","partial_ordinal":"2","partial_last":"false","log":"…"
struct MessagePart {
    private static let markPrefix: StaticString = "partial_"

    /// The event as it came.
    let event: HeldEvent
    /// The contents of the text's JSON string, in the event's members.
    let content: Range<Int>
    /// The contents of the id, as JSON.
    let id: [UInt8]
    /// Place in the message, from 1.
    let ordinal: Int?
    let isLast: Bool

    /// Reads the marks; `nil` for an event that is no part, or that has no id or no text under `key`, a name as JSON.
    init?(_ members: UnsafeRawBufferPointer, time: Int64, key: [UInt8]) {
        var content: Range<Int>?
        var id: Range<Int>?
        var ordinal: Int?
        var isPartial = false
        var isLast = false
        var scanner = MemberScanner(members)
        while let member = scanner.next() {
            let name = members.slice(member.name)
            if name.elementsEqual(key) {
                content = Self.string(members, member.value)
            } else if name.isEqual(to: "partial_message") {
                isPartial = Self.isTrue(members, member.value)
            } else if name.isEqual(to: "partial_id") {
                id = Self.string(members, member.value)
            } else if name.isEqual(to: "partial_ordinal") {
                let digits = Self.string(members, member.value) ?? member.value
                ordinal = Int(String(decoding: members.slice(digits), as: UTF8.self))
            } else if name.isEqual(to: "partial_last") {
                isLast = Self.isTrue(members, member.value)
            }
        }
        guard isPartial, let content, let id else { return nil }
        self.event = HeldEvent(time: time, members: Array(members))
        self.content = content
        self.id = Array(members.slice(id))
        self.ordinal = ordinal
        self.isLast = isLast
    }

    /// The contents of a value that is a string.
    private static func string(_ members: UnsafeRawBufferPointer, _ value: Range<Int>) -> Range<Int>? {
        members[value.lowerBound] == UInt8(ascii: "\"") ? value.lowerBound + 1..<value.upperBound - 1 : nil
    }

    /// Whether a value is `true`, or a text that begins so in any case.
    private static func isTrue(_ members: UnsafeRawBufferPointer, _ value: Range<Int>) -> Bool {
        let text = members.slice(Self.string(members, value) ?? value)
        return String(decoding: text.prefix(4), as: UTF8.self).lowercased() == "true"
    }

    /// Appends the members but for the text, and without the marks unless they are to stay.
    fileprivate func appendOthers(key: [UInt8], keepsMarks: Bool, to bytes: inout [UInt8], start: Int) {
        self.event.members.withUnsafeBytes { members in
            var scanner = MemberScanner(members)
            while let member = scanner.next() {
                let name = members.slice(member.name)
                let isMark = Self.markPrefix.withUTF8Buffer { name.starts(with: $0) }
                if name.elementsEqual(key) || isMark && !keepsMarks { continue }
                if bytes.count > start { bytes.append(UInt8(ascii: ",")) }
                bytes.append(UInt8(ascii: "\""))
                bytes.append(contentsOf: name)
                bytes.append("\":")
                bytes.append(contentsOf: members.slice(member.value))
            }
        }
    }
}

/// The parts of a message that wait for their last one.
struct SplitMessage {
    let tag: RouteTag
    private(set) var parts: [MessagePart] = []
    /// Bytes of all texts.
    private(set) var textByteCount = 0
    /// Bytes of all events.
    private(set) var byteCount = 0
    /// When the rest is no longer waited for, on the monotonic clock in nanoseconds.
    private(set) var deadline: UInt64 = 0
    /// Parts that were handed on since they were too much together.
    private var passedCount = 0

    init(tag: RouteTag) { self.tag = tag }

    mutating func append(_ part: MessagePart, deadline: UInt64) {
        self.parts.append(part)
        self.textByteCount += part.content.count
        self.byteCount += part.event.members.count
        self.deadline = deadline
    }

    /// Whether the last part came, and none is missing as far as their numbers tell.
    var isWhole: Bool {
        guard let last = self.parts.first(where: \.isLast) else { return false }
        guard let ordinal = last.ordinal, self.parts.allSatisfy({ $0.ordinal != nil }) else { return true }
        return self.parts.count >= ordinal - self.passedCount
    }

    /// Appends one event with the texts of all parts, in order, and the fields of the first; forgets the parts.
    ///
    /// What is not the whole message keeps its marks, so that somebody else can join it.
    mutating func handOn(key: [UInt8], keepsMarks: Bool, to output: inout EventList) {
        // Equal and missing numbers stay in the order in which they came.
        let parts = self.parts.enumerated().sorted {
            ($0.element.ordinal ?? 0, $0.offset) < ($1.element.ordinal ?? 0, $1.offset)
        }.map(\.element)
        guard let first = parts.first else { return }
        let start = output.openStart
        first.appendOthers(key: key, keepsMarks: keepsMarks, to: &output.bytes, start: start)
        if output.bytes.count > start { output.bytes.append(UInt8(ascii: ",")) }
        output.bytes.append(UInt8(ascii: "\""))
        output.bytes.append(contentsOf: key)
        output.bytes.append("\":\"")
        for part in parts { output.bytes.append(contentsOf: part.event.members[part.content]) }
        output.bytes.append(UInt8(ascii: "\""))
        output.endEvent(time: first.event.time)
        self.passedCount += parts.count
        self.parts = []
        self.textByteCount = 0
        self.byteCount = 0
    }
}
