/// Memory of large buffers that is used again, so that the system need not hand out fresh pages for each.
struct SpareBuffers {
    /// Most buffers that are kept.
    let countMax: Int
    /// Larger buffers are given back.
    let byteCountMax: Int
    private var buffers: [[UInt8]] = []

    init(countMax: Int, byteCountMax: Int) {
        self.countMax = countMax
        self.byteCountMax = byteCountMax
    }

    /// An empty buffer, with memory if there is some.
    mutating func take() -> [UInt8] { self.buffers.popLast() ?? [] }

    /// Keeps a buffer's memory; the caller must be its only owner.
    mutating func keep(_ buffer: consuming [UInt8]) {
        guard self.buffers.count < self.countMax, buffer.capacity > 0, buffer.capacity <= self.byteCountMax else {
            return
        }
        var buffer = buffer
        buffer.removeAll(keepingCapacity: true)
        self.buffers.append(buffer)
    }

    /// Gives all memory back.
    mutating func removeAll() { self.buffers.removeAll() }
}
