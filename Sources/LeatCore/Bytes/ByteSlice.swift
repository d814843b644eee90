internal import Glibc

/// A range of immutable bytes together with whatever keeps them alive.
///
/// The bytes may lie in an array, a request body or a mapped file; nobody changes them while a slice exists.
/// Copying a slice copies no bytes.
public struct ByteSlice: @unchecked Sendable {
    // Sound as Sendable: the bytes are immutable, and the owner is only held, never used.
    @usableFromInline let owner: AnyObject?
    @usableFromInline let start: UnsafeRawPointer?

    /// Length in bytes.
    public let count: Int

    /// A slice of memory that `owner` keeps valid and unchanged for as long as it lives.
    @inlinable
    public init(_ bytes: UnsafeRawBufferPointer, owner: AnyObject?) {
        self.owner = owner
        self.start = bytes.baseAddress
        self.count = bytes.count
    }

    /// A slice of no bytes.
    public static let empty = ByteSlice(UnsafeRawBufferPointer(start: nil, count: 0), owner: nil)

    /// A slice with its own copy of `bytes`.
    public init(copying bytes: UnsafeRawBufferPointer) {
        let storage = ByteStorage(byteCount: bytes.count)
        storage.bytes.copyMemory(from: bytes)
        self.init(UnsafeRawBufferPointer(storage.bytes), owner: storage)
    }

    /// A slice with its own copy of an array.
    public init(_ array: [UInt8]) {
        self = array.withUnsafeBytes { ByteSlice(copying: $0) }
    }

    /// A slice with its own copy of a string's UTF-8.
    public init(_ string: String) {
        self.init(Array(string.utf8))
    }

    /// Whether the slice has no bytes.
    @inlinable
    public var isEmpty: Bool { self.count == 0 }

    /// Calls `body` with the bytes, which are valid only during the call.
    @inlinable
    public func withUnsafeBytes<Result, Failure: Error>(
        _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        // A typed `defer`: `withExtendedLifetime` would lose the error type.
        defer { withExtendedLifetime(self.owner) {} }
        return try body(UnsafeRawBufferPointer(start: self.start, count: self.count))
    }

    /// The bytes without a guarantee of lifetime: valid while the caller holds this slice, or another one of
    /// the same owner, beyond the last use of the pointer.
    @inlinable
    public var unsafeBytes: UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(start: self.start, count: self.count)
    }

    /// The part of the slice in `range`, which counts from its first byte.
    @inlinable
    public subscript(range: Range<Int>) -> ByteSlice {
        precondition(
            range.lowerBound >= 0 && range.upperBound <= self.count,
            "range \(range) outside \(self.count) bytes"
        )
        return ByteSlice(UnsafeRawBufferPointer(rebasing: self.unsafeBytes[range]), owner: self.owner)
    }

    /// The bytes as an array of their own.
    public var array: [UInt8] { self.withUnsafeBytes { Array($0) } }

    /// The bytes as text; bytes that are not UTF-8 become U+FFFD.
    public var text: String { self.withUnsafeBytes { String(decoding: $0, as: UTF8.self) } }
}

/// Memory for bytes that is freed with its last owner.
public final class ByteStorage: @unchecked Sendable {
    // Sound as Sendable: writers fill the memory before they share the object.

    /// The memory; its contents are undefined until written.
    public let bytes: UnsafeMutableRawBufferPointer

    /// Allocates `byteCount` bytes, 16-byte aligned.
    public init(byteCount: Int) {
        guard let start = malloc(max(1, byteCount)) else { preconditionFailure("no memory for \(byteCount) bytes") }
        self.bytes = UnsafeMutableRawBufferPointer(start: start, count: byteCount)
    }

    /// Takes memory over that came from `malloc`, and frees it in the end.
    init(adopting bytes: UnsafeMutableRawBufferPointer) { self.bytes = bytes }

    deinit { free(self.bytes.baseAddress) }
}
