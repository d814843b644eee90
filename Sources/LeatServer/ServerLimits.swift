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
    /// Definitions (templates, policies, pipelines) that are remembered of a repository; beyond it its oldest is forgotten.
    static let definitionCountMax = 1_000
    /// Bytes of the names of all definitions; beyond it the oldest of all is forgotten, and sent again by its shipper.
    static let definitionByteCountMax = 4 << 20
    /// Time that running requests get after SIGTERM.
    static let shutdownSeconds = 10
    /// Time that a taken port or data folder is tried again.
    static let retrySeconds = 5
    /// Ended deletions that are remembered, so that people can see what became of them.
    static let deletionCountMax = 100
    /// Time that the answer to a deletion waits for its end.
    static let deletionWaitMilliseconds: Int64 = 20_000
    /// Between two tries.
    static let retryPauseMilliseconds = 250
    /// A certificate's files are looked at no more often than this.
    static let certificateCheckNanoseconds: UInt64 = 1_000_000_000
    /// Bytes that the system keeps of datagrams that were not read yet, as far as it allows.
    static let datagramSocketByteCount = 4 << 20
    /// Datagrams that one read of the socket brings.
    static let datagramsPerRead: UInt = 64
    /// Bytes of datagrams that wait to be stored; beyond it further ones are lost, and counted.
    static let waitingDatagramByteCount = 16 << 20
    /// Channels of Splunk acknowledgements that are remembered; beyond it the oldest is forgotten.
    static let ackChannelCountMax = 10_000
    /// Acknowledgements of a channel that nobody has asked for yet; further ones will be false.
    static let openAckCountMax = 100_000
    /// A body that comes slower than this, in bytes a second, while we wait for it, is given up.
    static let slowBodyBytesPerSecond = 256
    /// Events of the server itself that wait to be stored; beyond it further ones are lost, and counted.
    static let waitingOwnEventCount = 10_000
    /// Earlier versions of a parser that are kept.
    static let parserVersionCountMax = 20
    /// Protocols and repositories whose refused requests are counted apart; those of further ones are counted together.
    static let refusedRepositoryCountMax = 2_000
    /// Failed logins of one address within a minute; beyond it 429.
    static let failedLoginCountMax = 30
    /// Addresses whose failed logins are remembered.
    static let failedLoginAddressCountMax = 10_000
    /// Between heartbeats of a live stream.
    static let heartbeatSeconds = 5
    /// Query jobs that nobody polls end after this.
    static let jobIdleSeconds = 60
    /// Live query jobs that nobody polls end after this; dashboards in the background poll rarely.
    static let liveJobIdleSeconds = 3_600
    /// Between looks for query jobs that nobody polls.
    static let jobReapSeconds = 5
    /// Shortest time between two runs of a live query job whose query asks everything anew.
    static let repetitionSeconds = 10
    /// Between looks at memory that is held and not used.
    static let memoryReturnSeconds = 1
    /// Bytes of memory that may be held and not used; more goes back to the system.
    static let spareMemoryByteCountMax: UInt64 = 48 << 20
    /// Threads that wait for the next query: about as many as people ask at a time.
    static let idleQueryThreadCount = 4
    /// Query jobs that may exist at a time.
    static let jobCountMax = 200
    /// Events that a query job keeps of a filter query, the newest, to page through.
    static let jobEventCountMax = 1_000
    /// Events that one poll shows of a filter query when it names no other number.
    static let jobPageEventCount = 200
    /// Events before and after one that a query job shows in its context.
    static let contextEventCountMax = 2_000
    /// Longest lookup file, in bytes.
    static let lookupFileByteCountMax = 32 << 20
    /// Bytes of all lookup files, which are kept in memory.
    static let lookupByteCountMax = 128 << 20
    /// Lookup files of one repository.
    static let lookupFileCountMax = 1_000
    /// Longest name of a parser, lookup file or saved query, in bytes.
    static let givenNameByteCountMax = 255
    /// Saved queries of one repository.
    static let savedQueryCountMax = 10_000
    /// Selections that a GraphQL document may have, fragments counted each time they are used.
    static let graphQLSelectionCountMax = 5_000
    /// How deeply selections and values of a GraphQL document may nest.
    static let graphQLDepthMax = 32
    /// Rows waiting for one live client before further ones are dropped and counted.
    static let liveRowCountMax = 20_000
    /// Bytes of rows waiting for one live client.
    static let liveByteCountMax = 16 << 20
}
