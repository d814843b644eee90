internal import CLeatPlatform
internal import Glibc
internal import Synchronization

/// An open file of the real disk.
final class PosixFile: File {
    /// The descriptor; -1 once closed.
    private let openDescriptor: Atomic<Int32>
    let path: String

    init(path: String, mode: FileOpenMode) throws(FileSystemError) {
        let flags: Int32 =
            switch mode {
            // Not to wait for a writer, should the name have become that of a pipe.
            case .read: O_RDONLY | O_NONBLOCK
            case .readWrite: O_RDWR | O_CREAT
            case .createNew: O_RDWR | O_CREAT | O_EXCL
            }
        var descriptor: Int32
        repeat {
            descriptor = Glibc.open(path, flags | O_CLOEXEC, 0o600)
        } while descriptor < 0 && errno == EINTR
        guard descriptor >= 0 else {
            throw FileSystemError(operation: mode == .createNew ? "create" : "open", path: path, code: errno)
        }
        self.openDescriptor = Atomic(descriptor)
        self.path = path
    }

    deinit { self.close() }

    var descriptor: Int32 {
        let descriptor = self.openDescriptor.load(ordering: .relaxed)
        precondition(descriptor >= 0, "use of a closed file: \(self.path)")
        return descriptor
    }

    func read(at offset: UInt64, into buffer: UnsafeMutableRawBufferPointer) throws(FileSystemError) -> Int {
        var done = 0
        while done < buffer.count {
            let rest = UnsafeMutableRawBufferPointer(rebasing: buffer[done...])
            let count = pread(self.descriptor, rest.baseAddress, rest.count, off_t(offset) + off_t(done))
            if count == 0 { break }
            if count > 0 {
                done += count
            } else if errno != EINTR {
                throw self.error("read")
            }
        }
        return done
    }

    func write(_ parts: [ByteSlice], at offset: UInt64) throws(FileSystemError) {
        let pointers = parts.map { $0.unsafeBytes.baseAddress }
        let counts = parts.map(\.count)
        let result = withExtendedLifetime(parts) {
            leat_write_all(self.descriptor, pointers, counts, parts.count, offset)
        }
        if result != 0 { throw FileSystemError(operation: "write", path: self.path, code: -result) }
    }

    func truncate(to byteCount: UInt64) throws(FileSystemError) {
        guard ftruncate(self.descriptor, off_t(byteCount)) == 0 else { throw self.error("truncate") }
    }

    func sync() throws(FileSystemError) {
        guard fdatasync(self.descriptor) == 0 else { throw self.error("sync") }
    }

    func status() throws(FileSystemError) -> FileStatus {
        var found = stat()
        guard fstat(self.descriptor, &found) == 0 else { throw self.error("examine") }
        return FileStatus(found)
    }

    var currentFolder: String? {
        withUnsafeTemporaryAllocation(of: CChar.self, capacity: Int(PATH_MAX)) { buffer in
            // What follows the name of a removed file does not matter here.
            guard let start = buffer.baseAddress else { return nil }
            let count = readlink("/proc/self/fd/\(self.descriptor)", start, buffer.count)
            guard count > 0 else { return nil }
            let bytes = UnsafeRawBufferPointer(start: start, count: count)
            guard bytes.first == UInt8(ascii: "/"), let end = bytes.lastIndex(of: UInt8(ascii: "/")) else { return nil }
            return String(decoding: bytes[..<max(1, end)], as: UTF8.self)
        }
    }

    var bornAt: Timestamp? {
        var nanoseconds: Int64 = 0
        guard leat_birth_time(self.descriptor, &nanoseconds) == 0 else { return nil }
        return Timestamp(nanoseconds: nanoseconds)
    }

    func close() {
        let descriptor = self.openDescriptor.exchange(-1, ordering: .relaxed)
        // An error of close says nothing about durability, which only `sync` promises.
        if descriptor >= 0 { _ = Glibc.close(descriptor) }
    }

    /// The bytes from the start to the end, wherever that is by now.
    func readAll(byteCountHint: Int) throws(FileSystemError) -> ByteSlice {
        var storage = ByteStorage(byteCount: byteCountHint + 1)
        var done = 0
        while true {
            let rest = UnsafeMutableRawBufferPointer(rebasing: storage.bytes[done...])
            let count = try self.read(at: UInt64(done), into: rest)
            done += count
            if count < rest.count { break }
            // It grew, or it is a file such as those in /proc that has no size.
            let larger = ByteStorage(byteCount: max(4096, storage.bytes.count * 2))
            larger.bytes.copyMemory(from: UnsafeRawBufferPointer(rebasing: storage.bytes[..<done]))
            storage = larger
        }
        return ByteSlice(UnsafeRawBufferPointer(rebasing: storage.bytes[..<done]), owner: storage)
    }

    private func error(_ operation: String) -> FileSystemError {
        FileSystemError(operation: operation, path: self.path, code: errno)
    }
}
