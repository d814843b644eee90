internal import CLeatKernels

/// Texts in the making, end to end, written in place.
public struct TextGatherer: ~Copyable {
    private var offsets: [UInt32] = [0]
    private var storage: ByteStorage
    private var byteCount = 0

    public init(textCapacity: Int, byteCapacity: Int = 0) {
        self.offsets.reserveCapacity(textCapacity + 1)
        self.storage = ByteStorage(byteCount: max(byteCapacity, textCapacity * 16, 64))
    }

    /// Makes room for the next text; write it there and call `endText` before anything else.
    @inline(__always)
    public mutating func reserve(_ count: Int) -> UnsafeMutablePointer<UInt8> {
        if self.byteCount + count > self.storage.bytes.count { self.grow(count) }
        return (self.storage.start + self.byteCount).assumingMemoryBound(to: UInt8.self)
    }

    /// Ends a text whose bytes were written after `reserve`.
    @inline(__always)
    public mutating func endText(byteCount: Int) {
        self.byteCount += byteCount
        self.offsets.append(UInt32(self.byteCount))
    }

    /// Adds a text.
    public mutating func append(_ text: UnsafeRawBufferPointer) {
        let target = self.reserve(text.count)
        if let start = text.baseAddress { leat_copy_bytes(target, start, text.count) }
        self.endText(byteCount: text.count)
    }

    @inline(never)
    private mutating func grow(_ count: Int) {
        let needed = self.byteCount + count
        precondition(self.byteCount <= Int(UInt32.max), "a column of more than 4 GiB")
        let storage = ByteStorage(byteCount: max(needed, self.storage.bytes.count * 2))
        storage.start.copyMemory(from: self.storage.start, byteCount: self.byteCount)
        self.storage = storage
    }

    /// The texts so far.
    public consuming func finish() -> ByteStrings {
        let bytes = UnsafeRawBufferPointer(start: self.storage.start, count: self.byteCount)
        return ByteStrings(offsets: self.offsets, bytes: ByteSlice(bytes, owner: self.storage))
    }
}
