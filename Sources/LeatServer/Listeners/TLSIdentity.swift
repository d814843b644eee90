internal import LeatCore
internal import Logging
internal import NIOSSL
internal import Synchronization

/// The certificate and key that listeners show; read again when their files change, so that renewing needs no restart.
///
/// The files are looked at when somebody connects, at most once a second. Files that do not fit together, as between the
/// two renames of a renewal, leave the old pair in use, and are tried again.
final class TLSIdentity: Sendable {
    private struct State {
        var context: NIOSSLContext
        /// What the files were when they were last read, whether or not they could be used.
        var readFiles: [FileStatus?]
        var checkedAt: UInt64
    }

    private let settings: TLSSettings
    private let disk: any FileSystem
    private let time: any TimeSource
    private let logger: Logger
    private let state: Mutex<State>

    /// Reads the files.
    ///
    /// - Throws: When they cannot be read, or do not belong together.
    init(_ settings: TLSSettings, disk: any FileSystem, time: any TimeSource, logger: Logger) throws {
        self.settings = settings
        self.disk = disk
        self.time = time
        self.logger = logger
        self.state = Mutex(
            State(
                context: try Self.load(settings),
                readFiles: try Self.files(settings, disk),
                checkedAt: time.monotonicNanoseconds()
            )
        )
    }

    /// What a new connection shows.
    func context() -> NIOSSLContext {
        self.state.withLock { state in
            let now = self.time.monotonicNanoseconds()
            guard now &- state.checkedAt >= ServerLimits.certificateCheckNanoseconds else { return state.context }
            state.checkedAt = now
            do {
                let files = try Self.files(self.settings, self.disk)
                guard files != state.readFiles else { return state.context }
                state.readFiles = files
                state.context = try Self.load(self.settings)
                self.logger.notice("certificate read anew", metadata: ["path": "\(self.settings.certificatePath)"])
            } catch {
                self.logger.error(
                    "the changed certificate cannot be used, the old one stays",
                    metadata: ["path": "\(self.settings.certificatePath)", "error": "\(error)"]
                )
            }
            return state.context
        }
    }

    private static func files(_ settings: TLSSettings, _ disk: any FileSystem) throws -> [FileStatus?] {
        [try disk.status(settings.certificatePath), try disk.status(settings.keyPath)]
    }

    /// TLS 1.2 and 1.3 only.
    private static func load(_ settings: TLSSettings) throws -> NIOSSLContext {
        let chain = try NIOSSLCertificate.fromPEMFile(settings.certificatePath)
        let key = try NIOSSLPrivateKey(file: settings.keyPath, format: .pem)
        var configuration = TLSConfiguration.makeServerConfiguration(
            certificateChain: chain.map { .certificate($0) },
            privateKey: .privateKey(key)
        )
        configuration.minimumTLSVersion = .tlsv12
        return try NIOSSLContext(configuration: configuration)
    }
}
