internal import LeatCore

/// One checksummed entry of a chunk: the events that one read made for one route tag and one set of outputs.
///
///      0       4       8                                                  8+n     12+n
///      ├───────┼───────┼──────────────────────────────────────────────────┼───────┤
///      │"LFRM" │   n   │ read · frames · tag · position · held · events   │ crc32c│
///      │  u32  │  u32  │                     n bytes                      │  u32  │
///      └───────┴───────┴──────────────────────────────────────────────────┴───────┘
///
/// Integers are little-endian. `crc32c` covers bytes 4..<8+n. The magic lets a reader find the next whole frame behind
/// damaged bytes. The full format is in `docs/formats/chunk.md`.
enum Frame {
    /// `LFRM`.
    static let magic: UInt32 = 0x4D52_464C
    /// Bytes before the payload.
    static let headByteCount = 8
    /// Bytes before and after the payload.
    static let overheadByteCount = 12
    /// A longer payload is damage: no read makes that many bytes.
    static let payloadByteCountMax = 64 << 20

    /// Appends a frame with a payload that `body` appends.
    static func append(to bytes: inout [UInt8], _ body: (inout [UInt8]) -> Void) {
        let start = bytes.count
        bytes.appendInteger(Self.magic)
        bytes.appendInteger(UInt32(0))
        body(&bytes)
        bytes.setInteger(UInt32(bytes.count - start - Self.headByteCount), at: start + 4)
        let checksum = bytes.withUnsafeBytes { Checksum.crc32c(UnsafeRawBufferPointer(rebasing: $0[(start + 4)...])) }
        bytes.appendInteger(checksum)
    }

    /// The payload of the whole, undamaged frame at `offset`, and where the next one begins; `nil` if there is none.
    ///
    /// Bytes that never left memory need no check of their sum.
    static func read(
        _ bytes: UnsafeRawBufferPointer,
        at offset: Int,
        checksSum: Bool = true
    ) -> (payload: Range<Int>, next: Int)? {
        guard offset >= 0, bytes.count - offset >= Self.overheadByteCount else { return nil }
        let magic = UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt32.self))
        let count = Int(UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: offset + 4, as: UInt32.self)))
        guard magic == Self.magic, count <= Self.payloadByteCountMax,
            count <= bytes.count - offset - Self.overheadByteCount
        else { return nil }
        let end = offset + Self.headByteCount + count
        guard checksSum else { return ((offset + Self.headByteCount)..<end, end + 4) }
        let expected = UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: end, as: UInt32.self))
        let found = Checksum.crc32c(UnsafeRawBufferPointer(rebasing: bytes[(offset + 4)..<end]))
        guard expected == found else { return nil }
        return ((offset + Self.headByteCount)..<end, end + 4)
    }

    /// Where the next whole frame begins at or after `offset`; `nil` if there is none.
    static func find(_ bytes: UnsafeRawBufferPointer, from offset: Int) -> Int? {
        var position = offset
        while position + Self.overheadByteCount <= bytes.count {
            if bytes[position] == 0x4C, Self.read(bytes, at: position) != nil { return position }
            position += 1
        }
        return nil
    }
}

extension ChunkStore {
    /// Events of one route tag for one set of outputs, on their way into a chunk.
    struct NewFrame {
        let outputs: OutputSet
        let tag: RouteTag
        let events: EventList
    }
}

/// What a frame of events says, without the events themselves.
struct EventFrameHead: Hashable, Sendable {
    /// Number of the read that made the events, unique in a state folder for ever.
    var read: UInt64
    /// How many frames that read made, in all chunks.
    var frameCount: Int
    var tag: [UInt8]
    /// How far the source was read when the read was over; `nil` for inputs that have no file.
    var position: SourcePosition?
    /// Offset in the source where the read began.
    var startOffset: UInt64
    /// How far the source was durable when the read was made, or where its first read began: what a start goes back to that
    /// knows nothing of the source but this read, and not those in between.
    var durableOffset: UInt64 = 0

    /// Whether the read changed what filters hold back, which one of its frames says.
    var changesHeld = false

    /// What the flags of a frame mean.
    enum Flag {
        static let position: UInt8 = 1
        static let tail: UInt8 = 2
        static let held: UInt8 = 4
        static let changesHeld: UInt8 = 8
    }

    /// Appends the head, the events, and what the read changed of those that filters hold back.
    func encode(_ events: EventList, held: HeldSection? = nil, to bytes: inout [UInt8]) {
        bytes.appendInteger(self.read)
        bytes.appendInteger(UInt16(self.frameCount))
        let hasTail = !events.commonTail.isEmpty
        var flags: UInt8 = 0
        if self.position != nil { flags |= Flag.position }
        if hasTail { flags |= Flag.tail }
        if held != nil { flags |= Flag.held }
        if self.changesHeld { flags |= Flag.changesHeld }
        bytes.appendInteger(flags)
        bytes.appendCounted(self.tag.prefix(Int(UInt16.max)))
        if let position {
            bytes.appendInteger(self.startOffset)
            bytes.appendInteger(self.durableOffset)
            position.encode(to: &bytes)
        }
        if hasTail {
            bytes.appendInteger(UInt32(events.commonTail.count))
            bytes.append(contentsOf: events.commonTail)
        }
        held?.encode(to: &bytes)
        bytes.appendInteger(UInt32(events.count))
        for time in events.times { bytes.appendInteger(time) }
        var start = 0
        for end in events.ends {
            bytes.appendInteger(UInt32(end - start))
            start = end
        }
        bytes.append(contentsOf: events.bytes[..<start])
    }
}

/// A frame of events as it lies in a chunk; an object, since every event that is sent points to its frame.
final class EventFrame {
    let head: EventFrameHead
    let eventCount: Int
    /// Offset in the chunk of the times (i64 each).
    private let times: Int
    /// Offset in the chunk of the records' lengths (u32 each).
    private let lengths: Int
    /// Offset in the chunk of the first record.
    let records: Int
    /// Where in the chunk the members lie that follow those of every record; empty without such.
    let tail: Range<Int>
    /// What the read changed of the events that filters hold back, if this is the frame that says so.
    let held: HeldSection?

    /// Reads a payload; `nil` if it is not the payload of a frame of events.
    init?(_ bytes: UnsafeRawBufferPointer, payload: Range<Int>) {
        let part = UnsafeRawBufferPointer(rebasing: bytes[payload])
        var reader = FieldReader(part)
        guard let read = reader.integer(UInt64.self), let frameCount = reader.integer(UInt16.self),
            let flags = reader.integer(UInt8.self), let tag = reader.counted()
        else { return nil }
        var head = EventFrameHead(read: read, frameCount: Int(frameCount), tag: Array(tag), startOffset: 0)
        head.changesHeld = flags & EventFrameHead.Flag.changesHeld != 0
        if flags & EventFrameHead.Flag.position != 0 {
            guard let start = reader.integer(UInt64.self), let durable = reader.integer(UInt64.self),
                let position = SourcePosition(from: &reader)
            else { return nil }
            head.startOffset = start
            head.durableOffset = durable
            head.position = position
        }
        var tail = 0..<0
        if flags & EventFrameHead.Flag.tail != 0 {
            guard let count = reader.integer(UInt32.self), let range = reader.take(Int(count)) else { return nil }
            tail = (payload.lowerBound + range.lowerBound)..<(payload.lowerBound + range.upperBound)
        }
        var held: HeldSection?
        if flags & EventFrameHead.Flag.held != 0 {
            guard let section = HeldSection(from: &reader) else { return nil }
            held = section
        }
        guard let count = reader.integer(UInt32.self), let times = reader.take(Int(count) * 8),
            let lengths = reader.take(Int(count) * 4)
        else { return nil }
        self.head = head
        self.eventCount = Int(count)
        self.tail = tail
        self.held = held
        self.times = payload.lowerBound + times.lowerBound
        self.lengths = payload.lowerBound + lengths.lowerBound
        self.records = payload.lowerBound + reader.offset
        var total = 0
        for index in 0..<self.eventCount { total += self.length(of: index, in: bytes) }
        guard total == reader.remaining else { return nil }
    }

    /// Time of an event, nanoseconds since 1970.
    func time(of index: Int, in bytes: UnsafeRawBufferPointer) -> Int64 {
        Int64(littleEndian: bytes.loadUnaligned(fromByteOffset: self.times + index * 8, as: Int64.self))
    }

    /// Length of an event's record in bytes.
    func length(of index: Int, in bytes: UnsafeRawBufferPointer) -> Int {
        Int(UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: self.lengths + index * 4, as: UInt32.self)))
    }
}
