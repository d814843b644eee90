internal import CLeatKernels
internal import LeatCore
internal import Synchronization

/// Filters of one form and size, line by line: the first lines of all blocks, the second lines of all blocks, and so on.
///
/// So one read answers for all blocks of a group whether they may have a key. Each row of lines has its own checksum,
/// since a lost bit would hide rows.
final class FilterGroup: Sendable {
    private static let checksumByteCount = 4

    /// Forms that differ in their seed only are in one group.
    let lineByteCount: Int
    let lineCount: Int
    let blockCount: Int
    private let bytes: ByteSlice
    private let path: String
    private let offset: UInt64
    /// Rows whose checksum was found right.
    private let checked: Mutex<[UInt64]>

    init(lineByteCount: Int, lineCount: Int, blockCount: Int, bytes: ByteSlice, path: String, offset: UInt64) {
        self.lineByteCount = lineByteCount
        self.lineCount = lineCount
        self.blockCount = blockCount
        self.bytes = bytes
        self.path = path
        self.offset = offset
        self.checked = Mutex([UInt64](repeating: 0, count: (lineCount + 63) / 64))
    }

    /// A group of the filter of a block that is not in a file yet.
    convenience init(_ filter: BlockFilter) {
        let bytes = ByteSlice(Self.encode([filter]))
        self.init(
            lineByteCount: filter.form.lineByteCount,
            lineCount: filter.lineCount,
            blockCount: 1,
            bytes: bytes,
            path: "block in memory",
            offset: 0
        )
    }

    /// Bytes of a group in a file.
    static func byteCount(lineByteCount: Int, lineCount: Int, blockCount: Int) -> Int {
        lineCount * (blockCount * lineByteCount + Self.checksumByteCount)
    }

    /// The bytes of a group of filters of one form and size.
    static func encode(_ filters: [BlockFilter]) -> [UInt8] {
        var bytes: [UInt8] = []
        let lineCount = filters.first?.lineCount ?? 0
        let width = (filters.first?.form ?? .bloom).lineByteCount
        bytes.reserveCapacity(Self.byteCount(lineByteCount: width, lineCount: lineCount, blockCount: filters.count))
        for line in 0..<lineCount {
            let start = bytes.count
            for filter in filters {
                filter.lines[line * width..<(line + 1) * width].withUnsafeBytes { bytes.append(contentsOf: $0) }
            }
            let checksum = bytes[start...].withUnsafeBytes { Checksum.crc32c($0) }
            withUnsafeBytes(of: checksum.littleEndian) { bytes.append(contentsOf: $0) }
        }
        return bytes
    }

    /// Whether a block of the group may have a key.
    func contains(_ key: UInt64, block: Int, _ form: BlockFilter.Form) throws(DamagedBlock) -> Bool {
        switch form {
        case .bloom:
            let line = BloomLines.line(of: key, lineCount: self.lineCount)
            return try self.line(line, of: block).withUnsafeBytes { BloomLines.contains(key, in: $0) }
        case .fuse(let seed):
            let place = FuseLines.place(of: key, seed: seed, lineCount: self.lineCount)
            let first = try self.value(ofSlot: place.slots.0, of: block)
            let second = try self.value(ofSlot: place.slots.1, of: block)
            let third = try self.value(ofSlot: place.slots.2, of: block)
            let fourth = try self.value(ofSlot: place.slots.3, of: block)
            return first ^ second ^ third ^ fourth == place.fingerprint
        }
    }

    private func value(ofSlot slot: UInt32, of block: Int) throws(DamagedBlock) -> UInt8 {
        let slot = Int(slot)
        let line = try self.line(slot / FuseLines.slotsPerLine, of: block)
        return line.withUnsafeBytes { FuseLines.value(ofSlot: slot, in: $0) }
    }

    /// A line of one block, checked.
    private func line(_ line: Int, of block: Int) throws(DamagedBlock) -> ByteSlice {
        try self.row(line)[block * self.lineByteCount..<(block + 1) * self.lineByteCount]
    }

    /// The lines of all blocks with one number, checked.
    private func row(_ line: Int) throws(DamagedBlock) -> ByteSlice {
        let width = self.blockCount * self.lineByteCount
        let start = line * (width + Self.checksumByteCount)
        let row = self.bytes[start..<start + width]
        let isChecked = self.checked.withLock { $0[line >> 6] >> UInt64(line & 63) & 1 != 0 }
        if isChecked { return row }
        let stored = self.bytes[start + width..<start + width + Self.checksumByteCount]
        let expected = UInt32(littleEndian: stored.unsafeBytes.loadUnaligned(as: UInt32.self))
        let found = Checksum.crc32c(row)
        withExtendedLifetime(stored) {}
        guard found == expected else {
            let reason = "checksum of a search filter is \(found), expected \(expected)"
            throw DamagedBlock(path: self.path, offset: self.offset + UInt64(start), reason: reason)
        }
        self.checked.withLock { $0[line >> 6] |= 1 << UInt64(line & 63) }
        return row
    }

    /// The filter's lines of one block, checked, for another segment.
    func lines(of block: Int) throws(DamagedBlock) -> ByteSlice {
        var lines: [UInt8] = []
        lines.reserveCapacity(self.lineCount * self.lineByteCount)
        for line in 0..<self.lineCount {
            try self.line(line, of: block).withUnsafeBytes { lines.append(contentsOf: $0) }
        }
        return ByteSlice(lines)
    }
}
