internal import Glibc
internal import LeatCore
internal import LeatStorage
internal import Logging
internal import NIOCore
internal import NIOPosix
internal import ServiceLifecycle
internal import Synchronization
internal import UnixSignals

/// The server as a whole: opens the data, listens, runs until it is told to stop, and closes everything in order.
public final class ServerProgram: Sendable {
    /// Why the server ended, or could not start: one line, and the exit code.
    public struct Failure: Error, Sendable, CustomStringConvertible {
        public let description: String
        /// See the exit codes of the house style; 73: port or data folder in use.
        public let exitCode: Int32

        public init(description: String, exitCode: Int32) {
            self.description = description
            self.exitCode = exitCode
        }
    }

    private let configuration: ServerConfiguration
    private let time: any TimeSource
    private let logger: Logger
    private let onListening: @Sendable (Int) -> Void
    private let group = Mutex<ServiceGroup?>(nil)

    /// - Parameters:
    ///   - configuration: All settings.
    ///   - onListening: Called with the port once requests are served.
    public init(_ configuration: ServerConfiguration, onListening: @escaping @Sendable (Int) -> Void) {
        self.configuration = configuration
        self.time = SystemTime()
        self.onListening = onListening
        self.logger = Logger(label: "leat-server") { LogOutput(label: $0, configuration) }
    }

    /// Runs until SIGTERM or SIGINT, or until `stop`.
    ///
    /// - Parameter stopsOnSignals: Whether the process' signals end the run.
    /// - Throws: `Failure`.
    public func run(stopsOnSignals: Bool = true) async throws {
        let store = try await self.openStore()
        do {
            let tokens = try TokenStore(store)
            let parsers = try ParserStore(store, time: self.time)
            for reason in parsers.broken {
                self.logger.error("a parser does not compile", metadata: ["error": "\(reason)"])
            }
            try self.checkReach(tokens)
            try await Self.createStandardRepository(store)
            let files = try LookupFiles(store)
            let queries = try SavedQueries(store, parsers: parsers)
            let library = LibraryEndpoints(store: store, files: files, queries: queries)
            let deletions = try DeletionQueue(store, time: self.time, logger: self.logger)
            defer { deletions.stop() }
            try await self.serve(store, tokens, parsers, library, deletions, stopsOnSignals: stopsOnSignals)
        } catch {
            await self.close(store)
            throw self.failure(error)
        }
        await self.close(store)
    }

    /// The repository of requests that name none exists from the start, so that it can be asked and followed.
    private static func createStandardRepository(_ store: Store) async throws {
        if store.repository(named: RepositoryNames.standard) != nil { return }
        try await Blocking.run { _ = try store.createRepository(RepositoryNames.standard) }
    }

    /// Refuses to listen where other machines can reach a server that asks nobody for a token.
    private func checkReach(_ tokens: TokenStore) throws(Failure) {
        if self.configuration.listensOnLoopback || self.configuration.isUnsafelyOpen || tokens.isClosed { return }
        throw Failure(
            description:
                "\(self.configuration.host) is reachable from other machines and no admin token exists; make one "
                + "with 'leat-server token create --admin NAME --data DIR', listen on 127.0.0.1, or set unsafe_open if "
                + "everybody who reaches it may read and write",
            exitCode: 78
        )
    }

    /// Ends the run as SIGTERM does.
    public func stop() async { await self.group.withLock { $0 }?.triggerGracefulShutdown() }

    /// Opens the data folder; one that is in use is tried again for a while, since a predecessor may be going.
    private func openStore() async throws -> Store {
        let options = StoreOptions(path: self.configuration.dataPath, fileSystem: PosixFileSystem(), time: self.time)
        let end = ContinuousClock.now + .seconds(ServerLimits.retrySeconds)
        while true {
            do {
                return try await Blocking.run { try Store.open(options) }
            } catch StorageError.dataFolderInUse(let path) {
                guard ContinuousClock.now < end else {
                    throw Failure(description: "\(StorageError.dataFolderInUse(path: path))", exitCode: 73)
                }
                try await Task.sleep(for: .milliseconds(250))
            } catch {
                throw self.failure(error)
            }
        }
    }

    private func serve(
        _ store: Store,
        _ tokens: TokenStore,
        _ parsers: ParserStore,
        _ library: LibraryEndpoints,
        _ deletions: DeletionQueue,
        stopsOnSignals: Bool
    ) async throws {
        let listener = Listener(
            host: self.configuration.host,
            port: self.configuration.port,
            bodyByteCountMax: self.configuration.limits.bodyByteCountMax,
            connectionCountMax: min(
                self.configuration.connectionCountMax,
                max(16, OpenFileLimit.raise() - ServerLimits.reservedFileCount)
            ),
            idleSeconds: self.configuration.idleSeconds,
            dispatcher: self.makeDispatcher(store, tokens, parsers, library, deletions),
            logger: self.logger,
            onListening: { port in
                self.logger.info(
                    "ready",
                    metadata: ["port": "\(port)", "data": "\(self.configuration.dataPath)"]
                )
                self.onListening(port)
            }
        )
        var quiet = self.logger
        quiet.logLevel = max(quiet.logLevel, .error)
        var configuration = ServiceGroupConfiguration(
            services: [listener],
            gracefulShutdownSignals: stopsOnSignals ? [.sigterm, .sigint] : [],
            logger: quiet
        )
        configuration.maximumGracefulShutdownDuration = .seconds(ServerLimits.shutdownSeconds)
        do {
            let group = ServiceGroup(configuration: configuration)
            self.group.withLock { $0 = group }
            try await group.run()
        } catch is CancellationError {
            self.logger.warning("some requests were cut off")
        }
    }

    private func makeDispatcher(
        _ store: Store,
        _ tokens: TokenStore,
        _ parsers: ParserStore,
        _ library: LibraryEndpoints,
        _ deletions: DeletionQueue
    ) -> Dispatcher {
        let metrics = ServerMetrics()
        let live = LiveQueries()
        let budget = IngestBudget(limit: self.configuration.ingestMemoryByteCount)
        let digester = Digester(store: store, live: live, parsers: parsers)
        let executor = SearchExecutor(
            store: store,
            files: library.files,
            queries: library.queries,
            configuration: self.configuration,
            time: self.time,
            metrics: metrics
        )
        let endpoints = Endpoints(
            bulk: BulkEndpoint(
                digester: digester,
                budget: budget,
                limits: self.configuration.limits,
                metrics: metrics,
                time: self.time
            ),
            ingest: IngestEndpoints(
                digester: digester,
                budget: budget,
                limits: self.configuration.limits,
                metrics: metrics
            ),
            elastic: ElasticEndpoints(
                version: self.configuration.elasticVersion,
                store: store,
                definitions: ElasticDefinitions(),
                clusterID: String(SystemRandom.uint64(), radix: 36)
            ),
            query: QueryEndpoint(executor: executor, live: live, metrics: metrics, time: self.time),
            jobs: QueryJobs(executor: executor, live: live, time: self.time),
            administration: AdministrationEndpoints(store: store, digester: digester, library: library),
            deletions: DeletionEndpoints(store: store, deletions: deletions, time: self.time),
            tokens: TokenEndpoints(tokens: tokens, time: self.time),
            parsers: ParserEndpoints(parsers: parsers),
            monitoring: MonitoringEndpoints(
                store: store,
                metrics: metrics,
                budget: budget,
                live: live,
                time: self.time
            ),
            live: live,
            library: library,
            graphQL: GraphQLEndpoint(library: library, parsers: parsers)
        )
        return Dispatcher(
            endpoints: endpoints,
            access: Access(tokens: tokens, time: self.time, isUnsafe: self.configuration.isUnsafelyOpen),
            metrics: metrics,
            logger: self.logger,
            time: self.time
        )
    }

    private func close(_ store: Store) async {
        do {
            try await Blocking.run { try store.close() }
            self.logger.info("stopped")
        } catch {
            self.logger.error(
                "the data was not closed cleanly; the next start recovers it",
                metadata: ["error": "\(error)"]
            )
        }
    }

    private func failure(_ error: any Error) -> Failure {
        let address = "\(self.configuration.host):\(self.configuration.port)"
        switch error {
        case let error as Failure: return error
        case let error as IOError where error.errnoCode == EADDRINUSE:
            return Failure(
                description: "address \(address) is in use by another process; stop it or choose another with --listen",
                exitCode: 73
            )
        case let error as IOError where error.errnoCode == EACCES:
            return Failure(description: "not permitted to listen on \(address)", exitCode: 77)
        case let error as IOError:
            return Failure(description: "cannot listen on \(address): \(error)", exitCode: 74)
        case let error as StorageError:
            return Failure(description: "\(error)", exitCode: 74)
        default: return Failure(description: "cannot serve on \(address): \(error)", exitCode: 74)
        }
    }
}
