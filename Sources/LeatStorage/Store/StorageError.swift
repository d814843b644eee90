public import LeatCore

/// What can go wrong with stored events; the text says what to do or what was done.
public enum StorageError: Error, Sendable, CustomStringConvertible {
    /// Another process holds the data folder.
    case dataFolderInUse(path: String)
    /// No repository of this name; `nearest` is what was probably meant.
    case unknownRepository(name: String, nearest: String?)
    case repositoryExists(name: String)
    /// A name outside `[A-Za-z0-9._-]{1,64}`.
    case invalidRepositoryName(String)
    /// The disk has too little room; ask again later.
    case diskFull(freeByteCount: UInt64, reservedByteCount: UInt64)
    /// Rows arrive faster than they can be sealed; ask again later.
    case overloaded(unsealedByteCount: Int)
    /// The batch is larger than a journal frame may be.
    case batchTooLarge(byteCount: Int, limit: Int)
    /// The journal cannot be written; nothing is accepted until it can.
    case journalFailed(FileSystemError)
    /// The store was closed.
    case closed
    case file(FileSystemError)
    /// The catalog refused; the text is its own.
    case catalog(String)
    /// The catalog is of a later version, or damaged beyond use.
    case damaged(path: String, reason: String)

    public var description: String {
        switch self {
        case .dataFolderInUse(let path):
            "data folder \(path) is in use by another process; stop it or choose another folder"
        case .unknownRepository(let name, let nearest):
            "no repository '\(name)'" + (nearest.map { "; did you mean '\($0)'?" } ?? "")
        case .repositoryExists(let name): "repository '\(name)' exists already"
        case .invalidRepositoryName(let name):
            "invalid repository name '\(name)': 1 to 64 letters, digits, dots, dashes or underscores"
        case .diskFull(let free, let reserved):
            "disk is full: \(free) bytes free, \(reserved) are kept in reserve; free some space, then send again"
        case .overloaded(let count): "too many rows wait to be sealed (\(count) bytes); send again later"
        case .batchTooLarge(let count, let limit):
            "batch of \(count) bytes exceeds the limit of \(limit); send less at once"
        case .journalFailed(let error): "journal cannot be written, nothing is accepted: \(error)"
        case .closed: "storage is closed"
        case .file(let error): error.description
        case .catalog(let reason): "catalog: \(reason)"
        case .damaged(let path, let reason): "\(path) is damaged: \(reason)"
        }
    }
}
