internal import Glibc
internal import LeatCore

/// A compressed log as the file that it was before: reads at rising offsets expand it piece by piece.
///
/// The last bytes that were handed out are kept, since a reader looks back at what it read before. A read from before them
/// begins anew at the start of the file.
final class GzipLog: File, @unchecked Sendable {
    // Sound as Sendable: the loop alone uses it.

    /// Compressed bytes that one step takes.
    private static let pieceByteCount = 64 << 10
    /// Expanded bytes that are kept for looking back.
    private static let keptByteCount = 4 << 10

    private let file: any File
    private var stream = GzipStream()
    private var compressedOffset: UInt64 = 0
    /// Expanded bytes at hand, and the offset of the first.
    private var window: [UInt8] = []
    private var windowStart: UInt64 = 0
    private var isAtEnd = false

    /// The contents of an open compressed file, which is closed with this.
    init(_ file: any File) { self.file = file }

    /// Whether a name is that of a compressed file.
    static func isName(_ path: String) -> Bool { path.hasSuffix(".gz") }

    /// A log opened for reading, as the file that it was before when it is compressed; `nil` when there is none, or not any
    /// more.
    static func openLog(_ path: String, on disk: any FileSystem) throws(FileSystemError) -> (any File)? {
        do throws(FileSystemError) {
            let file = try disk.open(path, .read)
            return Self.isName(path) ? GzipLog(file) : file
        } catch  where error.code == ENOENT {
            return nil
        }
    }

    /// Whether the file that is compressed into one of this name is still there, and is the one to be read.
    static func isBesideOriginal(_ path: String, on disk: any FileSystem) throws(FileSystemError) -> Bool {
        guard Self.isName(path) else { return false }
        return try disk.status(String(path.dropLast(3)))?.kind == .regular
    }

    func read(at offset: UInt64, into buffer: UnsafeMutableRawBufferPointer) throws(FileSystemError) -> Int {
        if offset < self.windowStart { self.rewind() }
        let end = offset + UInt64(buffer.count)
        while self.windowStart + UInt64(self.window.count) < end, !self.isAtEnd { try self.step(keepingFrom: offset) }
        guard offset < self.windowStart + UInt64(self.window.count) else { return 0 }
        let first = Int(offset - self.windowStart)
        let count = min(buffer.count, self.window.count - first)
        self.window.withUnsafeBytes { bytes in
            buffer.copyMemory(from: UnsafeRawBufferPointer(rebasing: bytes[first..<(first + count)]))
        }
        return count
    }

    /// Whether the file ends where a compressed stream ends, so that nobody is still writing it, or is damaged, so that
    /// nobody will make it whole.
    func isWhole() throws(FileSystemError) -> Bool {
        self.rewind()
        defer { self.rewind() }
        while !self.isAtEnd {
            self.window.removeAll(keepingCapacity: true)
            do throws(FileSystemError) {
                try self.step(keepingFrom: 0)
            } catch  where error.code == EILSEQ {
                return true
            }
        }
        return self.compressedOffset > 0 && self.stream.isComplete
    }

    /// How long the log was, and its last bytes; expands all of it, or what comes before a damage.
    func end() throws(FileSystemError) -> (byteCount: UInt64, marker: ContentMarker) {
        do throws(FileSystemError) {
            while !self.isAtEnd { try self.step(keepingFrom: self.windowStart + UInt64(self.window.count)) }
        } catch  where error.code == EILSEQ {}
        let byteCount = self.windowStart + UInt64(self.window.count)
        let markerByteCount = min(self.window.count, ContentMarker.byteCountMax)
        return (byteCount, try ContentMarker.of(self, before: byteCount, byteCount: markerByteCount) ?? .none)
    }

    private func rewind() {
        self.stream = GzipStream()
        self.compressedOffset = 0
        self.window.removeAll(keepingCapacity: true)
        self.windowStart = 0
        self.isAtEnd = false
    }

    /// Expands one more piece; bytes well before `offset` are forgotten.
    private func step(keepingFrom offset: UInt64) throws(FileSystemError) {
        let unneeded = Int(min(offset, self.windowStart + UInt64(self.window.count)) - self.windowStart)
        if unneeded > 2 * Self.keptByteCount {
            self.window.removeFirst(unneeded - Self.keptByteCount)
            self.windowStart += UInt64(unneeded - Self.keptByteCount)
        }
        let piece = UnsafeMutableRawBufferPointer.allocate(byteCount: Self.pieceByteCount, alignment: 16)
        defer { piece.deallocate() }
        let count = try self.file.read(at: self.compressedOffset, into: piece)
        self.compressedOffset += UInt64(count)
        if count == 0 {
            self.isAtEnd = true
            return
        }
        do throws(CompressionError) {
            try self.stream.expand(UnsafeRawBufferPointer(rebasing: piece[..<count])) { bytes in
                self.window.append(contentsOf: bytes)
                return true
            }
        } catch {
            throw FileSystemError(operation: "expand", path: "a compressed log", code: EILSEQ)
        }
    }

    /// What the compressed file is; its size is unknown, but larger than any offset.
    func status() throws(FileSystemError) -> FileStatus {
        var status = try self.file.status()
        status.byteCount = UInt64(Int64.max)
        return status
    }

    func write(_ parts: [ByteSlice], at offset: UInt64) throws(FileSystemError) { throw Self.isReadOnly }

    func truncate(to byteCount: UInt64) throws(FileSystemError) { throw Self.isReadOnly }

    func sync() throws(FileSystemError) { throw Self.isReadOnly }

    var currentFolder: String? { self.file.currentFolder }

    func close() { self.file.close() }

    private static let isReadOnly = FileSystemError(operation: "change", path: "a compressed log", code: EROFS)
}
