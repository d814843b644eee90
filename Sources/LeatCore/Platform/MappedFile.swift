internal import CLeatPlatform

/// The mapped bytes of a file that does not change any more.
///
/// A page that cannot be read (disk error, file cut short by somebody else) reads as zeros and marks the mapping as
/// damaged, instead of ending the process. Whoever hands out data of a mapping asks `isDamaged` after reading.
public final class MappedFile: Sendable {
    // Sound: mapped once, read-only, unmapped in deinit only.
    nonisolated(unsafe) private let start: UnsafeRawPointer
    private let byteCount: Int
    private let slot: Int32

    /// Maps `byteCount` > 0 bytes of an open file; the descriptor may be closed afterwards.
    init(descriptor: Int32, byteCount: Int, path: String) throws(FileSystemError) {
        var start: UnsafeRawPointer?
        var slot: Int32 = -1
        let result = leat_map(descriptor, byteCount, &start, &slot)
        guard result == 0, let start else {
            throw FileSystemError(operation: "map", path: path, code: -result)
        }
        self.start = start
        self.byteCount = byteCount
        self.slot = slot
    }

    deinit { leat_unmap(self.start, self.byteCount, self.slot) }

    /// The mapped bytes; valid while this object lives.
    public var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: self.start, count: self.byteCount) }

    /// Whether a page could not be read since the file was mapped.
    public var isDamaged: Bool { leat_map_is_damaged(self.slot) != 0 }

    /// How the bytes will be read next.
    public enum Advice: Int32, Sendable {
        case normal = 0
        case random = 1
        case sequential = 2
        case willNeed = 3
        case notNeeded = 4
    }

    /// Tells the system how the bytes will be read; only a hint.
    public func advise(_ advice: Advice) {
        _ = leat_map_advise(self.start, self.byteCount, advice.rawValue)
    }
}

extension ByteSlice {
    /// Whether the slice lies in a mapped file of which some page could not be read; its bytes cannot be trusted.
    public var hasReadError: Bool { (self.owner as? MappedFile)?.isDamaged ?? false }
}
