internal import Glibc
internal import LeatCore

/// The bytes of a file or of standard input, decompressed.
enum LocalInput {
    /// The whole input; `-` is standard input.
    ///
    /// `onProgress` gets the number of bytes that were read or expanded so far, and may throw to end it.
    static func open(_ path: String, onProgress: (Int) throws -> Void = { _ in }) throws -> ByteSlice {
        let raw: ByteSlice
        if path == "-" {
            raw = try Self.readAll(STDIN_FILENO, onProgress)
        } else {
            raw = try Self.contents(path, onProgress)
        }
        let name = path == "-" ? "standard input" : path
        return try Decompression.decompress(raw, name: name, onProgress: onProgress)
    }

    private static func contents(_ path: String, _ onProgress: (Int) throws -> Void) throws -> ByteSlice {
        let files = PosixFileSystem()
        do throws(FileSystemError) {
            guard let status = try files.status(path) else {
                throw FileSystemError(operation: "open", path: path, code: ENOENT)
            }
            switch status.kind {
            case .regular: return try files.contents(path)
            case .directory: throw FileSystemError(operation: "read", path: path, code: EISDIR)
            case .other: break
            }
        } catch {
            let kind: ExitStatus =
                error.code == ENOENT ? .missingInput : error.code == EACCES ? .notPermitted : .inputOutput
            throw CommandError(kind, "cannot \(error.operation) \(path): \(systemReason(error.code))")
        }
        let descriptor = Glibc.open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            throw CommandError(.inputOutput, "cannot open \(path): \(systemReason(errno))")
        }
        defer { close(descriptor) }
        return try Self.readAll(descriptor, onProgress)
    }

    /// Everything that comes from a pipe; beyond `memoryByteCountMax` it lies in a temporary file without a name.
    private static func readAll(_ descriptor: Int32, _ onProgress: (Int) throws -> Void) throws -> ByteSlice {
        var total = 0
        var spool = Spool()
        var piece = [UInt8](repeating: 0, count: 1 << 20)
        while true {
            let count = read(descriptor, &piece, piece.count)
            if count == 0 { return try spool.finish() }
            if count < 0 {
                if errno == EINTR { continue }
                throw CommandError(.inputOutput, "cannot read: \(systemReason(errno))")
            }
            try piece.withUnsafeBytes { try spool.write(UnsafeRawBufferPointer(rebasing: $0[..<count])) }
            total += count
            try onProgress(total)
        }
    }
}

/// Bytes of unknown number: in memory while they are few, else in a temporary file without a name.
struct Spool: ~Copyable {
    static let memoryByteCountMax = 64 << 20
    /// Bytes that go to the file at once.
    private static let pieceByteCount = 1 << 20
    /// `O_TMPFILE`, which the Glibc module lacks: `fcntl.h` of Linux on x86-64 and arm64 alike.
    private static let temporaryFileFlag: Int32 = 0o20_000_000 | O_DIRECTORY

    private var bytes: [UInt8] = []
    private var descriptor: Int32 = -1
    private var fileByteCount = 0

    init() {}

    deinit {
        if self.descriptor >= 0 { close(self.descriptor) }
    }

    mutating func write(_ piece: UnsafeRawBufferPointer) throws {
        self.bytes.append(contentsOf: piece)
        if self.bytes.count >= (self.descriptor < 0 ? Self.memoryByteCountMax : Self.pieceByteCount) {
            try self.spill()
        }
    }

    private mutating func spill() throws {
        if self.descriptor < 0 {
            let folder = Environment.current()["TMPDIR"] ?? "/tmp"
            self.descriptor = Glibc.open(folder, Self.temporaryFileFlag | O_RDWR | O_CLOEXEC, 0o600)
            guard self.descriptor >= 0 else {
                throw CommandError(.inputOutput, "cannot make a temporary file in \(folder): \(systemReason(errno))")
            }
        }
        var written = 0
        while written < self.bytes.count {
            let count = self.bytes.withUnsafeBytes { bytes in
                Glibc.write(self.descriptor, bytes.baseAddress.map { $0 + written }, bytes.count - written)
            }
            guard count > 0 else {
                if errno == EINTR { continue }
                let hint = "TMPDIR names another folder"
                throw CommandError(
                    .inputOutput,
                    "cannot keep \(Amount.bytes(self.fileByteCount)) in a temporary file: \(systemReason(errno)); \(hint)"
                )
            }
            written += count
        }
        self.fileByteCount += written
        self.bytes.removeAll(keepingCapacity: self.fileByteCount > Self.memoryByteCountMax)
    }

    /// All bytes; the spool is empty afterwards.
    mutating func finish() throws -> ByteSlice {
        guard self.descriptor >= 0 else {
            let bytes = self.bytes
            self.bytes = []
            return ByteSlice(bytes)
        }
        try self.spill()
        let address = mmap(nil, self.fileByteCount, PROT_READ, MAP_PRIVATE, self.descriptor, 0)
        guard let address, address != MAP_FAILED else {
            throw CommandError(.inputOutput, "cannot map the input: \(systemReason(errno))")
        }
        let mapping = Mapping(address: address, byteCount: self.fileByteCount)
        return ByteSlice(UnsafeRawBufferPointer(start: address, count: self.fileByteCount), owner: mapping)
    }

    /// Keeps a mapping until nobody needs it.
    private final class Mapping {
        let address: UnsafeMutableRawPointer
        let byteCount: Int

        init(address: UnsafeMutableRawPointer, byteCount: Int) {
            self.address = address
            self.byteCount = byteCount
        }

        deinit { munmap(self.address, self.byteCount) }
    }
}
