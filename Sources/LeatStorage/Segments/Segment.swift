internal import LeatCore

/// What a segment file says of itself; enough to rebuild the catalog.
///
///     ┌──────────┬────────────────┬──────────────────┬───────────────────────────────────────┐
///     │"LEATSEG1"│ pages of blocks│ filters │ footer │ trailer, 32 bytes                        │
///     └──────────┴────────────────┴──────────────────┴───────────────────────────────────────┘
///     trailer: footer offset u64 │ stored length u32 │ plain length u32 │ crc32c of the stored
///              footer u32 │ version u32 │ crc32c of bytes 0..<24 u32 │ "SEG1"
///
/// Integers are little-endian. The full format is in `docs/formats/segment.md`.
struct SegmentFooter: Hashable {
    static let fileMagic = Array("LEATSEG1".utf8)
    static let trailerMagic = Array("SEG1".utf8)
    static let trailerByteCount = 32
    static let version: UInt32 = 2
    /// Versions that are read.
    private static let versions: ClosedRange<UInt32> = 1...2
    private static let footerByteCountMax = 256 << 20

    var repositoryID: Int64
    var repository: String
    /// Milliseconds since 1970.
    var createdAt: Int64
    /// Numbers of the segments whose rows are in this one since a merge; they count as removed.
    var replaced: [Int64] = []
    var datasources: [DatasourceTags]
    var names: [String]
    var blocks: [BlockSummary]
    /// Where the groups of search filters begin; see `filterGroups`.
    var filterOffset: UInt64 = 0
}

extension SegmentFooter {
    static func == (left: Self, right: Self) -> Bool { left.encoded() == right.encoded() }

    func hash(into hasher: inout Hasher) { hasher.combine(self.encoded()) }

    func encoded() -> [UInt8] {
        var footer = ByteWriter()
        footer.append(signed: self.repositoryID)
        footer.append(counted: self.repository)
        footer.append(signed: self.createdAt)
        footer.append(varint: self.replaced.count)
        for number in self.replaced { footer.append(signed: number) }
        footer.append(varint: self.datasources.count)
        for tags in self.datasources { tags.append(to: &footer) }
        footer.append(varint: self.names.count)
        for name in self.names { footer.append(counted: name) }
        footer.append(varint: self.blocks.count)
        for block in self.blocks { block.append(to: &footer) }
        footer.append(varint: self.filterOffset)
        return footer.bytes
    }

    /// Footer and trailer for a file whose blocks end at `offset`.
    func tail(at offset: Int) -> [UInt8] {
        let plain = self.encoded()
        let stored = plain.withUnsafeBytes { Compression.zstd($0, level: 3) } ?? plain
        var trailer = ByteWriter()
        trailer.append(UInt64(offset))
        trailer.append(UInt32(stored.count))
        trailer.append(UInt32(plain.count))
        trailer.append(Checksum.crc32c(stored))
        trailer.append(Self.version)
        trailer.append(Checksum.crc32c(trailer.bytes))
        trailer.bytes += Self.trailerMagic
        return stored + trailer.bytes
    }

    /// Reads the footer of a whole segment file.
    init(file: ByteSlice) throws(FormatError) {
        let (plain, version) = try Self.plainFooter(of: file)
        var footer = ByteReader(plain)
        self.repositoryID = try footer.readSigned()
        self.repository = try footer.readText()
        self.createdAt = try footer.readSigned()
        for _ in 0..<(try footer.readCount(limit: footer.remaining)) { self.replaced.append(try footer.readSigned()) }
        self.datasources = []
        for _ in 0..<(try footer.readCount(limit: footer.remaining)) {
            self.datasources.append(try DatasourceTags(from: &footer))
        }
        self.names = []
        for _ in 0..<(try footer.readCount(limit: footer.remaining)) { self.names.append(try footer.readText()) }
        self.blocks = []
        for _ in 0..<(try footer.readCount(limit: footer.remaining)) {
            let block = try BlockSummary(from: &footer, version: version, fileByteCount: file.count)
            guard block.datasource < self.datasources.count, block.pages.allSatisfy({ $0.name < self.names.count })
            else { throw footer.fail("block names what is not there") }
            self.blocks.append(block)
        }
        self.filterOffset = try footer.readVarint()
        guard self.filterOffset <= UInt64(file.count), self.filterByteCount <= file.count - Int(self.filterOffset)
        else {
            throw footer.fail("search filters beyond the file")
        }
        try footer.expectEnd()
    }

    /// Blocks whose filters lie side by side.
    struct FilterBlocks {
        let form: BlockFilter.Form
        let lineCount: Int
        var blocks: [Int]

        var byteCount: Int {
            FilterGroup.byteCount(
                lineByteCount: self.form.lineByteCount,
                lineCount: self.lineCount,
                blockCount: self.blocks.count
            )
        }
    }

    /// Blocks by form, Bloom filters first, and size of their filter, smallest first, each group with its blocks in order;
    /// those without a filter are in no group.
    var filterGroups: [FilterBlocks] {
        var groups: [[Int]: FilterBlocks] = [:]
        for (index, block) in self.blocks.enumerated() where block.filter.lineCount > 0 {
            let key = [block.filter.form == .bloom ? 0 : 1, block.filter.lineCount]
            let empty = FilterBlocks(form: block.filter.form, lineCount: block.filter.lineCount, blocks: [])
            groups[key, default: empty].blocks.append(index)
        }
        return groups.sorted { $0.key.lexicographicallyPrecedes($1.key) }.map(\.value)
    }

    private var filterByteCount: Int { self.filterGroups.reduce(0) { $0 + $1.byteCount } }

    private static func plainFooter(
        of file: ByteSlice
    ) throws(FormatError) -> (plain: ByteSlice, version: UInt32) {
        guard file.count >= Self.fileMagic.count + Self.trailerByteCount else {
            throw FormatError(offset: file.count, reason: "is cut short: \(file.count) bytes")
        }
        let trailerOffset = file.count - Self.trailerByteCount
        var trailer = ByteReader(file, at: trailerOffset)
        let offset = try trailer.read(UInt64.self)
        let storedCount = Int(try trailer.read(UInt32.self))
        let plainCount = Int(try trailer.read(UInt32.self))
        let checksum = try trailer.read(UInt32.self)
        let version = try trailer.read(UInt32.self)
        let trailerChecksum = try trailer.read(UInt32.self)
        guard try trailer.readSlice(4).array == Self.trailerMagic else { throw trailer.fail("no segment trailer") }
        guard trailerChecksum == Checksum.crc32c(file[trailerOffset..<trailerOffset + 24]) else {
            throw trailer.fail("wrong checksum of the trailer")
        }
        guard Self.versions.contains(version) else {
            throw trailer.fail("version \(version), this program reads up to \(Self.version)")
        }
        guard offset <= UInt64(trailerOffset), Int(offset) + storedCount == trailerOffset,
            plainCount <= Self.footerByteCountMax
        else { throw trailer.fail("footer does not fit the file") }
        let stored = file[Int(offset)..<trailerOffset]
        guard Checksum.crc32c(stored) == checksum else {
            throw FormatError(offset: Int(offset), reason: "wrong checksum of the footer")
        }
        let codec: Compression.Codec = storedCount == plainCount ? .none : .zstd
        return (try Compression.expand(stored, codec, byteCount: plainCount), version)
    }
}

extension DatasourceTags {
    func append(to bytes: inout ByteWriter) {
        bytes.append(varint: self.tags.count)
        for tag in self.tags {
            bytes.append(counted: tag.name)
            bytes.append(counted: tag.value)
        }
    }

    init(from bytes: inout ByteReader) throws(FormatError) {
        var tags: [Tag] = []
        for _ in 0..<(try bytes.readCount(limit: bytes.remaining)) {
            tags.append(Tag(name: try bytes.readText(), value: try bytes.readText()))
        }
        self.init(tags)
    }
}

/// Puts blocks together to a segment file.
enum SegmentWriter {
    /// The parts of the file, in order, and its footer.
    static func assemble(
        _ blocks: [EncodedBlock],
        repositoryID: Int64,
        repository: String,
        createdAt: Int64,
        replaced: [Int64] = []
    ) -> (parts: [ByteSlice], footer: SegmentFooter) {
        var footer = SegmentFooter(
            repositoryID: repositoryID,
            repository: repository,
            createdAt: createdAt,
            replaced: replaced,
            datasources: [],
            names: [],
            blocks: []
        )
        var datasourceIndex: [DatasourceTags: Int] = [:]
        var nameIndex: [String: Int] = [:]
        var parts = [ByteSlice(SegmentFooter.fileMagic)]
        var offset = SegmentFooter.fileMagic.count
        for block in blocks {
            var summary = block.summary
            summary.datasource = Self.index(of: block.tags, in: &footer.datasources, &datasourceIndex)
            summary.offset = UInt64(offset)
            for page in summary.pages.indices {
                let name = block.names[summary.pages[page].name]
                summary.pages[page].name = Self.index(of: name, in: &footer.names, &nameIndex)
            }
            footer.blocks.append(summary)
            parts.append(block.bytes)
            offset += block.bytes.count
        }
        footer.filterOffset = UInt64(offset)
        for group in footer.filterGroups {
            let bytes = FilterGroup.encode(group.blocks.map { blocks[$0].filter })
            parts.append(ByteSlice(bytes))
            offset += bytes.count
        }
        parts.append(ByteSlice(footer.tail(at: offset)))
        return (parts, footer)
    }

    private static func index<Value: Hashable>(
        of value: Value,
        in list: inout [Value],
        _ known: inout [Value: Int]
    ) -> Int {
        if let index = known[value] { return index }
        known[value] = list.count
        list.append(value)
        return list.count - 1
    }
}

extension SegmentFooter {
    /// The blocks of the file from which the footer was read.
    func storedBlocks(of file: ByteSlice, path: String) -> [StoredBlock] {
        var filters = [StoredBlock.FilterPlace?](repeating: nil, count: self.blocks.count)
        var offset = Int(self.filterOffset)
        for members in self.filterGroups {
            let end = offset + members.byteCount
            let group = FilterGroup(
                lineByteCount: members.form.lineByteCount,
                lineCount: members.lineCount,
                blockCount: members.blocks.count,
                bytes: file[offset..<end],
                path: path,
                offset: UInt64(offset)
            )
            for (place, block) in members.blocks.enumerated() { filters[block] = .init(group: group, block: place) }
            offset = end
        }
        let nameIndexes = StoredBlock.indexes(of: self.names)
        return self.blocks.indices.map { index in
            let summary = self.blocks[index]
            return StoredBlock(
                repository: self.repository,
                tags: self.datasources[summary.datasource],
                names: self.names,
                nameIndexes: nameIndexes,
                summary: summary,
                bytes: file[Int(summary.offset)..<Int(summary.offset) + summary.byteCount],
                path: path,
                filter: filters[index]
            )
        }
    }
}
