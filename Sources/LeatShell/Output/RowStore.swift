internal import Glibc

/// Rows that must be seen twice: once for their columns and widths, once to be written.
///
/// Up to `memoryByteCountMax` they stay in memory; beyond that all of them lie in a temporary file without a name.
final class RowStore {
    static let memoryByteCountMax = 64 << 20

    private var bytes: [UInt8] = []
    private var file: UnsafeMutablePointer<FILE>?
    private(set) var rowCount = 0

    deinit {
        if let file = self.file { fclose(file) }
    }

    /// Adds a row without its newline.
    func append(_ row: UnsafeRawBufferPointer) throws {
        self.bytes.append(contentsOf: row)
        self.bytes.append(0x0A)
        self.rowCount += 1
        if self.bytes.count >= Self.memoryByteCountMax { try self.spill() }
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
        var assembler = LineAssembler()
        var goesOn = true
        func pass(_ piece: UnsafeRawBufferPointer) throws {
            try assembler.add(piece) { if goesOn { goesOn = try body($0) } }
        }
        if let file = self.file {
            rewind(file)
            var piece = [UInt8](repeating: 0, count: 1 << 20)
            while goesOn {
                let count = fread(&piece, 1, piece.count, file)
                if count == 0 { break }
                try piece.withUnsafeBytes { try pass(UnsafeRawBufferPointer(rebasing: $0[..<count])) }
            }
            fseek(file, 0, SEEK_END)
        }
        if goesOn { try self.bytes.withUnsafeBytes(pass) }
    }
}
