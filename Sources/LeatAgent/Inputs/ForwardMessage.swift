internal import LeatCore
internal import LeatParsing

/// Reads the four forms of messages of the forward protocol.
///
///     [tag, time, record, option?]                 Message
///     [tag, [[time, record], …], option?]          Forward
///     [tag, bytes of [time, record]…, option?]     PackedForward, compressed if the option says so
///
/// A time is a number of seconds, or the type 0 with seconds and nanoseconds; newer senders write `[time, metadata]`.
enum ForwardMessage {
    /// What the option says.
    private struct Option {
        var chunk: String?
        var compression: String?
    }

    /// How many times longer a message may become when it is expanded.
    private static let expandedFactorMax = 8

    /// The events of a message that is there as a whole.
    static func action(
        _ reader: inout MessagePackReader,
        _ now: Timestamp,
        _ byteCountMax: Int
    ) throws(MessagePackReader.Failure) -> ForwardSession.Action {
        let token = try reader.next()
        // Some senders keep a connection alive with nil.
        if token == .null { return .accept(tag: "", events: EventList(), chunk: nil) }
        guard case .array(let count) = token, (2...4).contains(count) else {
            throw .malformed("2 to 4 parts are expected")
        }
        let tag = try reader.text()
        var events = EventList()
        var peek = reader
        let option: Option
        switch try peek.next() {
        case .array(let entryCount):
            reader = peek
            for _ in 0..<entryCount { try Self.appendEntry(&reader, now, to: &events) }
            option = count > 2 ? try Self.option(&reader) : Option()
        case .binary(let range), .text(let range):
            reader = peek
            option = count > 2 ? try Self.option(&reader) : Option()
            let packed = reader.bytes.slice(range)
            try Self.appendPacked(packed, option.compression, now, byteCountMax, to: &events)
        default:
            guard count >= 3 else { throw .malformed("the record is missing") }
            try Self.appendEvent(&reader, now, to: &events)
            option = count > 3 ? try Self.option(&reader) : Option()
        }
        return .accept(tag: tag, events: events, chunk: option.chunk)
    }

    private static func option(_ reader: inout MessagePackReader) throws(MessagePackReader.Failure) -> Option {
        var option = Option()
        switch try reader.next() {
        case .null: return option
        case .map(let count):
            for _ in 0..<count {
                switch try reader.text() {
                case "chunk": option.chunk = try reader.text()
                case "compressed": option.compression = try reader.text()
                default: try reader.skip()
                }
            }
            return option
        default: throw .malformed("the option is no map")
        }
    }

    private static func appendPacked(
        _ packed: UnsafeRawBufferPointer,
        _ compression: String?,
        _ now: Timestamp,
        _ byteCountMax: Int,
        to events: inout EventList
    ) throws(MessagePackReader.Failure) {
        if compression == nil || compression == "text" { return try Self.appendEntries(packed, now, to: &events) }
        guard compression == "gzip" || compression == "zstd" else {
            throw .malformed("the compression '\(compression ?? "")' is not known")
        }
        let bytes: [UInt8]
        do throws(CompressionError) {
            bytes =
                compression == "gzip"
                ? try Deflate.expand(packed, .gzip, byteCountMax: Self.expandedFactorMax * byteCountMax)
                : try Zstandard.expand(packed, byteCountMax: Self.expandedFactorMax * byteCountMax)
        } catch {
            throw .malformed("\(error)")
        }
        try ByteSlice(bytes).withUnsafeBytes { expanded throws(MessagePackReader.Failure) in
            try Self.appendEntries(expanded, now, to: &events)
        }
    }

    /// Entries one behind the other, as PackedForward and Fluent Bit's own chunks have them.
    static func appendEntries(
        _ bytes: UnsafeRawBufferPointer,
        _ now: Timestamp,
        to events: inout EventList
    ) throws(MessagePackReader.Failure) {
        var reader = MessagePackReader(bytes)
        do throws(MessagePackReader.Failure) {
            while !reader.isAtEnd { try Self.appendEntry(&reader, now, to: &events) }
        } catch .incomplete {
            throw .malformed("the entries are cut short")
        }
    }

    /// `[time, record]`.
    private static func appendEntry(
        _ reader: inout MessagePackReader,
        _ now: Timestamp,
        to events: inout EventList
    ) throws(MessagePackReader.Failure) {
        guard try reader.array() == 2 else { throw .malformed("an entry has two parts") }
        try Self.appendEvent(&reader, now, to: &events)
    }

    /// A time and a record.
    private static func appendEvent(
        _ reader: inout MessagePackReader,
        _ now: Timestamp,
        to events: inout EventList
    ) throws(MessagePackReader.Failure) {
        let time = try Self.time(&reader) ?? now.nanoseconds
        guard case .map(let count) = try reader.next() else { throw .malformed("a record is no map") }
        try reader.appendMembers(count, to: &events.bytes)
        events.endEvent(time: time)
    }

    /// Nanoseconds since 1970; `nil` for 0 and for what nanoseconds cannot tell, which means now.
    private static func time(
        _ reader: inout MessagePackReader,
        isInner: Bool = false
    ) throws(MessagePackReader.Failure) -> Int64? {
        switch try reader.next() {
        case .integer(let seconds):
            return seconds != 0 && seconds.magnitude < 9_000_000_000 ? seconds * 1_000_000_000 : nil
        case .double(let seconds): return seconds.magnitude < 9e9 ? Int64(seconds * 1e9) : nil
        case .other(let type, let range) where type == 0 && range.count == 8:
            let words = range.reduce(UInt64(0)) { $0 << 8 | UInt64(reader.bytes[$1]) }
            return Int64(words >> 32) * 1_000_000_000 + Int64(words & 0xFFFF_FFFF)
        case .array(let count) where count == 2 && !isInner:
            let time = try Self.time(&reader, isInner: true)
            // Metadata has no place in an event.
            try reader.skip()
            return time
        default: throw .malformed("this is no time")
        }
    }
}
