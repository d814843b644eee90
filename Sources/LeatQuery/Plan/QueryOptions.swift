public import LeatCore

/// What a query's answer depends on besides its text and the events.
public struct QueryOptions: Sendable {
    /// The wall clock at which the query starts: the value of `now()`, the origin of relative times.
    public var now: Timestamp
    /// First moment of the interval; `nil`: from the first event.
    public var start: Timestamp?
    /// First moment after the interval; `nil`: to the last event.
    public var end: Timestamp?
    /// Values of the query's parameters; several values are separated by commas, `"` protects them.
    public var arguments: [String: String] = [:]
    /// The zone that aligns day buckets and formats times that name none.
    public var timeZone = "UTC"
    /// What one query may use.
    public var limits = QueryLimits()
    /// Events that the answer to a filter query keeps, the newest; a query that is streamed gives all.
    public var eventLimit = Int.max
    /// Name servers that `reverseDns` may ask, as addresses with or without a port; empty: none.
    public var nameServers: [String] = []
    /// Whether the query stays open for events to come.
    public var isLive = false
    /// Whether a missing parameter, saved query or lookup file passes (`leat check`).
    public var isCheckOnly = false
    /// Where `$name()` is looked up.
    public var savedQueries: (any SavedQueryProvider)?
    /// Where `match`, `readFile` and `cidr(file=)` find their tables.
    public var lookupFiles: (any LookupFileProvider)?
    /// Where the sub-queries of `join` and `defineTable` find their events; without it they use the blocks of the
    /// query itself.
    public var blocks: (any BlockProvider)?

    public init(now: Timestamp, start: Timestamp? = nil, end: Timestamp? = nil) {
        self.now = now
        self.start = start
        self.end = end
    }
}

/// Saved queries by name.
public protocol SavedQueryProvider: Sendable {
    /// The text of a saved query, `nil` when there is none of that name; `name` is written without `$`.
    func savedQuery(_ name: String) -> String?
}

/// Lookup files by name.
public protocol LookupFileProvider: Sendable {
    /// The bytes of a CSV or JSON file, `nil` when there is none of that name.
    func lookupFile(_ name: String) -> ByteSlice?
}

/// The stored events of other intervals or repositories, for sub-queries.
public protocol BlockProvider: Sendable {
    /// Blocks that may hold events of the interval, newest first; `repository` is `nil` for the query's own.
    func blocks(repository: String?, start: Timestamp?, end: Timestamp?) throws -> [any BlockSource]
}
