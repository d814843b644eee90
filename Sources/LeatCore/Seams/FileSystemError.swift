internal import Glibc

/// A failed operation of the file system.
public struct FileSystemError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The operation, as a verb such as `open` or `sync`.
    public let operation: String
    public let path: String
    /// The system's error number (`errno`).
    public let code: Int32

    public init(operation: String, path: String, code: Int32) {
        self.operation = operation
        self.path = path
        self.code = code
    }

    public var description: String {
        let reason = strerror(self.code).map { String(cString: $0) } ?? "error \(self.code)"
        return "cannot \(self.operation) \(self.path): \(reason)"
    }
}
