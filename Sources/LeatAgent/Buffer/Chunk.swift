internal import LeatCore

/// The first bytes of a chunk: its number and for which outputs it is.
///
///      0           8       12      16          24          32
///      ├───────────┼───────┼───────┼───────────┼───────────┼─────────────────────┤
///      │"LEATCHK1" │   n   │ crc32c│  number   │ created   │ count · names       │
///      │           │  u32  │  u32  │   u64     │ i64 (ns)  │ u16 · (u16 · UTF-8)*│
///      └───────────┴───────┴───────┴───────────┴───────────┴─────────────────────┘
///
/// `n` is the length of the whole header; `crc32c` covers bytes 16..<n. Frames follow; see `Frame`.
struct ChunkHeader: Hashable, Sendable {
    private static let magic: [UInt8] = Array("LEATCHK1".utf8)
    private static let fixedByteCount = 16

    var number: UInt64
    /// Nanoseconds since 1970.
    var createdAtNanoseconds: Int64
    /// The outputs that must settle the chunk before it is deleted.
    var outputs: [String]

    func encode() -> [UInt8] {
        var bytes = Self.magic
        bytes.appendInteger(UInt64(0))
        bytes.appendInteger(self.number)
        bytes.appendInteger(self.createdAtNanoseconds)
        bytes.appendInteger(UInt16(self.outputs.count))
        for name in self.outputs { bytes.appendCounted(name.utf8.prefix(Int(UInt16.max))) }
        bytes.setInteger(UInt32(bytes.count), at: 8)
        let checksum = bytes.withUnsafeBytes {
            Checksum.crc32c(UnsafeRawBufferPointer(rebasing: $0[Self.fixedByteCount...]))
        }
        bytes.setInteger(checksum, at: 12)
        return bytes
    }

    /// The header at the start of a chunk and its length; `nil` when it is cut short or damaged.
    static func read(_ bytes: UnsafeRawBufferPointer) -> (header: ChunkHeader, byteCount: Int)? {
        guard bytes.count > Self.fixedByteCount, bytes.prefix(8).elementsEqual(Self.magic) else { return nil }
        var reader = FieldReader(bytes, at: 8)
        guard let count = reader.integer(UInt32.self), let checksum = reader.integer(UInt32.self),
            count > Self.fixedByteCount, Int(count) <= bytes.count,
            Checksum.crc32c(UnsafeRawBufferPointer(rebasing: bytes[Self.fixedByteCount..<Int(count)])) == checksum,
            let number = reader.integer(UInt64.self), let createdAt = reader.integer(Int64.self),
            let outputCount = reader.integer(UInt16.self)
        else { return nil }
        var outputs: [String] = []
        for _ in 0..<outputCount {
            guard let name = reader.countedText() else { return nil }
            outputs.append(name)
        }
        return (ChunkHeader(number: number, createdAtNanoseconds: createdAt, outputs: outputs), Int(count))
    }
}

/// The bytes of a chunk, from memory or from disk.
enum ChunkContent {
    case memory([UInt8])
    case disk(ByteSlice)

    func withUnsafeBytes<Result>(_ body: (UnsafeRawBufferPointer) throws -> Result) rethrows -> Result {
        switch self {
        case .memory(let bytes): try bytes.withUnsafeBytes(body)
        case .disk(let slice): try slice.withUnsafeBytes { try body($0) }
        }
    }
}

/// A chunk that will never change again and waits until every output of its set has settled it.
final class ClosedChunk {
    let number: UInt64
    let byteCount: Int
    /// Nanoseconds since 1970.
    let createdAtNanoseconds: Int64
    /// Outputs that have not settled it yet.
    var remaining: OutputSet
    /// Names of outputs that the configuration no longer has; they keep the chunk until `state reset`.
    let orphans: [String]
    /// The bytes while they are still in memory.
    var cached: [UInt8]?
    /// The ring of this run that it belongs to.
    var ring: ChunkRing?
    /// Whether an earlier run made it.
    var isRecovered = false

    init(number: UInt64, byteCount: Int, createdAtNanoseconds: Int64, remaining: OutputSet, orphans: [String] = []) {
        self.number = number
        self.byteCount = byteCount
        self.createdAtNanoseconds = createdAtNanoseconds
        self.remaining = remaining
        self.orphans = orphans
    }
}

/// The frames of a chunk with its bytes, ready to be turned into a request.
struct LoadedChunk {
    let number: UInt64
    /// Nanoseconds since 1970.
    let createdAtNanoseconds: Int64
    let content: ChunkContent
    let frames: [EventFrame]
    /// Number of events of all frames.
    let eventCount: Int
    /// Parts that are not whole frames: offset and length in bytes.
    let damages: [Range<Int>]

    /// Reads all frames.
    init(number: UInt64, content: ChunkContent) {
        self.number = number
        self.content = content
        self.createdAtNanoseconds = content.withUnsafeBytes { ChunkHeader.read($0)?.header.createdAtNanoseconds ?? 0 }
        let checksSums = if case .disk = content { true } else { false }
        (self.frames, self.damages) = content.withUnsafeBytes { Self.frames($0, checksSums: checksSums) }
        self.eventCount = self.frames.reduce(0) { $0 + $1.eventCount }
    }

    private static func frames(
        _ bytes: UnsafeRawBufferPointer,
        checksSums: Bool
    ) -> ([EventFrame], [Range<Int>]) {
        var frames: [EventFrame] = []
        var damages: [Range<Int>] = []
        var offset = ChunkHeader.read(bytes)?.byteCount ?? 0
        while offset < bytes.count {
            if let found = Frame.read(bytes, at: offset, checksSum: checksSums),
                let frame = EventFrame(bytes, payload: found.payload)
            {
                frames.append(frame)
                offset = found.next
                continue
            }
            let next = Frame.find(bytes, from: offset + 1) ?? bytes.count
            damages.append(offset..<next)
            offset = next
        }
        return (frames, damages)
    }
}
