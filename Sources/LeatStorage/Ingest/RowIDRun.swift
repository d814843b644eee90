internal import LeatCore

/// Ids as they outlive the journal: an object of its own, removed after 24 h.
///
///      0          8               16              24                              end − 4
///      ├──────────┼───────────────┼───────────────┼───────────────────────────────┼────────┤
///      │"LEATIDS1"│ repository id │ last arrival, │ digests of the ids, 16 bytes  │ crc32c │
///      │          │      i64      │   ms, i64     │ each                          │  u32   │
///      └──────────┴───────────────┴───────────────┴───────────────────────────────┴────────┘
///
/// Integers are little-endian. The format's page is `docs/formats/ids.md`.
struct RowIDRun: Hashable, Sendable {
    private static let magic = Array("LEATIDS1".utf8)
    private static let headByteCount = 24

    var repositoryID: Int64
    var lastArrival: Int64 = .min
    var ids: [UInt128] = []

    init(repositoryID: Int64) { self.repositoryID = repositoryID }

    func encoded() -> ByteSlice {
        var bytes = ByteWriter()
        bytes.bytes += Self.magic
        bytes.append(self.repositoryID)
        bytes.append(self.lastArrival)
        for id in self.ids { bytes.append(id) }
        bytes.append(Checksum.crc32c(bytes.bytes))
        return ByteSlice(bytes.bytes)
    }

    init(_ bytes: ByteSlice) throws(FormatError) {
        let idByteCount = bytes.count - Self.headByteCount - 4
        guard idByteCount >= 0, idByteCount % 16 == 0 else {
            throw FormatError(offset: bytes.count, reason: "is cut short: \(bytes.count) bytes")
        }
        var reader = ByteReader(bytes)
        let magic = try reader.readSlice(8).array
        self.repositoryID = try reader.read()
        self.lastArrival = try reader.read()
        for _ in 0..<idByteCount / 16 { self.ids.append(try reader.read(UInt128.self)) }
        let found = Checksum.crc32c(bytes[0..<bytes.count - 4])
        guard magic == Self.magic, try reader.read(UInt32.self) == found else {
            throw FormatError(offset: 0, reason: "wrong checksum")
        }
    }
}
