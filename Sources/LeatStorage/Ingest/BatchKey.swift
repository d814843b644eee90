/// The identity that a sender gives a request, so that a repeat of it stores nothing.
///
/// Keys belong to repository and credential; see design section 5.
public struct BatchKey: Hashable, Sendable {
    /// Who sent the batch: the id of the ingest token, or empty in open mode.
    public let credential: String
    /// 128 random bits that the sender drew at its start.
    public let series: UInt128
    /// 1, 2, 3 … within the series.
    public let number: UInt64
    /// xxh128 of the request's body.
    public let hash: UInt128

    public init(credential: String, series: UInt128, number: UInt64, hash: UInt128) {
        self.credential = credential
        self.series = series
        self.number = number
        self.hash = hash
    }
}

/// An item of a request that was refused for good; remembered with the batch's key, so that a repeat is told the same.
public struct RefusedItem: Hashable, Sendable {
    /// Position of the item in its request, from 0.
    public let position: UInt32
    /// The HTTP status of the item.
    public let status: UInt16
    /// Elasticsearch's error type, such as `document_parsing_exception`.
    public let type: String
    /// Why, in words.
    public let reason: String

    public init(position: UInt32, status: UInt16, type: String, reason: String) {
        self.position = position
        self.status = status
        self.type = type
        self.reason = reason
    }
}
