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
        let server: NIOAsyncChannel<StreamConnection, Never>
        do {
            server = try await PredecessorPatience.run { error in
                (error as? IOError)?.errnoCode == EADDRINUSE
            } _: {
                try await self.bind()
            }
        } catch {
            throw ListenFailure(address: self.address, cause: error)
        }
        let port = server.channel.localAddress?.port ?? self.address.port
        self.logger.info("listening", metadata: ["listener": "\(self.name)", "port": "\(port)"])
        self.ports.report(self.name, at: ListenAddress(host: self.address.host, port: port))
        do {
            try await cancelWhenGracefulShutdown { try await self.accept(server) }
        } catch is CancellationError {
            // The server stops.
        }
    }

    private func accept(_ server: NIOAsyncChannel<StreamConnection, Never>) async throws {
        try await withThrowingDiscardingTaskGroup { group in
            try await server.executeThenClose { connections in
                for try await connection in connections {
                    self.metrics.connected(self.name)
                    guard self.metrics.openConnections(self.name) <= self.connectionCountMax else {
                        self.metrics.disconnected(self.name)
                        self.metrics.streamFault(self.name, "too_many_connections")
                        // A channel that is forgotten without being run would trap.
                        group.addTask { _ = try? await connection.executeThenClose { _, _ in } }
                        continue
                    }
                    group.addTask { await self.runToEnd(connection) }
                }
            }
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

    private func bind() async throws -> NIOAsyncChannel<StreamConnection, Never> {
        let identity = self.identity
        return try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .serverChannelOption(.backlog, value: 1_024)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelOption(.socketOption(.so_keepalive), value: 1)
            .childChannelOption(.allowRemoteHalfClosure, value: true)
            .bind(host: self.address.host, port: self.address.port) { channel in
                channel.eventLoop.makeCompletedFuture {
                    if let identity {
                        try channel.pipeline.syncOperations.addHandler(NIOSSLServerHandler(context: identity.context()))
                    }
                    return try StreamConnection(wrappingChannelSynchronously: channel)
                }
            }
    }
}

/// A listener that cannot listen.
struct ListenFailure: Error {
    let address: ListenAddress
    let cause: any Error
}
