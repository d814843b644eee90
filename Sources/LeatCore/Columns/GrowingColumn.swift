internal import CLeatKernels
internal import Glibc
internal import Synchronization

/// A column under construction: the values so far, end to end.
///
/// The memory is managed by hand, so that a value costs a copy and a store; `BatchBuilder` calls `release`.
struct GrowingColumn {
    /// Where each row's value ends, after a leading 0; `rowCapacity + 1` numbers.
    private var offsets: UnsafeMutablePointer<UInt32>
    /// One bit per row that has a value; `rowCapacity / 64` words, zero beyond `rowCount`.
    private var present: UnsafeMutablePointer<UInt64>
    private var rowCapacity: Int
    /// Rows that have a value or are known to lack one.
    private var rowCount = 0
    /// From `malloc`; null once a column has it.
    private var bytes: UnsafeMutableRawPointer?
    private var byteCapacity: Int
    private var byteCount = 0

    init() {
        self.rowCapacity = 64
        self.offsets = .allocate(capacity: 65)
        self.offsets[0] = 0
        self.present = .allocate(capacity: 1)
        self.present[0] = 0
        self.byteCapacity = 512
        self.bytes = malloc(512)
        precondition(self.bytes != nil, "no memory for 512 bytes")
    }

    /// Frees the memory.
    func release() {
        self.offsets.deallocate()
        self.present.deallocate()
        free(self.bytes)
    }

    @inline(__always)
    mutating func set(_ value: UnsafeRawBufferPointer, row: Int) {
        if self.rowCount != row || row >= self.rowCapacity { self.prepare(row: row) }
        let count = value.count
        if self.byteCapacity &- self.byteCount < count { self.growBytes(by: count) }
        if let start = value.baseAddress, let bytes = self.bytes {
            leat_copy_bytes(bytes + self.byteCount, start, count)
        }
        self.byteCount &+= count
        self.present[row >> 6] |= 1 << UInt64(row & 63)
        self.rowCount = row &+ 1
        self.offsets[row &+ 1] = UInt32(truncatingIfNeeded: self.byteCount)
    }

    /// Slow path: a row was skipped, is set again, or does not fit.
    @inline(never)
    private mutating func prepare(row: Int) {
        self.truncate(to: row)
        self.fill(to: row)
        if row >= self.rowCapacity { self.growRows(to: row + 1) }
    }

    mutating func truncate(to row: Int) {
        while self.rowCount > row {
            self.rowCount -= 1
            self.present[self.rowCount >> 6] &= ~(1 << UInt64(self.rowCount & 63))
        }
        self.byteCount = Int(self.offsets[self.rowCount])
    }

    private mutating func fill(to row: Int) {
        if row > self.rowCapacity { self.growRows(to: row) }
        let end = UInt32(self.byteCount)
        while self.rowCount < row {
            self.rowCount += 1
            self.offsets[self.rowCount] = end
        }
    }

    private mutating func growRows(to needed: Int) {
        var capacity = self.rowCapacity
        while capacity < needed { capacity *= 4 }
        let offsets = UnsafeMutablePointer<UInt32>.allocate(capacity: capacity + 1)
        offsets.update(from: self.offsets, count: self.rowCount + 1)
        let present = UnsafeMutablePointer<UInt64>.allocate(capacity: capacity / 64)
        present.initialize(repeating: 0, count: capacity / 64)
        present.update(from: self.present, count: self.rowCapacity / 64)
        self.offsets.deallocate()
        self.present.deallocate()
        self.offsets = offsets
        self.present = present
        self.rowCapacity = capacity
    }

    @inline(never)
    private mutating func growBytes(by count: Int) {
        let needed = self.byteCount + count
        // `BatchBuilder.isFull` stops long before.
        precondition(needed <= Int(UInt32.max), "a column of more than 4 GiB in one batch")
        var capacity = self.byteCapacity * 2
        while capacity < needed { capacity *= 2 }
        self.resizeBytes(to: capacity)
    }

    private mutating func resizeBytes(to capacity: Int) {
        guard let bytes = realloc(self.bytes, capacity) else { preconditionFailure("no memory for \(capacity) bytes") }
        self.bytes = bytes
        self.byteCapacity = capacity
    }

    /// The column, after which this value must not be used; `nil` when no row has a value.
    mutating func finish(rowCount: Int) -> Column? {
        self.truncate(to: rowCount)
        self.fill(to: rowCount)
        defer { self.release() }
        let words = [UInt64](UnsafeBufferPointer(start: self.present, count: (rowCount + 63) / 64))
        let bits = Bitmap(words: words, count: rowCount)
        guard !bits.isEmpty else { return nil }
        let offsets = [UInt32](UnsafeBufferPointer(start: self.offsets, count: rowCount + 1))
        // The rows may wait for long: what they do not need goes back.
        self.resizeBytes(to: max(1, self.byteCount))
        let bytes = UnsafeMutableRawBufferPointer(start: self.bytes, count: self.byteCount)
        self.bytes = nil
        let area = ByteSlice(UnsafeRawBufferPointer(bytes), owner: ByteStorage(adopting: bytes))
        let values = ByteStrings(offsets: offsets, bytes: area)
        return .plain(PlainColumn(values: values, presence: bits.isFull ? nil : bits))
    }
}

extension ByteStorage {
    /// The first byte; allocations of no bytes have an address too.
    var start: UnsafeMutableRawPointer {
        guard let start = self.bytes.baseAddress else { preconditionFailure("memory without an address") }
        return start
    }
}

extension BatchBuilder {
    private static let generations = Atomic<Int>(0)

    /// A number that no builder has had before.
    static func nextGeneration() -> Int { self.generations.add(1, ordering: .relaxed).newValue }
}
