internal import Glibc
internal import Logging
internal import NIOCore
internal import NIOPosix
internal import NIOSSL
internal import ServiceLifecycle

/// An open connection of a stream protocol: bytes come in pieces, and are read only as fast as they are taken.
typealias StreamConnection = NIOAsyncChannel<ByteBuffer, ByteBuffer>

/// Accepts connections of a protocol that is no HTTP, such as syslog or forward, and runs each until it ends.
struct StreamListener: Service {
    /// For the log and the metrics.
    let name: String
    let address: ListenAddress
    /// `nil`: without TLS.
    let identity: TLSIdentity?
    /// Further connections are closed at once.
    let connectionCountMax: Int
    let metrics: ServerMetrics
    let logger: Logger
    let ports: ListeningPorts
    /// Serves one connection; returns or throws when it is over.
    let serve: @Sendable (StreamConnection) async throws -> Void

    /// Listens until the server stops.
    func run() async throws {
        let waiting = WaitingConnections()
        let server: any Channel
        do {
            server = try await PredecessorPatience.run { error in
                (error as? IOError)?.errnoCode == EADDRINUSE
            } _: {
                try await self.bind(waiting)
            }
        } catch {
            throw ListenFailure(address: self.address, cause: error)
        }
        let port = server.localAddress?.port ?? self.address.port
        self.logger.info("listening", metadata: ["listener": "\(self.name)", "port": "\(port)"])
        self.ports.report(self.name, at: ListenAddress(host: self.address.host, port: port))
        await cancelWhenGracefulShutdown { await self.serve(waiting, until: server) }
    }

    /// Serves connections until this task is cancelled, and then lets them end.
    private func serve(_ waiting: WaitingConnections, until server: any Channel) async {
        await withDiscardingTaskGroup { group in
            server.read()
            for await _ in waiting.signals {
                for connection in waiting.take() {
                    self.metrics.connected(self.name)
                    if self.metrics.openConnections(self.name) <= self.connectionCountMax {
                        group.addTask { await self.runToEnd(connection) }
                    } else {
                        self.metrics.disconnected(self.name)
                        self.metrics.streamFault(self.name, "too_many_connections")
                        group.addTask { await self.refuse(connection) }
                    }
                }
                server.read()
            }
            server.close(promise: nil)
            for connection in waiting.close() { group.addTask { await self.refuse(connection) } }
        }
    }

    private func refuse(_ connection: StreamConnection) async {
        do {
            try await connection.executeThenClose { _, _ in }
        } catch {
            self.logger.debug("connection refused", metadata: ["listener": "\(self.name)", "error": "\(error)"])
        }
    }

    /// A connection that fails ends; it must not end the others.
    private func runToEnd(_ connection: StreamConnection) async {
        defer { self.metrics.disconnected(self.name) }
        do {
            try await self.serve(connection)
        } catch is CancellationError {
            // The server stops.
        } catch {
            self.metrics.streamFault(self.name, "connection_failed")
            self.logger.warning(
                "connection ended early",
                metadata: [
                    "listener": "\(self.name)", "error": "\(error)",
                    "client": "\(connection.channel.remoteAddress?.ipAddress ?? "unknown")",
                ]
            )
        }
    }

    private func bind(_ waiting: WaitingConnections) async throws -> any Channel {
        let identity = self.identity
        return try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .serverChannelOption(.backlog, value: 1_024)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .serverChannelOption(.autoRead, value: false)
            .serverChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(AcceptNotifier(waiting))
                }
            }
            .childChannelOption(.socketOption(.so_keepalive), value: 1)
            .childChannelOption(.allowRemoteHalfClosure, value: true)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    if let identity {
                        try channel.pipeline.syncOperations.addHandler(NIOSSLServerHandler(context: identity.context()))
                    }
                    try waiting.add(channel)
                }
            }
            .bind(host: self.address.host, port: self.address.port)
            .get()
    }
}

/// A listener that cannot listen.
struct ListenFailure: Error {
    let address: ListenAddress
    let cause: any Error
}
