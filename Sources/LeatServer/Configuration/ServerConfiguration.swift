/// The settings of the server; `config/server.yaml` describes each.
public struct ServerConfiguration: Sendable {
    /// Address to listen on; an IPv6 host is written without brackets here.
    public var host = "127.0.0.1"
    /// Port to listen on; 0 lets the system choose.
    public var port = 9200
    /// The data folder.
    public var dataPath = "./leat-data"
    /// Whether the server may listen beyond this machine although nobody has to show a token.
    public var isUnsafelyOpen = false
    public var logLevel = LogLevel.info
    public var logFormat = LogFormat.text
    /// Connections at a time; more wait in the system's queue.
    public var connectionCountMax = 20_000
    /// A connection that sends nothing for so long is closed; shippers idle up to a minute.
    public var idleSeconds = 120
    /// For so long a request's body may come more slowly than `ServerLimits.slowBodyBytesPerSecond`.
    public var slowSeconds = 60
    /// Bytes of request bodies that may be in memory at a time.
    public var ingestMemoryByteCount = 256 << 20
    /// Ingest requests that may be under way at a time.
    public var ingestRequestCountMax = 1_000
    /// The version that shippers are told when they ask for Elasticsearch's.
    public var elasticVersion = "8.17.0"
    /// Longest run of a query.
    public var querySeconds = 180
    /// Queries at a time.
    public var queryCountMax = 50
    /// Queries at a time of one token, or of everybody in open mode.
    public var userQueryCountMax = 30
    /// Name servers that `reverseDns` may ask, addresses with or without a port.
    public var nameServers: [String] = []
    /// Threads that scan for queries; 0: as many as there are processors.
    public var queryThreadCount = 0
    var limits = IngestLimits()
    var tls = TLSSettings()
    var syslog = SyslogSettings()
    var forward = ForwardSettings()

    public init() {}

    public enum LogLevel: String, CaseIterable, Sendable {
        case trace, debug, info, warning, error
    }

    public enum LogFormat: String, CaseIterable, Sendable {
        case text, json
    }

    /// Sets host and port from `HOST:PORT`, `:PORT` or `[V6]:PORT`.
    ///
    /// - Returns: Whether the text is an address.
    public mutating func setListen(_ text: String) -> Bool {
        guard let address = ListenAddress(text) else { return false }
        self.host = address.host
        self.port = address.port
        return true
    }

    /// The address of the HTTP interface.
    var address: ListenAddress { ListenAddress(host: self.host, port: self.port) }
}
