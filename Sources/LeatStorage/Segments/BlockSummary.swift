internal import LeatCore

/// What is known of a block without reading its pages; the footer of a segment is a list of these.
struct BlockSummary: Hashable {
    /// A page of a block.
    struct Page: Hashable {
        /// Index in the segment's list of names.
        var name: Int
        /// Offset from the start of the block, in bytes.
        var offset: Int
        var byteCount: Int
        /// CRC-32C of the page's bytes.
        var checksum: UInt32
        var summary: ColumnEncoder.Summary
    }

    /// What the footer keeps of a block's search filter.
    struct Filter: Hashable {
        var form: BlockFilter.Form
        /// 0 when there is none.
        var lineCount: Int
        var lengths: UInt64
        var openLengths: UInt64
    }

    /// Index in the segment's list of datasources.
    var datasource: Int
    /// Offset from the start of the file, in bytes.
    var offset: UInt64
    var byteCount: Int
    var rowCount: Int
    /// Event times in nanoseconds.
    var times: ClosedRange<Int64>
    /// Arrivals in milliseconds.
    var arrivals: ClosedRange<Int64>
    /// Row numbers of the repository.
    var rows: ClosedRange<Int64>
    /// Bytes of the values as they arrived.
    var plainByteCount: Int
    /// Size and lengths of the search filter; the lines themselves are in a group of the segment.
    var filter: Filter
    /// The first page holds the event times.
    var pages: [Page]
}

extension BlockSummary {
    private static let pageCountMax = 1 << 20

    func append(to footer: inout ByteWriter) {
        footer.append(varint: self.datasource)
        footer.append(varint: self.offset)
        footer.append(varint: self.byteCount)
        footer.append(varint: self.rowCount)
        for range in [self.times, self.arrivals, self.rows] {
            footer.append(signed: range.lowerBound)
            footer.append(varint: UInt64(bitPattern: range.upperBound &- range.lowerBound))
        }
        footer.append(varint: self.plainByteCount)
        footer.append(varint: self.filter.lineCount)
        footer.append(byte: self.filter.form.code)
        footer.append(self.filter.lengths)
        footer.append(self.filter.openLengths)
        footer.append(varint: self.pages.count)
        for page in self.pages {
            footer.append(varint: page.name)
            footer.append(varint: page.offset)
            footer.append(varint: page.byteCount)
            footer.append(page.checksum)
            page.summary.append(to: &footer)
        }
    }

    init(from footer: inout ByteReader, version: UInt32, fileByteCount: Int) throws(FormatError) {
        self.datasource = try footer.readCount(limit: 1 << 20)
        self.offset = try footer.readVarint()
        self.byteCount = try footer.readCount(limit: fileByteCount)
        guard self.offset <= UInt64(fileByteCount - self.byteCount) else { throw footer.fail("block beyond the file") }
        self.rowCount = try footer.readCount(limit: Batch.rowCountMax)
        self.times = try Self.range(from: &footer)
        self.arrivals = try Self.range(from: &footer)
        self.rows = try Self.range(from: &footer)
        self.plainByteCount = try footer.readCount(limit: .max)
        let lineCount = try footer.readCount(limit: fileByteCount)
        // Older files have Bloom filters only.
        let form = BlockFilter.Form(code: version < 2 ? 0 : try footer.readByte())
        guard lineCount <= fileByteCount / form.lineByteCount else { throw footer.fail("filter beyond the file") }
        self.filter = Filter(
            form: form,
            lineCount: lineCount,
            lengths: try footer.read(UInt64.self),
            openLengths: try footer.read(UInt64.self)
        )
        self.pages = []
        for _ in 0..<(try footer.readCount(limit: Self.pageCountMax)) {
            let name = try footer.readCount(limit: Self.pageCountMax)
            let offset = try footer.readCount(limit: self.byteCount)
            let byteCount = try footer.readCount(limit: self.byteCount - offset)
            let checksum = try footer.read(UInt32.self)
            let summary = try ColumnEncoder.Summary(from: &footer, rowCount: self.rowCount)
            self.pages.append(
                Page(name: name, offset: offset, byteCount: byteCount, checksum: checksum, summary: summary)
            )
        }
        guard !self.pages.isEmpty, self.rowCount > 0 else { throw footer.fail("block without rows") }
    }

    private static func range(from footer: inout ByteReader) throws(FormatError) -> ClosedRange<Int64> {
        let first = try footer.readSigned()
        let last = first &+ Int64(bitPattern: try footer.readVarint())
        guard first <= last else { throw footer.fail("range \(first) to \(last)") }
        return first...last
    }
}

extension ColumnEncoder.Summary {
    private static let hasBounds: UInt8 = 1
    private static let hasConstant: UInt8 = 2
    private static let hasLongest: UInt8 = 4

    func append(to footer: inout ByteWriter) {
        footer.append(byte: self.kind.rawValue)
        footer.append(
            byte: (self.bounds == nil ? 0 : Self.hasBounds) | (self.constant == nil ? 0 : Self.hasConstant)
                | (self.longestByteCount == nil ? 0 : Self.hasLongest)
        )
        footer.append(varint: self.presentCount)
        if let bounds = self.bounds {
            footer.append(signed: bounds.lowerBound)
            footer.append(signed: bounds.upperBound)
        }
        if let constant = self.constant { footer.append(counted: constant) }
        if let longest = self.longestByteCount { footer.append(varint: longest) }
    }

    init(from footer: inout ByteReader, rowCount: Int) throws(FormatError) {
        let kind = try footer.readByte()
        guard let known = ColumnKind(rawValue: kind) else { throw footer.fail("unknown encoding \(kind)") }
        let flags = try footer.readByte()
        self.init(kind: known, presentCount: try footer.readCount(limit: rowCount))
        if flags & Self.hasBounds != 0 {
            let first = try footer.readSigned()
            let last = try footer.readSigned()
            guard first <= last else { throw footer.fail("bounds \(first) to \(last)") }
            self.bounds = first...last
        }
        if flags & Self.hasConstant != 0 { self.constant = try footer.readCounted().array }
        if flags & Self.hasLongest != 0 { self.longestByteCount = try footer.readCount(limit: Int(UInt32.max)) }
    }
}
