internal import CLeatPlatform
internal import Glibc
internal import LeatCore

/// What a read or write without waiting came to.
enum StreamResult {
    case bytes(Int)
    /// Nothing now; try again when the socket is readable.
    case waitForRead
    /// Nothing now; try again when the socket is writable.
    case waitForWrite
    /// The other side has closed.
    case closed
    case failed(String)
}

/// A connection's bytes, encrypted or not.
///
/// Calls never wait.
protocol ByteStream: AnyObject {
    func read(into buffer: UnsafeMutableRawBufferPointer) -> StreamResult
    func write(_ bytes: UnsafeRawBufferPointer) -> StreamResult
    /// Ends the connection; the socket is closed by its owner.
    func shutDown()
    /// Whether both sides have agreed on how to talk.
    var isEstablished: Bool { get }
}

extension ByteStream {
    var isEstablished: Bool { true }
}

/// A socket without encryption.
final class PlainStream: ByteStream {
    private let descriptor: Int32

    init(descriptor: Int32) { self.descriptor = descriptor }

    func read(into buffer: UnsafeMutableRawBufferPointer) -> StreamResult {
        let count = Glibc.recv(self.descriptor, buffer.baseAddress, buffer.count, 0)
        if count > 0 { return .bytes(count) }
        if count == 0 { return .closed }
        return errno == EAGAIN || errno == EINTR ? .waitForRead : .failed(Self.reason(errno))
    }

    func write(_ bytes: UnsafeRawBufferPointer) -> StreamResult {
        let count = Glibc.send(self.descriptor, bytes.baseAddress, bytes.count, Int32(MSG_NOSIGNAL))
        if count >= 0 { return .bytes(count) }
        return errno == EAGAIN || errno == EINTR ? .waitForWrite : .failed(Self.reason(errno))
    }

    func shutDown() {}

    static func reason(_ code: Int32) -> String {
        strerror(code).map { String(cString: $0) } ?? "error \(code)"
    }
}
