/// A field of a flattened document: its name as a number, its kind, and its text.
///
/// The text lies in the document or in the flattener's scratch memory: it is valid until the next document, and only
/// while the document's bytes are.
public struct JSONField {
    let start: UnsafeRawPointer
    let byteCount: UInt32
    /// The number of the flattened name; see `JSONFlattener.name(_:)`.
    public let name: Int32
    public let kind: JSONKind

    /// The text: of a string without quotes and escapes, of a number exactly as written, else `true`, `false`, `null`,
    /// `{}` or `[]`.
    @inline(__always)
    public var value: UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(start: self.start, count: Int(self.byteCount))
    }
}

/// Memory for texts that are not in the document as they are; addresses stay valid until `reset`.
struct ScratchArena: ~Copyable {
    private var chunks: [UnsafeMutableRawBufferPointer] = []
    private var used = 0
    private var totalByteCount = 0

    deinit {
        for chunk in self.chunks { chunk.deallocate() }
    }

    /// Bytes in all chunks.
    var byteCount: Int { self.totalByteCount }

    /// Room for `count` bytes; `give` back what was not needed.
    mutating func take(_ count: Int) -> UnsafeMutablePointer<UInt8> {
        if let chunk = self.chunks.last, let start = chunk.baseAddress, chunk.count - self.used >= count {
            defer { self.used += count }
            return (start + self.used).assumingMemoryBound(to: UInt8.self)
        }
        let chunk = UnsafeMutableRawBufferPointer.allocate(byteCount: max(count, 16 << 10), alignment: 16)
        self.chunks.append(chunk)
        self.totalByteCount += chunk.count
        self.used = 0
        return self.take(count)
    }

    /// Returns the last `count` bytes of the last `take`.
    mutating func give(_ count: Int) { self.used -= count }

    /// Invalidates all addresses.
    mutating func reset() {
        // One small chunk stays for the next document.
        while let last = self.chunks.last, self.chunks.count > 1 || last.count > 1 << 20 {
            last.deallocate()
            self.totalByteCount -= last.count
            self.chunks.removeLast()
        }
        self.used = 0
    }
}
