/// Every limit of query execution, with its default; section 14 of the language's specification.
///
/// At a limit the answer is partial with a warning, unless the property says otherwise.
public struct QueryLimits: Hashable, Sendable {
    /// Rows of `head`, `tail`, `sort` and `table` when no limit is written.
    public var rowsDefault = 200
    /// Rows of `head`, `tail`, `sort` and `table` with `limit=max`.
    public var rowsMax = 200_000
    /// Groups of `groupBy` when no limit is written.
    public var groupsDefault = 20_000
    /// Groups of `groupBy` with `limit=max`; beyond it new groups are not counted.
    public var groupsMax = 1_000_000
    /// Distinct values that `collect` keeps per field and group.
    public var collectedValues = 2_000
    /// Bytes of the values that `collect` keeps per field and group.
    public var collectedBytes = 10 << 20
    /// Buckets of `timeChart` and `bucket`; more is an error.
    public var buckets = 1_500
    /// Series of `timeChart` with `limit=max`.
    public var seriesMax = 500
    /// Series of `timeChart`, groups of `bucket` when no limit is written.
    public var seriesDefault = 10
    /// Events that one event may become through `regex(repeat=true)`.
    public var regexRepeats = 100
    /// Rows that a sub-query of `join` may give.
    public var joinRows = 200_000
    /// Rows of one event matched by `match(nrows=)`.
    public var lookupRows = 500
    /// Elements of one array that the array functions look at.
    public var arrayElements = 65_536
    /// Fields of one event; more columns are dropped from new events.
    public var fieldsPerEvent = 1_000
    /// Rows that the Cartesian product of several aggregates may give.
    public var productRows = 200_000
    /// Bytes of one text that a function may make, and of those that it reads for it; more fails the query.
    public var valueBytes = 16 << 20
    /// Bytes of the texts that a function may make for the rows of one batch; more fails the query.
    public var batchTextBytes = 256 << 20
    /// Bytes of state that one query may hold; reaching it fails the query.
    public var stateBytes = 1 << 30

    public init() {}
}
