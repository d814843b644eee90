internal import CLeatKernels
internal import LeatCore

/// Which short pieces of text occur in a block, so that a search for a substring can skip it.
///
/// Lines of equal size, so that those of many blocks can lie side by side. The rules that choose the keys, and why there
/// are two forms, are in `docs/decisions/0003-search-filters.md`.
struct BlockFilter: Sendable {
    /// How keys are kept.
    enum Form: Hashable, Sendable {
        /// Lines of 64 bytes; all bits of a key lie in one line.
        case bloom
        /// Lines of 64 slots of six bits; see `leat_fuse.h`. The seed is one for which all keys found a place.
        case fuse(seed: UInt8)

        var lineByteCount: Int {
            switch self {
            case .bloom: BloomLines.lineByteCount
            case .fuse: FuseLines.lineByteCount
            }
        }

        /// The form as a footer has it.
        var code: UInt8 {
            switch self {
            case .bloom: 0
            case .fuse(let seed): seed + 1
            }
        }

        init(code: UInt8) { self = code == 0 ? .bloom : .fuse(seed: code - 1) }
    }

    /// Texts of digits, dots and dashes have no key up to this length, excluded.
    static let keylessByteCount = 16
    /// Beyond this many keys a block has no filter: it holds what does not repeat, such as encoded files.
    static let keyCountMax = 2 << 20

    let form: Form
    /// Lines; 0 for a filter that lets everything through.
    let lineCount: Int
    /// Lengths of identifiers in the block: bit n for n bytes, bit 63 for 63 and more, bit 8 for UUIDs.
    let lengths: UInt64
    /// Those lengths of which identifiers have no keys for their parts.
    let openLengths: UInt64
    let lines: ByteSlice

    /// A filter that lets everything through.
    static let none = BlockFilter(form: .bloom, lineCount: 0, lengths: 0, openLengths: 0, lines: .empty)

    init(form: Form, lineCount: Int, lengths: UInt64, openLengths: UInt64, lines: ByteSlice) {
        self.form = form
        self.lineCount = lineCount
        self.lengths = lengths
        self.openLengths = openLengths
        self.lines = lines
    }
}

/// Gathers the keys of a block while it is encoded.
final class BlockFilterBuilder {
    private let keys: OpaquePointer?

    init() { self.keys = leat_key_set_create(BlockFilter.keyCountMax) }

    deinit { leat_key_set_free(self.keys) }

    /// Adds the texts of a column.
    ///
    /// `areDistinct` says that they stand for many rows, so that their identifiers deserve keys for their parts.
    func add(_ texts: ByteStrings, areDistinct: Bool) {
        guard let keys = self.keys else { return }
        for index in 0..<texts.count {
            let text = texts[index]
            if let start = text.baseAddress { leat_key_set_add(keys, start, text.count, areDistinct ? 1 : 0) }
        }
    }

    /// Adds texts that are all of `digitCount` lower-case hexadecimal digits.
    func add(hexadecimal texts: ByteStrings, digitCount: Int) {
        guard let keys = self.keys else { return }
        texts.bytes.withUnsafeBytes { leat_key_set_add_hexadecimal(keys, $0.baseAddress, digitCount, texts.count) }
    }

    /// Adds texts that were split into templates: what repeats once per template, what varies once per value.
    func add(_ split: TemplateSplit, of texts: ByteStrings) {
        guard let keys = self.keys else { return }
        var chunks: [leat_key_chunk] = []
        var chunkStarts: [UInt32] = [0]
        for template in split.templates {
            for part in template.statics {
                part.withUnsafeBytes { leat_key_set_add(keys, $0.baseAddress, $0.count, 0) }
            }
            chunks += KeyChunks.chunks(of: template.statics)
            chunkStarts.append(UInt32(chunks.count))
        }
        texts.bytes.withUnsafeBytes { area in
            var list = leat_split_texts()
            list.area = area.baseAddress
            list.count = texts.count
            texts.offsets.withUnsafeBufferPointer { offsets in
                split.codes.withUnsafeBufferPointer { codes in
                    split.spanCounts.withUnsafeBufferPointer { spanCounts in
                        list.offsets = offsets.baseAddress
                        list.codes = codes.baseAddress
                        list.span_counts = spanCounts.baseAddress
                        Self.add(&list, split, chunks, chunkStarts, to: keys)
                    }
                }
            }
        }
    }

    private static func add(
        _ list: inout leat_split_texts,
        _ split: TemplateSplit,
        _ chunks: [leat_key_chunk],
        _ chunkStarts: [UInt32],
        to keys: OpaquePointer
    ) {
        split.spanStarts.withUnsafeBufferPointer { starts in
            split.spanEnds.withUnsafeBufferPointer { ends in
                chunks.withUnsafeBufferPointer { chunks in
                    chunkStarts.withUnsafeBufferPointer { chunkStarts in
                        list.starts = starts.baseAddress
                        list.ends = ends.baseAddress
                        list.chunks = chunks.baseAddress
                        list.chunk_starts = chunkStarts.baseAddress
                        leat_key_set_add_split(keys, &list)
                    }
                }
            }
        }
    }

    /// The filter of all that was added.
    func finish() -> BlockFilter {
        guard let keys = self.keys else { return .none }
        let count = leat_key_set_count(keys)
        guard leat_key_set_is_full(keys) == 0 else { return .none }
        let list = [UInt64](unsafeUninitializedCapacity: count) { buffer, written in
            if let start = buffer.baseAddress { leat_key_set_keys(keys, start) }
            written = count
        }
        let (form, lines) = FuseLines.make(of: list) ?? (.bloom, BloomLines.make(of: list))
        return BlockFilter(
            form: form,
            lineCount: lines.count / form.lineByteCount,
            lengths: leat_key_set_lengths(keys),
            openLengths: leat_key_set_open_lengths(keys),
            lines: lines
        )
    }
}

/// What a needle asks of the filters.
struct NeedleKeys {
    /// See `LEAT_UUID_BIT`.
    private static let uuidBit: UInt64 = 1 << 8
    private static let uuidByteCount = 36

    private let keys: [UInt64]
    private let found: leat_needle_keys

    /// The keys of a text that a value contains, or with `isWhole` equals.
    init(_ bytes: [UInt8], isWhole: Bool) {
        var found = leat_needle_keys()
        self.keys = [UInt64](unsafeUninitializedCapacity: bytes.count * 3 + 8) { buffer, count in
            guard let start = buffer.baseAddress else { return }
            bytes.withUnsafeBytes { leat_needle_keys_find($0.baseAddress, $0.count, isWhole ? 1 : 0, start, &found) }
            count = found.part_start + found.part_count
        }
        self.found = found
    }

    /// Whether a block may hold the needle; `has` says whether its filter has a key.
    func mayMatch(
        lengths: UInt64,
        openLengths: UInt64,
        _ has: (UInt64) throws(DamagedBlock) -> Bool
    ) throws(DamagedBlock) -> Bool {
        guard try self.hasAll(0..<self.found.part_start, has) else { return false }
        guard self.found.has_edge != 0 else { return true }
        // The identifier at an edge of the needle is a whole one of the block, or part of a longer one.
        let count = min(self.found.edge_count, 63)
        if count < 63, lengths >> UInt64(count) & 1 != 0, try has(self.found.edge_key) { return true }
        if self.found.fits_uuid != 0, lengths & Self.uuidBit != 0 {
            if count == Self.uuidByteCount {
                if try has(self.found.edge_key) { return true }
            } else if openLengths & Self.uuidBit != 0 {
                return true
            } else if try self.hasAll(self.found.part_start..<self.keys.count, has) {
                return true
            }
        }
        let longer = count == 63 ? 1 << 63 : UInt64.max << UInt64(count + 1)
        if openLengths & longer != 0 { return true }
        guard lengths & longer != 0 else { return false }
        return try self.hasAll(self.found.part_start..<self.keys.count, has)
    }

    private func hasAll(
        _ range: Range<Int>,
        _ has: (UInt64) throws(DamagedBlock) -> Bool
    ) throws(DamagedBlock) -> Bool {
        for index in range {
            let isThere = try has(self.keys[index])
            if !isThere { return false }
        }
        return true
    }
}
