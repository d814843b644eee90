internal import Glibc
internal import LeatCore

/// Keeps other processes out of a data folder until it is released.
final class DataFolderLock: Sendable {
    private let descriptor: Int32

    /// Takes the lock file of a folder that exists, or says who has it.
    init(folder: String) throws(StorageError) {
        let path = "\(folder)/\(StorageFileNames.lock)"
        self.descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard self.descriptor >= 0 else { throw .file(.init(operation: "open", path: path, code: errno)) }
        guard flock(self.descriptor, LOCK_EX | LOCK_NB) == 0 else {
            let code = errno
            Glibc.close(self.descriptor)
            if code == EWOULDBLOCK { throw .dataFolderInUse(path: folder) }
            throw .file(.init(operation: "lock", path: path, code: code))
        }
    }

    /// Lets others in; call once.
    ///
    /// The lock is given back by name: a child that this process is just starting holds the file until it has begun.
    func release() {
        flock(self.descriptor, LOCK_UN)
        Glibc.close(self.descriptor)
    }
}
