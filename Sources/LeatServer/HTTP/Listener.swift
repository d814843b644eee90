internal import Glibc
internal import HTTPTypes
internal import HummingbirdCore
internal import Logging
internal import NIOCore
internal import NIOPosix
internal import ServiceLifecycle

/// Accepts connections on one address and hands their requests to the dispatcher.
struct Listener: Service {
    let host: String
    let port: Int
    let bodyByteCountMax: Int
    let connectionCountMax: Int
    let idleSeconds: Int
    let dispatcher: Dispatcher
    let logger: Logger
    /// Called with the port once connections are accepted.
    let onListening: @Sendable (Int) -> Void

    /// Runs until the process is asked to stop and the running requests have ended.
    func run() async throws {
        let end = ContinuousClock.now + .seconds(ServerLimits.retrySeconds)
        while true {
            do {
                try await withGracefulShutdownHandler {
                    try await self.makeServer().run()
                } onGracefulShutdown: {
                    self.dispatcher.beginDraining()
                }
                return
            } catch let error as IOError where error.errnoCode == EADDRINUSE && ContinuousClock.now < end {
                // A predecessor may be going.
                try await Task.sleep(for: .milliseconds(250))
            }
        }
    }

    private func makeServer() -> any Service {
        let dispatcher = self.dispatcher
        let bodyByteCountMax = self.bodyByteCountMax
        var configuration = HTTP1Channel.Configuration(
            additionalChannelHandlers: [ConnectionHandler(bodyByteCountMax: bodyByteCountMax)],
            idleTimeout: .seconds(Int64(self.idleSeconds))
        )
        configuration.httpDecoder = .init(maxHeaderFieldSize: 32 << 10, maxHeaderListSize: 64 << 10)
        let channel = HTTP1Channel(
            responder: { request, writer, channel in
                try await dispatcher.respond(to: request, channel: channel, writer: writer)
            },
            configuration: configuration
        )
        return channel.server(
            configuration: HummingbirdCore.ServerConfiguration(
                address: .hostname(self.host, port: self.port),
                backlog: 1_024,
                availableConnectionsDelegate: MaximumAvailableConnections(self.connectionCountMax, logger: self.logger)
            ),
            onServerRunning: { channel in self.onListening(channel.localAddress?.port ?? self.port) },
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
