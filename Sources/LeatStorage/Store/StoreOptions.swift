public import LeatCore

/// Where a store lies and how it behaves.
public struct StoreOptions: Sendable {
    /// The data folder.
    public var path: String
    public var fileSystem: any FileSystem
    public var time: any TimeSource

    /// Whether other processes are kept out with a lock; a simulated disk needs none.
    public var locksFolder = true

    /// Rows that are older than this are sealed, in seconds.
    public var sealAgeSeconds: Int64 = 60

    /// Rows in memory, counted as plain text, at which sealing begins, in bytes: a block of one datasource may be full.
    public var openByteCountMax = StorageLimits.blockByteCountMax

    /// Rows in memory at which `append` waits for the sealing, in bytes.
    public var unsealedByteCountMax = 128 << 20

    /// Free bytes on the disk below which nothing is accepted.
    public var reservedByteCount: UInt64 = 256 << 20

    /// Retention also removes the oldest segments while those of all repositories take more of the disk than this, in
    /// percent; what other programs have on the disk makes nothing go.
    public var diskPercentMax = 80

    /// Whether sealing, merging and retention run by themselves; tests call them.
    public var runsInBackground = true

    public init(path: String, fileSystem: any FileSystem, time: any TimeSource) {
        self.path = path
        self.fileSystem = fileSystem
        self.time = time
    }
}

extension StoreOptions {
    /// Whether a path names something.
    func isPresent(_ path: String) throws(StorageError) -> Bool {
        do {
            return try self.fileSystem.status(path) != nil
        } catch {
            throw .file(error)
        }
    }
}
