internal import COpenSSL
internal import Glibc
internal import LeatCore

/// What a configuration says about encryption, of connections to servers or from clients.
struct TLSOptions: Hashable, Sendable {
    var verifies = true
    var verifiesHostname = true
    var authorityFile: String?
    var authorityFolder: String?
    var certificateFile: String?
    var keyFile: String?
    var keyPassword: String?
    /// Name to ask for and to check instead of the host.
    var serverName: String?
    var minimumVersion = TLSVersion.v1_2
    var maximumVersion: TLSVersion?
    /// As OpenSSL names them.
    var ciphers: String?
    /// Listening: whether clients need a certificate of the authorities.
    var verifiesClients = false
}

/// Versions of TLS that can be asked for.
enum TLSVersion: String, Sendable, CaseIterable {
    case v1_1 = "tlsv1.1"
    case v1_2 = "tlsv1.2"
    case v1_3 = "tlsv1.3"

    fileprivate var number: Int32 {
        switch self {
        case .v1_1: TLS1_1_VERSION
        case .v1_2: TLS1_2_VERSION
        case .v1_3: TLS1_3_VERSION
        }
    }
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

/// Certificates, keys and rules of encrypted connections; OpenSSL is initialised by the first one made.
final class TLSContext {
    let pointer: OpaquePointer
    let options: TLSOptions

    /// `isServer`: for connections from clients.
    init(_ options: TLSOptions, isServer: Bool) throws(TLSFailure) {
        guard let method = isServer ? TLS_server_method() : TLS_client_method(), let context = SSL_CTX_new(method)
        else { throw TLSFailure.last("cannot initialise TLS") }
        self.pointer = context
        self.options = options
        SSL_CTX_ctrl(context, SSL_CTRL_SET_MIN_PROTO_VERSION, Int(options.minimumVersion.number), nil)
        if let version = options.maximumVersion {
            SSL_CTX_ctrl(context, SSL_CTRL_SET_MAX_PROTO_VERSION, Int(version.number), nil)
        }
        SSL_CTX_ctrl(
            context,
            SSL_CTRL_MODE,
            Int(SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER),
            nil
        )
        let demand = isServer ? SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT : SSL_VERIFY_PEER
        let verifies = isServer ? options.verifiesClients : options.verifies
        SSL_CTX_set_verify(context, verifies ? demand : SSL_VERIFY_NONE, nil)
        if let ciphers = options.ciphers, SSL_CTX_set_cipher_list(context, ciphers) != 1 {
            throw TLSFailure.last("no ciphers in '\(ciphers)'")
        }
        try self.loadFiles()
    }

    deinit { SSL_CTX_free(self.pointer) }

    private func loadFiles() throws(TLSFailure) {
        let options = self.options
        if options.authorityFile == nil, options.authorityFolder == nil {
            SSL_CTX_set_default_verify_paths(self.pointer)
        }
        if let path = options.authorityFile, SSL_CTX_load_verify_file(self.pointer, path) != 1 {
            throw TLSFailure.last("cannot read certificates from \(path)")
        }
        if let path = options.authorityFolder, SSL_CTX_load_verify_dir(self.pointer, path) != 1 {
            throw TLSFailure.last("cannot read certificates from \(path)")
        }
        if let path = options.certificateFile, SSL_CTX_use_certificate_chain_file(self.pointer, path) != 1 {
            throw TLSFailure.last("cannot read the certificate \(path)")
        }
        if let path = options.keyFile { try self.loadKey(path, options.keyPassword ?? "") }
    }

    /// Without a password a locked key is an error, never a question on the terminal.
    private func loadKey(_ path: String, _ password: String) throws(TLSFailure) {
        let isLoaded = password.withCString { text in
            SSL_CTX_set_default_passwd_cb_userdata(self.pointer, UnsafeMutableRawPointer(mutating: text))
            defer { SSL_CTX_set_default_passwd_cb_userdata(self.pointer, nil) }
            SSL_CTX_set_default_passwd_cb(self.pointer) { buffer, capacity, _, text in
                guard let buffer, let text else { return 0 }
                let count = min(Int(capacity), strlen(text.assumingMemoryBound(to: CChar.self)))
                memcpy(buffer, text, count)
                return Int32(count)
            }
            return SSL_CTX_use_PrivateKey_file(self.pointer, path, SSL_FILETYPE_PEM) == 1
        }
        if !isLoaded { throw TLSFailure.last("cannot read the key \(path)") }
    }
}

/// Makes encrypted connections to servers.
final class TLSClient {
    private let context: TLSContext

    init(_ options: TLSOptions) throws(TLSFailure) { self.context = try TLSContext(options, isServer: false) }

    /// An encrypted stream over a connected socket; the handshake happens with the first write.
    func connect(descriptor: Int32, host: String) -> Result<any ByteStream, TLSFailure> {
        guard let session = SSL_new(self.context.pointer) else { return .failure(.last("cannot begin TLS")) }
        let options = self.context.options
        let name = options.serverName ?? host
        SSL_set_fd(session, descriptor)
        // SSL_set_tlsext_host_name is a macro.
        _ = name.withCString {
            SSL_ctrl(session, SSL_CTRL_SET_TLSEXT_HOSTNAME, 0, UnsafeMutableRawPointer(mutating: $0))
        }
        if options.verifies, options.verifiesHostname {
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

/// Takes encrypted connections of clients.
final class TLSServer {
    private let context: TLSContext

    init(_ options: TLSOptions) throws(TLSFailure) {
        guard options.certificateFile != nil, options.keyFile != nil else {
            throw TLSFailure(reason: "tls needs tls.crt_file and tls.key_file to listen with")
        }
        self.context = try TLSContext(options, isServer: true)
    }

    /// An encrypted stream over an accepted socket; the handshake happens with the first read.
    func accept(descriptor: Int32) -> Result<any ByteStream, TLSFailure> {
        guard let session = SSL_new(self.context.pointer) else { return .failure(.last("cannot begin TLS")) }
        SSL_set_fd(session, descriptor)
        SSL_set_accept_state(session)
        return .success(TLSStream(session))
    }
}
