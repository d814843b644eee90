public import LeatCore

/// A named set of events with one retention.
public struct Repository: Hashable, Sendable {
    /// `[A-Za-z0-9._-]{1,64}`.
    public let name: String
    public let createdAt: Timestamp
    public var retention: Retention

    public init(name: String, createdAt: Timestamp, retention: Retention) {
        self.name = name
        self.createdAt = createdAt
        self.retention = retention
    }

    /// Whether `name` may name a repository.
    public static func isValid(name: String) -> Bool {
        let allowed: (UInt8) -> Bool = { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"): true
            case UInt8(ascii: "0")...UInt8(ascii: "9"): true
            case UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "-"): true
            default: false
            }
        }
        return (1...64).contains(name.utf8.count) && name.utf8.allSatisfy(allowed) && name != "." && name != ".."
    }
}

/// How long events stay.
///
/// A segment goes when its newest arrival is too old, or, oldest first, when there are too many bytes.
public struct Retention: Hashable, Sendable {
    /// Seconds since arrival; `nil` keeps events whatever their age.
    public var ageSeconds: Int64?
    /// Stored bytes of the repository; `nil` sets no limit of its own.
    public var byteCount: UInt64?

    /// 30 days; the disk's own limit is the store's.
    public static let standard = Retention(ageSeconds: 30 * 86_400, byteCount: nil)

    public init(ageSeconds: Int64?, byteCount: UInt64?) {
        self.ageSeconds = ageSeconds
        self.byteCount = byteCount
    }
}
