internal import LeatCore

/// Reads the rows of tables of an SQLite database, with what its write-ahead log holds.
///
/// Only what an import needs: whole tables, in the order of their row ids. The formats are those of
/// sqlite.org/fileformat2.html, sections 1.5 to 2.1 (pages, b-trees, records) and 4 (the log).
struct SQLiteFile {
    /// A value of a row.
    enum Value: Hashable, Sendable {
        case null
        case integer(Int64)
        case real(Double)
        case text(String)
        case blob([UInt8])

        var integer: Int64? { if case .integer(let value) = self { value } else { nil } }
        var text: String? { if case .text(let value) = self { value } else { nil } }
    }

    /// Bytes that are no database, or a damaged one.
    struct Damaged: Error, Hashable, Sendable, CustomStringConvertible { let description: String }

    /// A larger database holds no positions of files.
    static let byteCountMax = 256 << 20
    /// Levels of a b-tree; 20 would hold more rows than there are atoms.
    private static let depthMax = 20
    private static let headerByteCount = 100

    private let file: ByteSlice
    private let pageByteCount: Int
    private let usableByteCount: Int
    /// Newer pages of the log, by their number.
    private let logPages: [Int: Range<Int>]
    private let log: ByteSlice

    /// A database, and its log if there is one.
    init(_ file: ByteSlice, log: ByteSlice = .empty) throws(Damaged) {
        let bytes = file.unsafeBytes
        let magic = Array("SQLite format 3\u{0}".utf8)
        guard bytes.count >= Self.headerByteCount, bytes.slice(0..<16).elementsEqual(magic) else {
            throw Damaged(description: "this is no SQLite database")
        }
        let size = Int(bytes.bigEndian(at: 16, UInt16.self))
        self.pageByteCount = size == 1 ? 65_536 : size
        self.usableByteCount = self.pageByteCount - Int(bytes[20])
        guard self.pageByteCount >= 512, self.usableByteCount >= 480,
            bytes[56] != 0 || bytes.bigEndian(at: 56, UInt32.self) == 1
        else { throw Damaged(description: "the database has a form that is not read: page size or text encoding") }
        self.file = file
        self.log = log
        self.logPages = Self.pages(of: log, pageByteCount: self.pageByteCount)
    }

    /// The committed pages of a write-ahead log; what follows the last whole transaction does not count.
    private static func pages(of log: ByteSlice, pageByteCount: Int) -> [Int: Range<Int>] {
        let bytes = log.unsafeBytes
        guard bytes.count > 32 else { return [:] }
        let magic = bytes.bigEndian(at: 0, UInt32.self)
        guard magic | 1 == 0x377F_0683, Int(bytes.bigEndian(at: 8, UInt32.self)) == pageByteCount else { return [:] }
        var sum = LogChecksum(isBigEndian: magic & 1 == 1)
        sum.add(bytes.slice(0..<24))
        guard sum.isEqual(to: bytes, at: 24) else { return [:] }
        var committed: [Int: Range<Int>] = [:]
        var open: [Int: Range<Int>] = [:]
        var offset = 32
        while offset + 24 + pageByteCount <= bytes.count {
            let page = (offset + 24)..<(offset + 24 + pageByteCount)
            guard bytes.slice(offset + 8..<offset + 16).elementsEqual(bytes.slice(16..<24)) else { break }
            sum.add(bytes.slice(offset..<offset + 8))
            sum.add(bytes.slice(page))
            guard sum.isEqual(to: bytes, at: offset + 16) else { break }
            open[Int(bytes.bigEndian(at: offset, UInt32.self))] = page
            if bytes.bigEndian(at: offset + 4, UInt32.self) != 0 {
                committed.merge(open) { _, new in new }
                open = [:]
            }
            offset = page.upperBound
        }
        return committed
    }

    /// The rows of a table, each with its row id; `nil` when there is no such table.
    func rows(of table: String) throws(Damaged) -> [(id: Int64, values: [Value])]? {
        for entry in try self.rows(root: 1) {
            guard entry.values.count >= 5, entry.values[0].text == "table", entry.values[1].text == table,
                let root = entry.values[3].integer
            else { continue }
            return try self.rows(root: Int(root))
        }
        return nil
    }

    private func rows(root: Int) throws(Damaged) -> [(id: Int64, values: [Value])] {
        var rows: [(id: Int64, values: [Value])] = []
        try self.collect(page: root, depth: 0, &rows)
        return rows
    }

    // MARK: - Pages

    private func page(_ number: Int) throws(Damaged) -> UnsafeRawBufferPointer {
        if let range = self.logPages[number] { return self.log.unsafeBytes.slice(range) }
        let start = (number - 1) * self.pageByteCount
        guard number >= 1, start + self.pageByteCount <= self.file.count else {
            throw Damaged(description: "page \(number) is missing")
        }
        return self.file.unsafeBytes.slice(start..<start + self.pageByteCount)
    }

    private func collect(
        page number: Int,
        depth: Int,
        _ rows: inout [(id: Int64, values: [Value])]
    ) throws(Damaged) {
        guard depth < Self.depthMax else { throw Damaged(description: "page \(number) is its own child") }
        let page = try self.page(number)
        let head = number == 1 ? Self.headerByteCount : 0
        let isLeaf = page[head] == 0x0D
        guard isLeaf || page[head] == 0x05 else { throw Damaged(description: "page \(number) is no page of a table") }
        let count = Int(page.bigEndian(at: head + 3, UInt16.self))
        let pointers = head + (isLeaf ? 8 : 12)
        guard pointers + 2 * count <= page.count else { throw Damaged(description: "page \(number) is damaged") }
        for index in 0..<count {
            let offset = Int(page.bigEndian(at: pointers + 2 * index, UInt16.self))
            guard offset + 4 <= page.count else { throw Damaged(description: "page \(number) is damaged") }
            if isLeaf {
                rows.append(try self.row(page, at: offset))
            } else {
                let child = Int(page.bigEndian(at: offset, UInt32.self))
                try self.collect(page: child, depth: depth + 1, &rows)
            }
        }
        if !isLeaf {
            try self.collect(page: Int(page.bigEndian(at: head + 8, UInt32.self)), depth: depth + 1, &rows)
        }
    }

    // MARK: - Rows

    private func row(_ page: UnsafeRawBufferPointer, at offset: Int) throws(Damaged) -> (id: Int64, values: [Value]) {
        var reader = SQLiteReader(bytes: page, offset: offset)
        let byteCount = Int(try reader.varint())
        let id = try reader.varint()
        guard byteCount >= 0, byteCount <= Self.byteCountMax else { throw Damaged(description: "a row is damaged") }
        let payload = try self.payload(page, at: reader.offset, byteCount: byteCount)
        let values = try ByteSlice(payload).withUnsafeBytes { bytes throws(Damaged) in
            try Self.values(bytes, rowID: id)
        }
        return (id, values)
    }

    /// The bytes of a row, of which those beyond a part of the page lie on pages of their own.
    private func payload(_ page: UnsafeRawBufferPointer, at offset: Int, byteCount: Int) throws(Damaged) -> [UInt8] {
        let most = self.usableByteCount - 35
        var local = byteCount
        if byteCount > most {
            let least = (self.usableByteCount - 12) * 32 / 255 - 23
            let wanted = least + (byteCount - least) % (self.usableByteCount - 4)
            local = wanted <= most ? wanted : least
        }
        guard offset + local + (local < byteCount ? 4 : 0) <= page.count else {
            throw Damaged(description: "a row is damaged")
        }
        var bytes = Array(page.slice(offset..<offset + local))
        var next = local < byteCount ? Int(page.bigEndian(at: offset + local, UInt32.self)) : 0
        while bytes.count < byteCount {
            let overflow = try self.page(next)
            next = Int(overflow.bigEndian(at: 0, UInt32.self))
            let count = min(byteCount - bytes.count, self.usableByteCount - 4)
            bytes += overflow.slice(4..<4 + count)
        }
        return bytes
    }

    private static func values(_ bytes: UnsafeRawBufferPointer, rowID: Int64) throws(Damaged) -> [Value] {
        var head = SQLiteReader(bytes: bytes, offset: 0)
        let headEnd = Int(try head.varint())
        guard headEnd <= bytes.count else { throw Damaged(description: "a row is damaged") }
        var body = SQLiteReader(bytes: bytes, offset: headEnd)
        var values: [Value] = []
        while head.offset < headEnd { values.append(try body.value(type: try head.varint())) }
        // The column that is the row id is stored as null.
        if values.first == .null { values[0] = .integer(rowID) }
        return values
    }
}

/// Reads the numbers and values of rows.
private struct SQLiteReader {
    let bytes: UnsafeRawBufferPointer
    var offset: Int

    /// One to nine bytes, seven bits each but for the last.
    mutating func varint() throws(SQLiteFile.Damaged) -> Int64 {
        var value: UInt64 = 0
        for index in 0..<9 {
            let byte = try self.take(1)[0]
            if index == 8 { return Int64(bitPattern: value << 8 | UInt64(byte)) }
            value = value << 7 | UInt64(byte & 0x7F)
            if byte < 0x80 { break }
        }
        return Int64(bitPattern: value)
    }

    mutating func value(type: Int64) throws(SQLiteFile.Damaged) -> SQLiteFile.Value {
        switch type {
        case 0: return .null
        case 1...4: return .integer(try self.integer(byteCount: Int(type)))
        case 5: return .integer(try self.integer(byteCount: 6))
        case 6: return .integer(try self.integer(byteCount: 8))
        case 7: return .real(Double(bitPattern: UInt64(bitPattern: try self.integer(byteCount: 8))))
        case 8: return .integer(0)
        case 9: return .integer(1)
        case 12...:
            let bytes = try self.take(Int(clamping: (type - 12) / 2))
            return type % 2 == 0 ? .blob(Array(bytes)) : .text(String(decoding: bytes, as: UTF8.self))
        default: throw SQLiteFile.Damaged(description: "a value has the unknown type \(type)")
        }
    }

    private mutating func integer(byteCount: Int) throws(SQLiteFile.Damaged) -> Int64 {
        var value: UInt64 = 0
        for byte in try self.take(byteCount) { value = value << 8 | UInt64(byte) }
        let shift = UInt64(64 - 8 * byteCount)
        return Int64(bitPattern: value << shift) >> Int64(shift)
    }

    private mutating func take(_ count: Int) throws(SQLiteFile.Damaged) -> UnsafeRawBufferPointer {
        guard count >= 0, count <= self.bytes.count - self.offset else {
            throw SQLiteFile.Damaged(description: "a row is damaged")
        }
        defer { self.offset += count }
        return self.bytes.slice(self.offset..<self.offset + count)
    }
}

/// The running checksum of a write-ahead log.
private struct LogChecksum {
    let isBigEndian: Bool
    private var first: UInt32 = 0
    private var second: UInt32 = 0

    init(isBigEndian: Bool) { self.isBigEndian = isBigEndian }

    /// `bytes` has a multiple of eight bytes.
    mutating func add(_ bytes: UnsafeRawBufferPointer) {
        for offset in stride(from: 0, to: bytes.count - 7, by: 8) {
            self.first &+= self.word(bytes, offset) &+ self.second
            self.second &+= self.word(bytes, offset + 4) &+ self.first
        }
    }

    private func word(_ bytes: UnsafeRawBufferPointer, _ offset: Int) -> UInt32 {
        let word = bytes.bigEndian(at: offset, UInt32.self)
        return self.isBigEndian ? word : word.byteSwapped
    }

    func isEqual(to bytes: UnsafeRawBufferPointer, at offset: Int) -> Bool {
        bytes.bigEndian(at: offset, UInt32.self) == self.first
            && bytes.bigEndian(at: offset + 4, UInt32.self) == self.second
    }
}

extension UnsafeRawBufferPointer {
    /// A number in network order.
    fileprivate func bigEndian<Number: FixedWidthInteger>(at offset: Int, _ type: Number.Type) -> Number {
        Number(bigEndian: self.loadUnaligned(fromByteOffset: offset, as: type))
    }
}
