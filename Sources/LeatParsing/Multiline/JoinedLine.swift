/// A line that was made of one or more: where and when it began.
public struct JoinedLine: Hashable, Sendable {
    /// Time of its first part, nanoseconds since 1970 UTC.
    public let nanoseconds: Int64
    /// Offset in the file where its first part begins.
    public let offset: UInt64
    /// Number of parts, at least 1.
    public let partCount: Int
    /// Whether bytes beyond the limit were cut off.
    public let isTruncated: Bool

    public init(nanoseconds: Int64, offset: UInt64, partCount: Int, isTruncated: Bool) {
        self.nanoseconds = nanoseconds
        self.offset = offset
        self.partCount = partCount
        self.isTruncated = isTruncated
    }
}
