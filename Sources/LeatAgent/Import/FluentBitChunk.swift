internal import LeatCore
internal import LeatParsing

/// A chunk that Fluent Bit left in its `storage.path`: events that it had read, filtered, and not delivered.
///
///      0       2       6       10       14      22    24          24+m
///      ├───────┼───────┼───────┼────────┼───────┼─────┼───────────┼───────────────────────────┤
///      │ C1 00 │ crc32 │   -   │ length │   -   │  m  │ metadata  │ content, `length` bytes   │
///      │       │  u32  │  u32  │  u32   │ 8 × u8│ u16 │ m bytes   │ `[[time, {}], record]` …  │
///
/// Integers are big-endian; `crc32` covers bytes 22 to the end of the content. The metadata are `F1 77`, the type (0 for
/// logs), flags, the route tag, and behind a zero the routes; of versions before 1.8.10 the tag alone. The layout is that
/// of `chunkio/cio_file_st.h` and `flb_input_chunk.c` of Fluent Bit 5.1.
struct FluentBitChunk {
    /// Why a file holds no events for us.
    enum Failure: Error, Hashable {
        case damaged(String)
        /// Metrics or traces, which this agent does not send.
        case otherType(UInt8)
    }

    private static let headerByteCount = 24
    private static let metadataMagic: [UInt8] = [0xF1, 0x77]
    /// Set in the flags when routes follow the tag.
    private static let hasRoutes: UInt8 = 1

    let tag: String
    let events: EventList

    /// Takes the bytes of a file apart.
    init(_ bytes: UnsafeRawBufferPointer, checksSum: Bool, now: Timestamp) throws(Failure) {
        guard bytes.count >= Self.headerByteCount, bytes[0] == 0xC1, bytes[1] == 0 else {
            throw .damaged("no chunk of Fluent Bit")
        }
        let contentStart = Self.headerByteCount + Int(Self.number(bytes, at: 22, byteCount: 2))
        guard contentStart <= bytes.count else { throw .damaged("cut short in its metadata") }
        var length = Int(Self.number(bytes, at: 10, byteCount: 4))
        // Versions that wrote no length filled the file.
        if length == 0, contentStart < bytes.count, bytes[contentStart] != 0 { length = bytes.count - contentStart }
        guard contentStart + length <= bytes.count else { throw .damaged("cut short") }
        if checksSum {
            let sum = Checksum.crc32(bytes.slice(22..<contentStart + length))
            guard UInt64(sum) == Self.number(bytes, at: 2, byteCount: 4) else { throw .damaged("invalid crc32") }
        }
        self.tag = try Self.tag(bytes.slice(Self.headerByteCount..<contentStart))
        self.events = try Self.events(bytes.slice(contentStart..<contentStart + length), now)
    }

    private static func number(_ bytes: UnsafeRawBufferPointer, at offset: Int, byteCount: Int) -> UInt64 {
        bytes[offset..<offset + byteCount].reduce(0) { $0 << 8 | UInt64($1) }
    }

    private static func tag(_ metadata: UnsafeRawBufferPointer) throws(Failure) -> String {
        guard metadata.count >= 4, metadata.prefix(2).elementsEqual(Self.metadataMagic) else { return metadata.text }
        if metadata[2] != 0 { throw .otherType(metadata[2]) }
        let rest = metadata.slice(4..<metadata.count)
        guard metadata[3] & Self.hasRoutes != 0, let end = rest.firstIndex(ofByte: 0, from: 0) else { return rest.text }
        return rest.slice(0..<end).text
    }

    private static func events(_ content: UnsafeRawBufferPointer, _ now: Timestamp) throws(Failure) -> EventList {
        var events = EventList()
        do throws(MessagePackReader.Failure) {
            try ForwardMessage.appendEntries(content, now, to: &events)
        } catch {
            if case .malformed(let reason) = error { throw .damaged(reason) }
            throw .damaged("cut short")
        }
        return events
    }
}
