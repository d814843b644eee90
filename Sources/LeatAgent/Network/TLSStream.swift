internal import COpenSSL
internal import Glibc
internal import LeatCore

/// A socket with encryption.
final class TLSStream: ByteStream {
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

    var isEstablished: Bool { SSL_get_state(self.session) == TLS_ST_OK }

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
                return .failed("TLS: the other side's certificate is not accepted: \(String(cString: text))")
            }
            return .failed(TLSFailure.last("TLS").reason)
        }
    }
}
