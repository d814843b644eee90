internal import LeatCore

/// One entry of the journal: the rows of one request, and what must be known of the request.
///
///     0      4     5      6        8         16        24    28        32       36      40      44     48
///     ├──────┼─────┼──────┼────────┼─────────┼─────────┼─────┼─────────┼────────┼───────┼───────┼──────┼──────┬────────┐
///     │"LTFR"│kind │codec │reserved│sequence │durable  │meta │payload  │payload │payload│header │zeros │ meta │payload │
///     │      │ u8  │ u8   │ u16    │u64      │u64      │u32  │stored   │plain   │crc32c │crc32c │ u32  │      │        │
///     └──────┴─────┴──────┴────────┴─────────┴─────────┴─────┴─────────┴────────┴───────┴───────┴──────┴──────┴────────┘
///
/// Integers are little-endian. The header's checksum covers bytes 0..<40 and the meta part. Frames begin at multiples of
/// 8. `durable` is the last frame that was known to be on disk when this one was written: if such a frame is missing at the
/// end of the journal, it is damaged and not merely torn. The full format is in `docs/formats/journal.md`.
struct JournalFrame {
    static let magic: UInt32 = 0x5246_544C
    static let headerByteCount = 48
    static let alignment = 8
    static let kindRows: UInt8 = 1
    /// The most bytes the rows of one request may take.
    static let payloadByteCountMax = 512 << 20

    var sequence: UInt64
    var durable: UInt64
    var meta: Meta
    var payload: Payload

    /// The rows, compressed; made by the thread that appends.
    struct Payload {
        let stored: ByteSlice
        let codec: Compression.Codec
        let plainByteCount: Int
        let checksum: UInt32
    }

    /// What the journal thread adds.
    struct Meta: Hashable {
        /// Number of the frame before this one; numbers between are of frames whose writing failed.
        var previous: UInt64
        var repositoryID: Int64
        /// Number of the first row; the others follow, part by part.
        var firstRow: Int64
        var arrivedAtNanoseconds: Int64
        var parts: [Part]
        var key: BatchKey?
        var refused: [RefusedItem] = []
    }

    struct Part: Hashable {
        var tags: DatasourceTags
        var rowCount: Int
        /// Digests of the `_id`s, if rows have some; 0 where a row has none.
        var ids: [UInt128]
    }

    /// Header and meta part; the payload follows, then zeros up to a multiple of 8.
    func head() -> [UInt8] {
        var meta = ByteWriter()
        self.meta.append(to: &meta)
        var head = ByteWriter()
        head.append(Self.magic)
        head.append(byte: Self.kindRows)
        head.append(byte: self.payload.codec.rawValue)
        head.append(UInt16(0))
        head.append(self.sequence)
        head.append(self.durable)
        head.append(UInt32(meta.count))
        head.append(UInt32(self.payload.stored.count))
        head.append(UInt32(self.payload.plainByteCount))
        head.append(self.payload.checksum)
        let start = head.bytes.withUnsafeBytes { Checksum.crc32c($0) }
        head.append(meta.bytes.withUnsafeBytes { Checksum.crc32c($0, continuing: start) })
        head.append(UInt32(0))
        return head.bytes + meta.bytes
    }

    /// The frame as parts to be written.
    func parts() -> (parts: [ByteSlice], byteCount: Int) {
        let head = self.head()
        let total = head.count + self.payload.stored.count
        let padding = (Self.alignment - total % Self.alignment) % Self.alignment
        let zeros = ByteSlice([UInt8](repeating: 0, count: padding))
        return ([ByteSlice(head), self.payload.stored, zeros], total + padding)
    }

    static func payload(of batches: [Batch]) throws(DamagedBlock) -> Payload {
        var rows = ByteWriter()
        for batch in batches { try RowCoding.append(batch, to: &rows) }
        let compressed = rows.bytes.withUnsafeBytes { Compression.lz4($0) }
        let stored = compressed ?? ByteSlice(rows.bytes)
        return Payload(
            stored: stored,
            codec: compressed == nil ? .none : .lz4,
            plainByteCount: rows.count,
            checksum: Checksum.crc32c(stored)
        )
    }

    /// The rows of a frame, one batch per part.
    static func batches(of frame: JournalFrame) throws(FormatError) -> [Batch] {
        let payload = frame.payload
        var rows = ByteReader(
            try Compression.expand(payload.stored, payload.codec, byteCount: payload.plainByteCount)
        )
        var batches: [Batch] = []
        for part in frame.meta.parts {
            let batch = try RowCoding.batch(from: &rows)
            guard batch.rowCount == part.rowCount else {
                throw rows.fail("\(batch.rowCount) rows, not \(part.rowCount)")
            }
            batches.append(batch)
        }
        try rows.expectEnd()
        return batches
    }
}

extension JournalFrame {
    /// Reads the frame at the start of `bytes`; checks both checksums.
    static func read(_ bytes: ByteSlice) throws(FormatError) -> (frame: JournalFrame, byteCount: Int) {
        var header = ByteReader(bytes)
        guard try header.read(UInt32.self) == Self.magic else { throw header.fail("no frame") }
        let kind = try header.readByte()
        let codec = try header.readByte()
        _ = try header.read(UInt16.self)
        let sequence = try header.read(UInt64.self)
        let durable = try header.read(UInt64.self)
        let metaCount = Int(try header.read(UInt32.self))
        let storedCount = Int(try header.read(UInt32.self))
        let plainCount = Int(try header.read(UInt32.self))
        let payloadChecksum = try header.read(UInt32.self)
        let headerChecksum = try header.read(UInt32.self)
        _ = try header.read(UInt32.self)
        let metaBytes = try header.readSlice(metaCount)
        let start = Checksum.crc32c(bytes[0..<40])
        guard metaBytes.withUnsafeBytes({ Checksum.crc32c($0, continuing: start) }) == headerChecksum else {
            throw FormatError(offset: 0, reason: "wrong checksum of the frame's header")
        }
        guard kind == Self.kindRows, let codec = Compression.Codec(rawValue: codec) else {
            throw FormatError(offset: 0, reason: "frame of unknown kind \(kind), codec \(codec)")
        }
        guard plainCount <= Self.payloadByteCountMax else {
            throw FormatError(offset: 0, reason: "frame of \(plainCount) bytes")
        }
        let stored = try header.readSlice(storedCount)
        guard Checksum.crc32c(stored) == payloadChecksum else {
            throw FormatError(offset: header.position - storedCount, reason: "wrong checksum of the frame's rows")
        }
        var reader = ByteReader(metaBytes)
        let meta = try Meta(from: &reader)
        let payload = Payload(stored: stored, codec: codec, plainByteCount: plainCount, checksum: payloadChecksum)
        let frame = JournalFrame(sequence: sequence, durable: durable, meta: meta, payload: payload)
        let end = (header.position + Self.alignment - 1) / Self.alignment * Self.alignment
        return (frame, min(end, bytes.count))
    }
}

extension JournalFrame.Meta {
    private static let hasKey: UInt8 = 1

    func append(to bytes: inout ByteWriter) {
        bytes.append(varint: self.previous)
        bytes.append(signed: self.repositoryID)
        bytes.append(signed: self.firstRow)
        bytes.append(signed: self.arrivedAtNanoseconds)
        bytes.append(varint: self.parts.count)
        for part in self.parts {
            part.tags.append(to: &bytes)
            bytes.append(varint: part.rowCount)
            bytes.append(varint: part.ids.count)
            for id in part.ids { bytes.append(id) }
        }
        bytes.append(byte: self.key == nil ? 0 : Self.hasKey)
        if let key = self.key {
            bytes.append(counted: key.credential)
            bytes.append(key.series)
            bytes.append(key.number)
            bytes.append(key.hash)
        }
        RefusedItem.append(self.refused, to: &bytes)
    }

    init(from bytes: inout ByteReader) throws(FormatError) {
        self.previous = try bytes.readVarint()
        self.repositoryID = try bytes.readSigned()
        self.firstRow = try bytes.readSigned()
        self.arrivedAtNanoseconds = try bytes.readSigned()
        self.parts = []
        for _ in 0..<(try bytes.readCount(limit: bytes.remaining)) {
            let tags = try DatasourceTags(from: &bytes)
            let rowCount = try bytes.readCount(limit: Batch.rowCountMax)
            let idCount = try bytes.readCount(limit: rowCount)
            guard idCount == 0 || idCount == rowCount else { throw bytes.fail("\(idCount) ids for \(rowCount) rows") }
            var ids: [UInt128] = []
            for _ in 0..<idCount { ids.append(try bytes.read(UInt128.self)) }
            self.parts.append(JournalFrame.Part(tags: tags, rowCount: rowCount, ids: ids))
        }
        if try bytes.readByte() == Self.hasKey {
            self.key = BatchKey(
                credential: try bytes.readText(),
                series: try bytes.read(UInt128.self),
                number: try bytes.read(UInt64.self),
                hash: try bytes.read(UInt128.self)
            )
        }
        self.refused = try RefusedItem.list(from: &bytes)
        try bytes.expectEnd()
    }
}

extension RefusedItem {
    static func append(_ items: [RefusedItem], to bytes: inout ByteWriter) {
        bytes.append(varint: items.count)
        for item in items {
            bytes.append(varint: UInt64(item.position))
            bytes.append(item.status)
            bytes.append(counted: item.type)
            bytes.append(counted: item.reason)
        }
    }

    static func list(from bytes: inout ByteReader) throws(FormatError) -> [RefusedItem] {
        var items: [RefusedItem] = []
        for _ in 0..<(try bytes.readCount(limit: bytes.remaining)) {
            items.append(
                RefusedItem(
                    position: UInt32(try bytes.readCount(limit: Int(UInt32.max))),
                    status: try bytes.read(UInt16.self),
                    type: try bytes.readText(),
                    reason: try bytes.readText()
                )
            )
        }
        return items
    }
}
