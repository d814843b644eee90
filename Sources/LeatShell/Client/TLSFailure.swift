internal import LeatCore
internal import NIOSSL

/// What goes wrong when the server is to be trusted, in words that help.
enum TLSFailure {
    /// What a connection needs to know whom to trust; `authorityPath` instead of what the system trusts.
    static func context(trusting authorityPath: String?) throws -> NIOSSLContext {
        var configuration = TLSConfiguration.makeClientConfiguration()
        guard let authorityPath else { return try NIOSSLContext(configuration: configuration) }
        configuration.trustRoots = .file(authorityPath)
        do throws(FileSystemError) {
            _ = try PosixFileSystem().contents(authorityPath)
        } catch {
            throw CommandError(.configuration, "the certificates of the authority: \(error)")
        }
        do {
            return try NIOSSLContext(configuration: configuration)
        } catch {
            throw CommandError(.configuration, "\(authorityPath) has no certificates in PEM form")
        }
    }

    static func isOne(_ error: any Error) -> Bool {
        error is NIOSSLError || error is NIOSSLExtraError || error is BoringSSLError
    }

    /// The failure of a connection to `address`.
    static func error(_ error: any Error, _ address: ServerAddress) -> CommandError {
        let text = "\(error)"
        if text.contains("CERTIFICATE_VERIFY_FAILED") {
            let hint = "name the authority with --ca-file, LEAT_CA_FILE or 'ca' in ~/.config/leat/config.yaml"
            return CommandError(.notPermitted, "the certificate of \(address) is not trusted; \(hint)")
        }
        if let extra = error as? NIOSSLExtraError, extra == .failedToValidateHostname {
            let hint = "ask it by the name that its certificate has"
            return CommandError(.notPermitted, "the certificate of \(address) is for another name; \(hint)")
        }
        if text.contains("WRONG_VERSION_NUMBER") {
            return CommandError(.serverUnreachable, "\(address) does not speak TLS; write it with http://")
        }
        return CommandError(.serverUnreachable, "TLS with \(address) failed: \(text)")
    }
}
