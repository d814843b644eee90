/// What a file is.
public struct FileStatus: Hashable, Sendable {
    public enum Kind: Hashable, Sendable {
        case regular, directory, other
    }

    public var kind: Kind
    /// Size in bytes.
    public var byteCount: UInt64
    public var device: UInt64
    public var inode: UInt64
    /// Number of names; 0 for a removed file that is still open.
    public var linkCount: UInt64
    public var modifiedAt: Timestamp

    public init(
        kind: Kind,
        byteCount: UInt64,
        device: UInt64,
        inode: UInt64,
        linkCount: UInt64,
        modifiedAt: Timestamp
    ) {
        self.kind = kind
        self.byteCount = byteCount
        self.device = device
        self.inode = inode
        self.linkCount = linkCount
        self.modifiedAt = modifiedAt
    }
}
