public import LeatCore

/// The rows of one request, which storage keeps whole or not at all.
public struct IngestBatch: Sendable {
    /// The repository, which must exist.
    public var repository: String

    /// The rows per datasource.
    ///
    /// A request with more than `Batch.rowCountMax` rows for one has several parts for it.
    public var parts: [IngestPart]

    /// When the request arrived; becomes `@ingesttimestamp`.
    public var arrivedAt: Timestamp

    /// The sender's key, if it gave one.
    public var key: BatchKey?

    /// Items of the request that were refused before they became rows.
    public var refused: [RefusedItem]

    public init(
        repository: String,
        parts: [IngestPart],
        arrivedAt: Timestamp,
        key: BatchKey? = nil,
        refused: [RefusedItem] = []
    ) {
        self.repository = repository
        self.parts = parts
        self.arrivedAt = arrivedAt
        self.key = key
        self.refused = refused
    }

    /// A batch of one datasource.
    public init(
        repository: String,
        tags: DatasourceTags = .none,
        batch: Batch,
        ids: [ByteSlice?]? = nil,
        arrivedAt: Timestamp,
        key: BatchKey? = nil
    ) {
        let part = IngestPart(tags: tags, batch: batch, ids: ids)
        self.init(repository: repository, parts: [part], arrivedAt: arrivedAt, key: key)
    }
}

/// Rows of one request for one datasource.
public struct IngestPart: Sendable {
    public var tags: DatasourceTags
    /// The rows, without a selection.
    ///
    /// Columns named `@id`, `@ingesttimestamp`, `@timestamp`, `#repo` or like a tag are not stored: storage sets them.
    public var batch: Batch
    /// Per row the `_id` that its sender gave, if any; `nil` when no row has one.
    public var ids: [ByteSlice?]?

    public init(tags: DatasourceTags, batch: Batch, ids: [ByteSlice?]? = nil) {
        precondition(ids.map { $0.count == batch.rowCount } ?? true, "as many ids as rows")
        self.tags = tags
        self.batch = batch
        self.ids = ids
    }
}

/// What became of a batch once it is durable.
public struct AppendOutcome: Sendable {
    /// Whether the batch's key was stored before; then nothing was stored now.
    public var isRepeat = false

    /// The refused items of the batch: those given, or for a repeat those of the first time.
    public var refused: [RefusedItem] = []

    /// Whether the number of the key was stored before with another body; the batch was stored all the same.
    public var differsFromFirst = false

    /// Per part the rows whose `_id` was stored before, ascending; they were not stored again.
    public var repeatedIDs: [[Int]] = []

    /// Per part the rows as they were stored, with `@id`, `@ingesttimestamp`, `#repo` and tags, for live queries.
    public var stored: [Batch] = []

    public init() {}
}
