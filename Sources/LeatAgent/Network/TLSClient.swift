internal import COpenSSL
internal import Glibc
internal import LeatCore

/// What a configuration says about encryption of outgoing connections.
struct TLSOptions: Hashable, Sendable {
    var verifies = true
    var verifiesHostname = true
    var authorityFile: String?
    var authorityFolder: String?
    var certificateFile: String?
    var keyFile: String?
    /// Name to ask for and to check instead of the host.
    var serverName: String?
}

/// Why there is no encrypted connection.
struct TLSFailure: Error, Hashable, Sendable {
    let reason: String

    /// The newest entry of OpenSSL's queue of errors.
    static func last(_ what: String) -> TLSFailure {
        let code = ERR_get_error()
        guard code != 0 else { return TLSFailure(reason: what) }
        var text = [CChar](repeating: 0, count: 256)
        ERR_error_string_n(code, &text, text.count)
        let message = String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        ERR_clear_error()
        return TLSFailure(reason: "\(what): \(message)")
    }
}

/// Makes encrypted connections to servers; OpenSSL is initialised by the first one made.
final class TLSClient {
    private let context: OpaquePointer
    private let options: TLSOptions

    init(_ options: TLSOptions) throws(TLSFailure) {
        guard let method = TLS_client_method(), let context = SSL_CTX_new(method) else {
            throw TLSFailure.last("cannot initialise TLS")
        }
        self.context = context
        self.options = options
        // TLS 1.2 at least.
        SSL_CTX_ctrl(context, SSL_CTRL_SET_MIN_PROTO_VERSION, Int(TLS1_2_VERSION), nil)
        SSL_CTX_ctrl(
            context,
            SSL_CTRL_MODE,
            Int(SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER),
            nil
        )
        SSL_CTX_set_verify(context, options.verifies ? SSL_VERIFY_PEER : SSL_VERIFY_NONE, nil)
        try self.loadFiles()
    }

    deinit { SSL_CTX_free(self.context) }

    private func loadFiles() throws(TLSFailure) {
        if self.options.authorityFile == nil, self.options.authorityFolder == nil {
            SSL_CTX_set_default_verify_paths(self.context)
        }
        if let path = self.options.authorityFile, SSL_CTX_load_verify_file(self.context, path) != 1 {
            throw TLSFailure.last("cannot read certificates from \(path)")
        }
        if let path = self.options.authorityFolder, SSL_CTX_load_verify_dir(self.context, path) != 1 {
            throw TLSFailure.last("cannot read certificates from \(path)")
        }
        if let path = self.options.certificateFile, SSL_CTX_use_certificate_chain_file(self.context, path) != 1 {
            throw TLSFailure.last("cannot read the certificate \(path)")
        }
        if let path = self.options.keyFile, SSL_CTX_use_PrivateKey_file(self.context, path, SSL_FILETYPE_PEM) != 1 {
            throw TLSFailure.last("cannot read the key \(path)")
        }
    }

    /// An encrypted stream over a connected socket; the handshake happens with the first write.
    func connect(descriptor: Int32, host: String) -> Result<any ByteStream, TLSFailure> {
        guard let session = SSL_new(self.context) else { return .failure(.last("cannot begin TLS")) }
        let name = self.options.serverName ?? host
        SSL_set_fd(session, descriptor)
        // SSL_set_tlsext_host_name is a macro.
        _ = name.withCString {
            SSL_ctrl(session, SSL_CTRL_SET_TLSEXT_HOSTNAME, 0, UnsafeMutableRawPointer(mutating: $0))
        }
        if self.options.verifies, self.options.verifiesHostname {
            let parameters = SSL_get0_param(session)
            if X509_VERIFY_PARAM_set1_ip_asc(parameters, name) != 1, SSL_set1_host(session, name) != 1 {
                SSL_free(session)
                return .failure(.last("cannot check the name \(name)"))
            }
        }
        SSL_set_connect_state(session)
        return .success(TLSStream(session))
    }
}

/// A socket with encryption.
private final class TLSStream: ByteStream {
    private let session: OpaquePointer

    init(_ session: OpaquePointer) { self.session = session }

    deinit { SSL_free(self.session) }

    func read(into buffer: UnsafeMutableRawBufferPointer) -> StreamResult {
        var count = 0
        let result = SSL_read_ex(self.session, buffer.baseAddress, buffer.count, &count)
        return result == 1 ? .bytes(count) : self.outcome(result)
    }

    func write(_ bytes: UnsafeRawBufferPointer) -> StreamResult {
        var count = 0
        let result = SSL_write_ex(self.session, bytes.baseAddress, bytes.count, &count)
        return result == 1 ? .bytes(count) : self.outcome(result)
    }

    func shutDown() { SSL_shutdown(self.session) }

    private func outcome(_ result: Int32) -> StreamResult {
        switch SSL_get_error(self.session, result) {
        case SSL_ERROR_WANT_READ: return .waitForRead
        case SSL_ERROR_WANT_WRITE: return .waitForWrite
        case SSL_ERROR_ZERO_RETURN: return .closed
        case SSL_ERROR_SYSCALL:
            ERR_clear_error()
            return errno == 0 ? .closed : .failed(PlainStream.reason(errno))
        default:
            let verdict = SSL_get_verify_result(self.session)
            if verdict != Int(X509_V_OK), let text = X509_verify_cert_error_string(verdict) {
                ERR_clear_error()
                return .failed("TLS: the server's certificate is not accepted: \(String(cString: text))")
            }
            return .failed(TLSFailure.last("TLS").reason)
        }
    }
}
