internal import LeatCore
internal import Synchronization

/// A block that is read page by page, when a query asks for a column.
final class StoredBlock: BlockSource {
    let repository: String
    let tags: DatasourceTags
    let names: [String]
    /// Per name its index in `names`; the blocks of a segment share it.
    private let nameIndexes: [String: Int]
    let summary: BlockSummary
    /// The pages of the block.
    let bytes: ByteSlice
    /// What an operator sees of the file in a report of damage.
    let path: String
    private let filter: FilterPlace?
    private let cache: ColumnCache
    /// Its number in the cache.
    private let number = ColumnCache.newBlockNumber()
    /// Whether its times ascend; 0 until somebody has looked, then 1 if not, 2 if so.
    private let order = Atomic<UInt8>(0)

    /// Where the search filter is.
    struct FilterPlace {
        var group: FilterGroup
        /// Place of the block in its group.
        var block: Int
    }

    init(
        repository: String,
        tags: DatasourceTags,
        names: [String],
        nameIndexes: [String: Int],
        summary: BlockSummary,
        bytes: ByteSlice,
        path: String,
        filter: FilterPlace?,
        cache: ColumnCache = .shared
    ) {
        self.filter = filter
        self.cache = cache
        self.repository = repository
        self.tags = tags
        self.names = names
        self.nameIndexes = nameIndexes
        self.summary = summary
        self.bytes = bytes
        self.path = path
    }

    /// A block that is sealed but not yet in a file.
    convenience init(_ block: EncodedBlock, repository: String) {
        self.init(
            repository: repository,
            tags: block.tags,
            names: block.names,
            nameIndexes: Self.indexes(of: block.names),
            summary: block.summary,
            bytes: block.bytes,
            path: "block in memory",
            filter: block.filter.lineCount == 0 ? nil : FilterPlace(group: FilterGroup(block.filter), block: 0)
        )
    }

    /// Per name its index.
    static func indexes(of names: [String]) -> [String: Int] {
        Dictionary(names.enumerated().map { ($0.element, $0.offset) }) { first, _ in first }
    }

    deinit { self.cache.removeAll(block: self.number) }

    /// Bytes that the block takes in memory, its columns left out, about.
    var footerByteCount: Int {
        let constants = self.summary.pages.reduce(0) { $0 + ($1.summary.constant.map { 32 + $0.count } ?? 0) }
        return 512 + self.summary.pages.count * MemoryLayout<BlockSummary.Page>.stride + constants
    }

    /// Whether some value may hold what a needle asks for.
    func mayHold(_ needle: NeedleKeys) throws(DamagedBlock) -> Bool {
        guard let filter = self.filter else { return true }
        let place = self.summary.filter
        return try needle.mayMatch(lengths: place.lengths, openLengths: place.openLengths) {
            (key) throws(DamagedBlock) in
            try filter.group.contains(key, block: filter.block, place.form)
        }
    }

    /// The search filter, checked, for another segment.
    func blockFilter() throws(DamagedBlock) -> BlockFilter {
        guard let filter = self.filter else { return .none }
        return BlockFilter(
            form: self.summary.filter.form,
            lineCount: filter.group.lineCount,
            lengths: self.summary.filter.lengths,
            openLengths: self.summary.filter.openLengths,
            lines: try filter.group.lines(of: filter.block)
        )
    }

    var rowCount: Int { self.summary.rowCount }
    var timeRange: ClosedRange<Int64> { self.summary.times }
    var byteCount: Int { self.summary.plainByteCount }

    /// The value that all rows have because of their datasource; `nil` for other fields.
    func impliedValue(of field: String) -> String? {
        field == StoredFields.repository ? self.repository : self.tags[field]
    }

    /// The page of a field.
    func page(named name: String) -> BlockSummary.Page? {
        guard let index = self.nameIndexes[name] else { return nil }
        return self.summary.pages.first { $0.name == index }
    }

    func mayMatch(_ prefilter: Prefilter) throws(DamagedBlock) -> Bool { try PrefilterCheck.mayMatch(prefilter, self) }

    var exactRowCount: Int? { self.rowCount }

    func statistics(of field: String) -> FieldStatistics? {
        if self.impliedValue(of: field) != nil { return FieldStatistics(presentCount: self.rowCount) }
        if let page = self.page(named: field), field != StoredFields.time, field != DocumentColumns.textName {
            return FieldStatistics(presentCount: page.summary.presentCount, integers: page.summary.bounds)
        }
        // Names with `@` may be derived from stored ones.
        return field.utf8.first == UInt8(ascii: "@") ? nil : FieldStatistics(presentCount: 0)
    }

    func read() throws(DamagedBlock) -> Batch { try self.read(keepingColumns: true) }

    /// The block's rows; with `keepingColumns` from what is kept in memory, where others find them again, else all bytes
    /// are read and checked.
    func read(keepingColumns: Bool) throws(DamagedBlock) -> Batch {
        let page = self.summary.pages[0]
        let times: [Int64]
        if keepingColumns, case .integer(let column)? = self.cache.column(block: self.number, page: page.offset) {
            times = column.values
        } else {
            let bytes = try self.verified(page)
            do {
                var reader = try PageReader(bytes)
                times = try IntegerPacking.read(count: self.rowCount, from: &reader)
            } catch {
                throw self.damage(page, error.reason)
            }
            if keepingColumns {
                self.keep(.integer(IntegerColumn(values: times)), page, expandedByteCount: 0)
            }
        }
        let source = StoredColumns(self, times: times, isKept: keepingColumns)
        return Batch(
            timestamps: times,
            source: source,
            timeRange: self.timeRange,
            areTimesAscending: self.areAscending(times)
        )
    }

    /// Whether the block's times ascend; looked at once.
    private func areAscending(_ times: [Int64]) -> Bool {
        let known = self.order.load(ordering: .relaxed)
        if known != 0 { return known == 2 }
        let areAscending = times.isAscending
        self.order.store(areAscending ? 2 : 1, ordering: .relaxed)
        return areAscending
    }

    /// Reads the column of a page.
    func column(
        _ page: BlockSummary.Page,
        _ context: DecodingContext,
        isKept: Bool = false
    ) throws(DamagedBlock) -> Column {
        if isKept, let known = self.cache.column(block: self.number, page: page.offset) { return known }
        let bytes = try self.verified(page)
        do {
            var reader = try PageReader(bytes)
            let column = try ColumnDecoder.column(of: &reader, rowCount: self.rowCount, context)
            if isKept { self.keep(column, page, expandedByteCount: reader.expandedByteCount) }
            return column
        } catch {
            throw self.damage(page, error.reason)
        }
    }

    private func keep(_ column: Column, _ page: BlockSummary.Page, expandedByteCount: Int) {
        let byteCount = expandedByteCount + column.byteCount
        self.cache.insert(column, block: self.number, page: page.offset, byteCount: byteCount)
    }

    /// The bytes of a page, whose checksum is right.
    func verified(_ page: BlockSummary.Page) throws(DamagedBlock) -> ByteSlice {
        let bytes = self.bytes[page.offset..<page.offset + page.byteCount]
        let found = Checksum.crc32c(bytes)
        guard found == page.checksum else {
            throw self.damage(
                page,
                "checksum of column '\(self.names[page.name])' is \(found), expected \(page.checksum)"
            )
        }
        return bytes
    }

    private func damage(_ page: BlockSummary.Page, _ reason: String) -> DamagedBlock {
        DamagedBlock(path: self.path, offset: self.summary.offset + UInt64(page.offset), reason: reason)
    }
}

/// The columns of a stored block, each read once.
private final class StoredColumns: ColumnSource {
    private let block: StoredBlock
    private let times: [Int64]
    /// Whether columns are kept for later queries.
    private let isKept: Bool
    /// By the offset of the page, which fields may share.
    private let read = Mutex<[Int: Column]>([:])
    private let byteCount: Mutex<Int>

    init(_ block: StoredBlock, times: [Int64], isKept: Bool) {
        self.block = block
        self.isKept = isKept
        self.times = times
        self.byteCount = Mutex(block.summary.pages[0].byteCount)
    }

    var storedBytesRead: Int { self.byteCount.withLock { $0 } }

    var fieldNames: [String] {
        [StoredFields.repository] + self.block.tags.tags.map(\.name)
            + self.block.summary.pages.dropFirst().map { self.block.names[$0.name] }
    }

    func traits(of name: String) -> TextTraits? {
        guard self.block.impliedValue(of: name) == nil else { return nil }
        return self.block.page(named: name)?.summary.traits
    }

    func column(_ name: String) throws(DamagedBlock) -> Column? {
        if let value = self.block.impliedValue(of: name) {
            return .constant(ConstantColumn(value: ByteSlice(value), rowCount: self.block.rowCount))
        }
        guard name != StoredFields.time, let page = self.block.page(named: name) else { return nil }
        // A column may refer to one that has its rows from a third; that one stands for itself, so that no circle can be.
        let innermost = DecodingContext(times: self.times, keepsNumbers: self.isKept)
        return try self.load(page, self.context(self.context(innermost)))
    }

    /// The context of a column that may refer to others, which are read in `inner`.
    private func context(_ inner: DecodingContext) -> DecodingContext {
        var context = DecodingContext(times: self.times, keepsNumbers: self.isKept)
        context.column = { (other: String) throws(FormatError) -> Column? in
            guard let page = self.block.page(named: other) else { return nil }
            do throws(DamagedBlock) {
                return try self.load(page, inner)
            } catch {
                throw FormatError(offset: 0, reason: error.reason)
            }
        }
        return context
    }

    private func load(_ page: BlockSummary.Page, _ context: DecodingContext) throws(DamagedBlock) -> Column {
        if let known = self.read.withLock({ $0[page.offset] }) { return known }
        let column = try self.block.column(page, context, isKept: self.isKept)
        self.byteCount.withLock { $0 += page.byteCount }
        self.read.withLock { $0[page.offset] = column }
        return column
    }
}

extension ColumnEncoder.Summary {
    /// What all texts of the column have in common, as far as that is known without them.
    fileprivate var traits: TextTraits? {
        if let constant = self.constant {
            return constant.withUnsafeBytes { TextTraits(bytes: ByteSet(of: $0), lengths: $0.count...$0.count) }
        }
        if let bounds = self.bounds { return NumberForm.integer.traits(of: bounds) }
        let others: String
        switch self.kind {
        case .integer, .decimal, .address, .padded: others = ".-"
        case .hexadecimal: others = "abcdef"
        case .uuid: others = "abcdef-"
        case .constant, .dictionary, .plain, .time, .prefix, .template, .reference, .mapped:
            return self.longestByteCount.map { TextTraits(bytes: .all, lengths: 0...$0) }
        }
        var bytes = ByteSet(UInt8(ascii: "0")...UInt8(ascii: "9"))
        for byte in others.utf8 { bytes.insert(byte) }
        return TextTraits(bytes: bytes, lengths: 0...Int(UInt16.max))
    }
}

extension ColumnKind {
    /// Whether texts of this kind may have any length, as far as the kind says.
    var tellsNoLength: Bool {
        switch self {
        case .dictionary, .plain, .time, .prefix, .template, .reference, .mapped: true
        case .constant, .integer, .decimal, .address, .padded, .hexadecimal, .uuid: false
        }
    }
}
