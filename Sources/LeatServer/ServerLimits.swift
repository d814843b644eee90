/// Every limit of the server that no setting changes; settings are in `ServerConfiguration`.
enum ServerLimits {
    /// Bytes that one read of a socket may bring.
    static let receiveBufferByteCount = 256 << 10
    /// Open files that are kept for the data; connections may have the rest.
    static let reservedFileCount = 512
    /// Longest request body of endpoints other than ingest, in bytes; a query is a page of text.
    static let controlBodyByteCountMax = 1 << 20
    /// Longest `_id`, in bytes, as in Elasticsearch.
    static let idByteCountMax = 512
    /// Longest index name, in bytes, as in Elasticsearch.
    static let indexNameByteCountMax = 255
    /// Longest value of a datasource tag, in bytes; longer ones are cut.
    static let tagByteCountMax = 256
    /// Definitions (templates, policies, pipelines) that are remembered; beyond it the oldest is forgotten.
    static let definitionCountMax = 1_000
    /// Time that running requests get after SIGTERM.
    static let shutdownSeconds = 10
    /// Time that a taken port or data folder is tried again.
    static let retrySeconds = 5
    /// Between heartbeats of a live stream.
    static let heartbeatSeconds = 5
    /// Query jobs that nobody polls end after this.
    static let jobIdleSeconds = 60
    /// Query jobs that may exist at a time.
    static let jobCountMax = 200
    /// Rows that one poll of a query job shows of a filter query.
    static let jobEventCountMax = 200
    /// Rows waiting for one live client before further ones are dropped and counted.
    static let liveRowCountMax = 20_000
    /// Bytes of rows waiting for one live client.
    static let liveByteCountMax = 16 << 20
}
