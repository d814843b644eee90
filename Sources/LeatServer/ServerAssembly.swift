internal import Glibc
internal import LeatCore
internal import LeatStorage
internal import Logging
internal import ServiceLifecycle

/// Puts the parts of a server together.
struct ServerAssembly: Sendable {
    private let configuration: ServerConfiguration
    private let store: Store
    private let tokens: TokenStore
    private let parsers: ParserStore
    private let library: LibraryEndpoints
    private let deletions: DeletionQueue
    private let ownLog: OwnLog
    private let time: any TimeSource
    private let logger: Logger
    private let metrics = ServerMetrics()
    private let live = LiveQueries()
    private let digester: Digester

    init(
        configuration: ServerConfiguration,
        store: Store,
        tokens: TokenStore,
        parsers: ParserStore,
        library: LibraryEndpoints,
        deletions: DeletionQueue,
        ownLog: OwnLog,
        time: any TimeSource,
        logger: Logger
    ) {
        self.configuration = configuration
        self.store = store
        self.tokens = tokens
        self.parsers = parsers
        self.library = library
        self.deletions = deletions
        self.ownLog = ownLog
        self.time = time
        self.logger = logger
        self.digester = Digester(store: store, live: self.live, parsers: parsers)
        ownLog.begin(self.digester)
    }

    /// Everything that runs, in the order in which it is started.
    ///
    /// - Parameter onListening: Called once all listeners listen.
    /// - Returns: The services.
    /// - Throws: When certificate or key cannot be read.
    func services(onListening: @escaping @Sendable ([ServerProgram.Listening]) -> Void) throws -> [any Service] {
        let identity = try self.identity()
        let syslog = self.configuration.syslog
        let forward = self.configuration.forward
        let extra: [(name: String, address: ListenAddress?)] = [
            ("syslog-tcp", syslog.tcp), ("syslog-udp", syslog.udp), ("syslog-tls", syslog.tls),
            ("forward", forward.tcp), ("forward-tls", forward.tls),
        ]
        let ports = ListeningPorts(
            [Listener.name] + extra.filter { $0.address != nil }.map(\.name),
            onComplete: onListening
        )
        var listeners: [any Service] = [self.httpListener(identity, ports)]
        let key = try self.sharedKey()
        for (name, address) in extra {
            guard let address else { continue }
            switch name {
            case "syslog-udp": listeners.append(self.syslogDatagrams(address, ports))
            case "syslog-tcp": listeners.append(self.syslogListener(name, address, nil, ports))
            case "syslog-tls": listeners.append(self.syslogListener(name, address, identity, ports))
            default:
                let own = name == "forward-tls" ? identity : nil
                listeners.append(self.forwardListener(name, address, own, key, ports))
            }
        }
        return [self.ownLog, MemoryReturn(), ListenerGroup(listeners: listeners)]
    }

    private func identity() throws -> TLSIdentity? {
        guard self.configuration.tls.isSet else { return nil }
        do {
            return try TLSIdentity(
                self.configuration.tls,
                disk: PosixFileSystem(),
                time: self.time,
                logger: self.logger
            )
        } catch {
            throw ServerProgram.Failure(
                description:
                    "certificate \(self.configuration.tls.certificatePath) with key \(self.configuration.tls.keyPath) "
                    + "cannot be used: \(error)",
                exitCode: 78
            )
        }
    }

    /// The key that senders of the forward protocol must know.
    private func sharedKey() throws -> Secret? {
        let path = self.configuration.forward.keyPath
        guard !path.isEmpty else { return nil }
        let text: String
        do throws(FileSystemError) {
            text = try PosixFileSystem().contents(path).text
        } catch {
            throw ServerProgram.Failure(description: "\(error)", exitCode: 66)
        }
        let key = text.split(whereSeparator: \.isNewline).first.map { $0.trimming() } ?? ""
        guard !key.isEmpty else {
            throw ServerProgram.Failure(description: "\(path) holds no shared key in its first line", exitCode: 78)
        }
        return Secret(key)
    }

    // MARK: listeners

    private func httpListener(_ identity: TLSIdentity?, _ ports: ListeningPorts) -> Listener {
        Listener(
            address: self.configuration.address,
            identity: identity,
            bodyByteCountMax: self.configuration.limits.bodyByteCountMax,
            connectionCountMax: min(
                self.configuration.connectionCountMax,
                max(16, OpenFileLimit.raise() - ServerLimits.reservedFileCount)
            ),
            idleSeconds: self.configuration.idleSeconds,
            slowSeconds: self.configuration.slowSeconds,
            dispatcher: self.dispatcher(),
            logger: self.logger,
            ports: ports
        )
    }

    private func sink(_ name: String, repository: String, parser: String) -> StreamSink {
        StreamSink(
            name: name,
            repository: repository,
            parser: parser.isEmpty ? nil : parser,
            digester: self.digester,
            limits: self.configuration.limits,
            metrics: self.metrics,
            time: self.time,
            logger: self.logger
        )
    }

    private func syslogEvents() -> SyslogEvents {
        SyslogEvents(zone: self.configuration.syslog.zone, hasParser: !self.configuration.syslog.parser.isEmpty)
    }

    private func syslogDatagrams(_ address: ListenAddress, _ ports: ListeningPorts) -> SyslogDatagrams {
        let settings = self.configuration.syslog
        return SyslogDatagrams(
            address: address,
            sink: self.sink("syslog-udp", repository: settings.repository, parser: settings.parser),
            events: self.syslogEvents(),
            logger: self.logger,
            ports: ports
        )
    }

    private func syslogListener(
        _ name: String,
        _ address: ListenAddress,
        _ identity: TLSIdentity?,
        _ ports: ListeningPorts
    ) -> StreamListener {
        let settings = self.configuration.syslog
        let syslog = SyslogConnection(
            sink: self.sink(name, repository: settings.repository, parser: settings.parser),
            events: self.syslogEvents()
        )
        return StreamListener(
            name: name,
            address: address,
            identity: identity,
            connectionCountMax: settings.connectionCountMax,
            metrics: self.metrics,
            logger: self.logger,
            ports: ports,
            serve: { try await syslog.serve($0) }
        )
    }

    private func forwardListener(
        _ name: String,
        _ address: ListenAddress,
        _ identity: TLSIdentity?,
        _ key: Secret?,
        _ ports: ListeningPorts
    ) -> StreamListener {
        let settings = self.configuration.forward
        let forward = ForwardConnection(
            sink: self.sink(name, repository: settings.repository, parser: settings.parser),
            key: key,
            messageByteCountMax: self.configuration.limits.bodyByteCountMax
        )
        return StreamListener(
            name: name,
            address: address,
            identity: identity,
            connectionCountMax: settings.connectionCountMax,
            metrics: self.metrics,
            logger: self.logger,
            ports: ports,
            serve: { try await forward.serve($0) }
        )
    }

    // MARK: HTTP

    private var access: Access {
        Access(tokens: self.tokens, time: self.time, isUnsafe: self.configuration.isUnsafelyOpen)
    }

    private func dispatcher() -> Dispatcher {
        Dispatcher(
            endpoints: self.endpoints(),
            access: self.access,
            audit: Audit(log: self.ownLog),
            metrics: self.metrics,
            logger: self.logger,
            time: self.time
        )
    }

    private func endpoints() -> Endpoints {
        let budget = IngestBudget(
            byteLimit: self.configuration.ingestMemoryByteCount,
            requestLimit: self.configuration.ingestRequestCountMax
        )
        let executor = SearchExecutor(
            store: self.store,
            files: self.library.files,
            queries: self.library.queries,
            configuration: self.configuration,
            time: self.time,
            metrics: self.metrics
        )
        let monitoring = self.monitoring(budget)
        let tokens = TokenEndpoints(
            tokens: self.tokens,
            parsers: self.parsers,
            store: self.store,
            live: self.live,
            time: self.time
        )
        return Endpoints(
            bulk: BulkEndpoint(
                digester: self.digester,
                budget: budget,
                limits: self.configuration.limits,
                metrics: self.metrics,
                time: self.time
            ),
            ingest: IngestEndpoints(
                digester: self.digester,
                budget: budget,
                limits: self.configuration.limits,
                metrics: self.metrics,
                time: self.time,
                acks: SplunkAcks()
            ),
            elastic: self.elastic(executor, monitoring),
            query: QueryEndpoint(
                executor: executor,
                live: self.live,
                access: self.access,
                metrics: self.metrics,
                time: self.time
            ),
            jobs: QueryJobs(executor: executor, live: self.live, time: self.time),
            administration: AdministrationEndpoints(
                store: self.store,
                digester: self.digester,
                library: self.library
            ),
            deletions: DeletionEndpoints(store: self.store, deletions: self.deletions, time: self.time),
            tokens: tokens,
            users: UserEndpoints(tokens: tokens),
            parsers: ParserEndpoints(parsers: self.parsers),
            monitoring: monitoring,
            live: self.live,
            library: self.library,
            graphQL: GraphQLEndpoint(library: self.library, parsers: self.parsers)
        )
    }

    private func monitoring(_ budget: IngestBudget) -> MonitoringEndpoints {
        MonitoringEndpoints(
            store: self.store,
            metrics: self.metrics,
            budget: budget,
            live: self.live,
            ownLog: self.ownLog,
            time: self.time
        )
    }

    private func elastic(_ executor: SearchExecutor, _ monitoring: MonitoringEndpoints) -> ElasticEndpoints {
        let definitions = ElasticDefinitions()
        return ElasticEndpoints(
            version: self.configuration.elasticVersion,
            definitions: definitions,
            indexes: IndexEndpoints(
                executor: executor,
                definitions: definitions,
                monitoring: monitoring,
                time: self.time
            ),
            monitoring: monitoring,
            clusterID: String(SystemRandom.uint64(), radix: 36)
        )
    }
}
