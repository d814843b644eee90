internal import LeatCore

/// What a store knows of one repository.
struct RepositoryState: Sendable {
    var record: RepositoryRecord
    var datasources: [DatasourceTags: OpenDatasource] = [:]
    /// By number.
    var segments: [SegmentHandle] = []
    /// Datasources that have tags of their own.
    var knownTags: Set<DatasourceTags> = []
    var sealedThrough: [DatasourceTags: Int64] = [:]
    /// What recovery found missing.
    var damaged: [String] = []

    var openRowCount: Int {
        self.datasources.values.reduce(0) { total, datasource in
            total + (datasource.growing + datasource.frozen).reduce(0) { $0 + $1.batch.rowCount }
                + datasource.encoded.reduce(0) { $0 + $1.stored.rowCount }
        }
    }

    /// The datasource for rows with these tags: their own, or a shared one when there are too many.
    func datasource(for tags: DatasourceTags) -> DatasourceTags {
        if self.knownTags.contains(tags) || self.knownTags.count < StorageLimits.datasourceCountMax { return tags }
        var text = tags.description
        let hash = text.withUTF8 { ByteHash.hash(UnsafeRawBufferPointer($0)) }
        return Self.shared[Int(hash % UInt64(StorageLimits.overflowDatasourceCount))]
    }

    /// The datasources that tags beyond the limit share.
    private static let shared = (0..<StorageLimits.overflowDatasourceCount).map { number in
        DatasourceTags([DatasourceTags.Tag(name: "#overflow", value: String(number))])
    }

    /// Whether there are more tags than datasources.
    var sharesDatasources: Bool { Self.shared.contains { self.knownTags.contains($0) } }
}

/// All that the threads of a store share.
struct StoreState: Sendable {
    var repositories: [String: RepositoryState] = [:]
    var catalogVersion: Int64 = 0
    var nextSegment: Int64 = 1
    var nextRepository: Int64 = 1
    var nextIDFile: Int64 = 1
    /// Objects with ids, and the last arrival in each, in milliseconds.
    var idFiles: [Int64: Int64] = [:]
    var counters = StoreCounters()
    /// Damage that belongs to no known repository.
    var damaged: [String] = []
    /// What opening the store did that its owner should know.
    var notices: [String] = []
    /// Segments that are damaged and so stay out of merges.
    var unmergeable: Set<Int64> = []
    var fault: String?
    var isClosed = false
    /// Values of rows that are in no segment, in bytes.
    var openByteCount = 0
    /// Encoded blocks that are in no segment, in bytes.
    var encodedByteCount = 0
    /// Appends that wait for room.
    var waiting: [CheckedContinuation<Void, Never>] = []

    var unsealedByteCount: Int { self.openByteCount + self.encodedByteCount }

    func repository(id: Int64) -> RepositoryState? { self.repositories.values.first { $0.record.id == id } }
}
