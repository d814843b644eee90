/// A list of byte strings, laid end to end in one area.
///
/// One contiguous area lets a search look at all strings in one pass and find the string of a hit afterwards.
public struct ByteStrings: Sendable {
    /// Where each string starts in `bytes`, and the end of the last: `count + 1` ascending numbers from 0.
    public let offsets: [UInt32]

    /// The strings end to end.
    public let bytes: ByteSlice

    /// Number of strings.
    public var count: Int { self.offsets.count - 1 }

    /// Strings from their borders; `offsets` must be ascending, begin with 0 and end with `bytes.count`.
    public init(offsets: [UInt32], bytes: ByteSlice) {
        precondition(
            offsets.first == 0 && Int(offsets[offsets.count - 1]) == bytes.count,
            "borders do not fit the bytes"
        )
        self.offsets = offsets
        self.bytes = bytes
    }

    /// Copies `strings` into one area.
    public init(_ strings: some Sequence<[UInt8]>) {
        var offsets: [UInt32] = [0]
        var bytes: [UInt8] = []
        for string in strings {
            bytes += string
            offsets.append(UInt32(bytes.count))
        }
        self.init(offsets: offsets, bytes: ByteSlice(bytes))
    }

    /// Whether both are the same strings in the same place in memory; others may be equal all the same.
    public func isSameMemory(as other: ByteStrings) -> Bool {
        self.count == other.count && self.bytes.count == other.bytes.count
            && self.bytes.unsafeBytes.baseAddress == other.bytes.unsafeBytes.baseAddress
    }

    /// The string at `index`; valid while this list lives.
    @inlinable
    public subscript(index: Int) -> UnsafeRawBufferPointer {
        let start = Int(self.offsets[index])
        return UnsafeRawBufferPointer(rebasing: self.bytes.unsafeBytes[start..<Int(self.offsets[index + 1])])
    }
}
