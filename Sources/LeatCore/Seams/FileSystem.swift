/// The disk, as everything above uses it, so that tests can put a simulated one in its place.
///
/// Calls block; callers keep them off the cooperative pool. Paths are absolute or relative to the working folder.
public protocol FileSystem: Sendable {
    /// Opens a file.
    func open(_ path: String, _ mode: FileOpenMode) throws(FileSystemError) -> any File

    /// Maps or reads a whole file that will not change any more.
    func contents(_ path: String) throws(FileSystemError) -> ByteSlice

    /// Renames atomically, replacing `target`; durable only after `syncDirectory`.
    func rename(_ source: String, to target: String) throws(FileSystemError)

    /// Gives a file a second name; fails when `target` exists.
    func link(_ source: String, to target: String) throws(FileSystemError)

    /// Removes a file, or an empty directory.
    func remove(_ path: String) throws(FileSystemError)

    /// Creates a directory and those above it; no error when it exists.
    func createDirectory(_ path: String) throws(FileSystemError)

    /// The names in a directory, without `.` and `..`, sorted by bytes.
    func list(_ path: String) throws(FileSystemError) -> [String]

    /// What a path names, after following links; `nil` when there is nothing.
    func status(_ path: String) throws(FileSystemError) -> FileStatus?

    /// Makes the entries of a directory durable.
    func syncDirectory(_ path: String) throws(FileSystemError)

    /// Bytes that an ordinary user may still write, and the size of the disk in bytes.
    func space(_ path: String) throws(FileSystemError) -> (free: UInt64, total: UInt64)
}

/// How a file is opened.
public enum FileOpenMode: Hashable, Sendable {
    /// For reading; it must exist.
    case read
    /// For reading and writing; created empty when absent, kept as it is when present.
    case readWrite
    /// For reading and writing; it must not exist.
    case createNew
}

/// An open file.
///
/// One thread uses it at a time, except for `read`, which any number may call.
public protocol File: AnyObject, Sendable {
    /// Reads up to `buffer.count` bytes at `offset`; 0 at the end of the file.
    func read(at offset: UInt64, into buffer: UnsafeMutableRawBufferPointer) throws(FileSystemError) -> Int

    /// Writes all parts, one after the other, at `offset`.
    func write(_ parts: [ByteSlice], at offset: UInt64) throws(FileSystemError)

    /// Cuts or extends the file.
    func truncate(to byteCount: UInt64) throws(FileSystemError)

    /// Makes the file's bytes and size durable (fdatasync).
    ///
    /// After an error the file must be abandoned: the system may have dropped what was not written.
    func sync() throws(FileSystemError)

    /// What the open file is.
    func status() throws(FileSystemError) -> FileStatus

    /// The folder in which the file lies now, or from which it was removed; `nil` when that cannot be told.
    var currentFolder: String? { get }

    /// When the file was made; `nil` when the file system does not keep it.
    var bornAt: Timestamp? { get }

    /// Closes the file; further use is a bug.
    func close()
}

extension File {
    /// Most files are used by their own name only.
    public var currentFolder: String? { nil }

    /// What is no file of a real disk has no such time.
    public var bornAt: Timestamp? { nil }
}
