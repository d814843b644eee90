internal import Glibc
internal import HTTPTypes
internal import HummingbirdCore
internal import Logging
internal import NIOCore
internal import NIOPosix
internal import ServiceLifecycle

/// Accepts HTTP connections on one address and hands their requests to the dispatcher.
struct Listener: Service {
    let address: ListenAddress
    /// `nil`: without TLS.
    let identity: TLSIdentity?
    let bodyByteCountMax: Int
    let connectionCountMax: Int
    let idleSeconds: Int
    let slowSeconds: Int
    let dispatcher: Dispatcher
    let logger: Logger
    let ports: ListeningPorts

    /// The name of this listener.
    static let name = "http"

    /// Runs until the process is asked to stop and the running requests have ended.
    func run() async throws {
        do {
            try await withGracefulShutdownHandler {
                try await PredecessorPatience.run { error in
                    (error as? IOError)?.errnoCode == EADDRINUSE
                } _: {
                    try await self.makeServer().run()
                }
            } onGracefulShutdown: {
                self.dispatcher.beginDraining()
            }
        } catch is CancellationError {
            throw CancellationError()
        } catch {
            throw ListenFailure(address: self.address, cause: error)
        }
    }

    private func makeServer() -> any Service {
        let channel = self.makeChannel()
        if let identity = self.identity {
            return self.makeServer(SecureChannel(base: channel, identity: identity))
        }
        return self.makeServer(channel)
    }

    private func makeChannel() -> HTTP1Channel {
        let dispatcher = self.dispatcher
        let bodyByteCountMax = self.bodyByteCountMax
        let slowSeconds = self.slowSeconds
        var configuration = HTTP1Channel.Configuration(
            additionalChannelHandlers: [
                ConnectionHandler(bodyByteCountMax: bodyByteCountMax, slowSeconds: slowSeconds)
            ],
            idleTimeout: .seconds(Int64(self.idleSeconds))
        )
        configuration.httpDecoder = .init(maxHeaderFieldSize: 32 << 10, maxHeaderListSize: 64 << 10)
        return HTTP1Channel(
            responder: { request, writer, channel in
                try await dispatcher.respond(to: request, channel: channel, writer: writer)
            },
            configuration: configuration
        )
    }

    private func makeServer(_ channel: some ServerChildChannel) -> any Service {
        channel.server(
            configuration: HummingbirdCore.ServerConfiguration(
                address: .hostname(self.address.host, port: self.address.port),
                backlog: 1_024,
                availableConnectionsDelegate: MaximumAvailableConnections(self.connectionCountMax, logger: self.logger)
            ),
            onServerRunning: { channel in
                let port = channel.localAddress?.port ?? self.address.port
                self.ports.report(Self.name, at: ListenAddress(host: self.address.host, port: port))
            },
            eventLoopGroup: MultiThreadedEventLoopGroup.singleton,
            logger: Self.quiet(self.logger)
        )
    }

    /// Hummingbird reports its own start at level info; we have our own line.
    private static func quiet(_ logger: Logger) -> Logger {
        var logger = logger
        logger.logLevel = max(logger.logLevel, .warning)
        return logger
    }
}
