internal import Glibc

/// Rows that must be seen twice: once for their columns and widths, once to be written.
///
/// Up to `memoryByteCountMax` they stay in memory; beyond that all of them lie in a temporary file without a name.
final class RowStore {
    static let memoryByteCountMax = 64 << 20
    /// Bytes that are read of the file at once.
    private static let pieceByteCount = 1 << 20
    /// Before each row stands its length.
    private static let lengthByteCount = 4

    private let memoryByteCountMax: Int
    private var bytes: [UInt8] = []
    private var file: UnsafeMutablePointer<FILE>?
    private(set) var rowCount = 0

    /// A store that keeps so many bytes in memory; tests want less.
    init(memoryByteCountMax: Int = RowStore.memoryByteCountMax) { self.memoryByteCountMax = memoryByteCountMax }

    deinit {
        if let file = self.file { fclose(file) }
    }

    /// Adds a row; any bytes.
    func append(_ row: UnsafeRawBufferPointer) throws {
        withUnsafeBytes(of: UInt32(row.count)) { self.bytes.append(contentsOf: $0) }
        self.bytes.append(contentsOf: row)
        self.rowCount += 1
        if self.bytes.count >= self.memoryByteCountMax { try self.spill() }
    }

    private func spill() throws {
        if self.file == nil { self.file = tmpfile() }
        guard let file = self.file, fwrite(self.bytes, 1, self.bytes.count, file) == self.bytes.count else {
            throw CommandError(.inputOutput, "cannot keep the rows in a temporary file: \(systemReason(errno))")
        }
        self.bytes.removeAll(keepingCapacity: true)
    }

    /// Calls `body` with every row, first to last, until it returns `false`; can be called again.
    func forEach(_ body: (UnsafeRawBufferPointer) throws -> Bool) throws {
        guard try self.forEachInFile(body) else { return }
        _ = try self.bytes.withUnsafeBytes { try Self.forEach(in: $0, body) }
    }

    /// The same for the rows that lie in the file; returns whether `body` wants more.
    private func forEachInFile(_ body: (UnsafeRawBufferPointer) throws -> Bool) throws -> Bool {
        guard let file = self.file else { return true }
        rewind(file)
        defer { fseek(file, 0, SEEK_END) }
        var piece = [UInt8](repeating: 0, count: Self.pieceByteCount)
        // The beginning of a row whose end was not read yet stands at the front.
        var kept = 0
        while true {
            if kept == piece.count { piece += [UInt8](repeating: 0, count: piece.count) }
            let count = piece.withUnsafeMutableBytes {
                fread($0.baseAddress.map { $0 + kept }, 1, $0.count - kept, file)
            }
            if count == 0 { return true }
            let end = kept + count
            let taken = try piece.withUnsafeBytes { bytes in
                try Self.forEach(in: UnsafeRawBufferPointer(rebasing: bytes[..<end]), body)
            }
            guard let taken else { return false }
            kept = end - taken
            piece.withUnsafeMutableBytes { bytes in
                guard let base = bytes.baseAddress else { return }
                memmove(base, base + taken, kept)
            }
        }
    }

    /// Calls `body` with the whole rows of some bytes; how many bytes these are, `nil` when no more are wanted.
    private static func forEach(
        in bytes: UnsafeRawBufferPointer,
        _ body: (UnsafeRawBufferPointer) throws -> Bool
    ) rethrows -> Int? {
        var offset = 0
        while offset + Self.lengthByteCount <= bytes.count {
            let length = Int(bytes.loadUnaligned(fromByteOffset: offset, as: UInt32.self))
            let start = offset + Self.lengthByteCount
            guard start + length <= bytes.count else { break }
            guard try body(UnsafeRawBufferPointer(rebasing: bytes[start..<(start + length)])) else { return nil }
            offset = start + length
        }
        return offset
    }
}
