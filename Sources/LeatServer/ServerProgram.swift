internal import Glibc
internal import LeatCore
internal import LeatStorage
internal import Logging
internal import NIOCore
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

    /// A listener that listens.
    public struct Listening: Hashable, Sendable {
        /// `http`, `syslog-tcp`, `syslog-udp`, `syslog-tls`, `forward` or `forward-tls`.
        public let name: String
        /// With the port that the system chose, if it was to choose.
        public let address: ListenAddress
    }

    private let configuration: ServerConfiguration
    private let time: any TimeSource
    private let ownLog: OwnLog
    private let logger: Logger
    private let onListening: @Sendable ([Listening]) -> Void
    private let group = Mutex<ServiceGroup?>(nil)

    /// - Parameters:
    ///   - configuration: All settings.
    ///   - onListening: Called with all listeners, HTTP first, once they listen.
    public init(_ configuration: ServerConfiguration, onListening: @escaping @Sendable ([Listening]) -> Void) {
        let ownLog = OwnLog(time: SystemTime())
        self.configuration = configuration
        self.time = SystemTime()
        self.ownLog = ownLog
        self.onListening = onListening
        self.logger = Logger(label: "leat-server") { LogOutput(label: $0, configuration, ownLog) }
    }

    /// Runs until SIGTERM or SIGINT, or until `stop`.
    ///
    /// - Parameter stopsOnSignals: Whether the process' signals end the run.
    /// - Throws: `Failure`.
    public func run(stopsOnSignals: Bool = true) async throws {
        if let problem = self.configuration.problem { throw Failure(description: problem, exitCode: 78) }
        // A folder that does not exist has no token, and is not made for nothing.
        if try await self.isNew { try self.checkReach(hasAdminToken: false) }
        let store = try await self.openStore()
        do {
            let tokens = try TokenStore(store)
            let parsers = try ParserStore(store, time: self.time)
            for reason in parsers.broken {
                self.logger.error("a parser does not compile", metadata: ["error": "\(reason)"])
            }
            try self.checkReach(hasAdminToken: tokens.isClosed)
            try await Self.createStandardRepository(store)
            let files = try LookupFiles(store)
            let queries = try SavedQueries(store, parsers: parsers)
            let library = LibraryEndpoints(store: store, files: files, queries: queries)
            let deletions = try DeletionQueue(store, time: self.time, logger: self.logger)
            defer { deletions.stop() }
            let assembly = ServerAssembly(
                configuration: self.configuration,
                store: store,
                tokens: tokens,
                parsers: parsers,
                library: library,
                deletions: deletions,
                ownLog: self.ownLog,
                time: self.time,
                logger: self.logger
            )
            try await self.serve(assembly, stopsOnSignals: stopsOnSignals)
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
    private func checkReach(hasAdminToken: Bool) throws(Failure) {
        let address = self.configuration.address
        if address.isLoopback || self.configuration.isUnsafelyOpen || hasAdminToken { return }
        throw Failure(
            description:
                "\(address.host) is reachable from other machines and no admin token exists; make one "
                + "with 'leat-server token create --admin NAME --data DIR', listen on 127.0.0.1, or set unsafe_open if "
                + "everybody who reaches it may read and write",
            exitCode: 78
        )
    }

    /// Ends the run as SIGTERM does.
    public func stop() async { await self.group.withLock { $0 }?.triggerGracefulShutdown() }

    private var storeOptions: StoreOptions {
        StoreOptions(path: self.configuration.dataPath, fileSystem: PosixFileSystem(), time: self.time)
    }

    /// Whether there is no data yet.
    private var isNew: Bool {
        get async throws {
            let options = self.storeOptions
            do {
                return try await Blocking.run { try !Store.isDataFolder(options) }
            } catch {
                throw self.failure(error)
            }
        }
    }

    /// Opens the data folder; one that is in use is tried again for a while, since a predecessor may be going.
    private func openStore() async throws -> Store {
        let options = self.storeOptions
        do {
            let store = try await PredecessorPatience.run { error in
                if case .dataFolderInUse? = error as? StorageError { true } else { false }
            } _: {
                try await Blocking.run { try Store.open(options) }
            }
            let status = store.status()
            for notice in status.notices { self.logger.warning("\(notice)") }
            for damage in status.damaged { self.logger.error("\(damage)") }
            return store
        } catch {
            throw self.failure(error)
        }
    }

    private func serve(_ assembly: ServerAssembly, stopsOnSignals: Bool) async throws {
        let services = try assembly.services { all in
            for listening in all {
                self.logger.info(
                    "ready",
                    metadata: [
                        "listener": "\(listening.name)", "port": "\(listening.address.port)",
                        "data": "\(self.configuration.dataPath)",
                    ]
                )
            }
            self.onListening(all)
        }
        var quiet = self.logger
        quiet.logLevel = max(quiet.logLevel, .error)
        var configuration = ServiceGroupConfiguration(
            services: services,
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

    private func close(_ store: Store) async {
        await self.ownLog.flush()
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
        switch error {
        case let error as Failure: return error
        case let error as ListenFailure: return Self.failure(error.cause, at: error.address)
        case StorageError.dataFolderInUse: return Failure(description: "\(error)", exitCode: 73)
        case let error as StorageError: return Failure(description: "\(error)", exitCode: 74)
        default: return Failure(description: "cannot serve on \(self.configuration.address): \(error)", exitCode: 74)
        }
    }

    private static func failure(_ error: any Error, at address: ListenAddress) -> Failure {
        switch error {
        case let error as Failure: return error
        case let error as IOError where error.errnoCode == EADDRINUSE:
            return Failure(
                description: "address \(address) is in use by another process; stop it or choose another with --listen",
                exitCode: 73
            )
        case let error as IOError where error.errnoCode == EACCES:
            return Failure(description: "not permitted to listen on \(address)", exitCode: 77)
        default: return Failure(description: "cannot listen on \(address): \(error)", exitCode: 74)
        }
    }
}
