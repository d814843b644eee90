internal import CLeatPlatform
internal import Glibc
internal import LeatCore

/// Sockets that wait for connections or datagrams.
enum ListeningSocket {
    /// Listens on an address, port 0 for one that the system chooses; the descriptor and the port.
    static func open(host: String, port: Int, backlog: Int = 128) throws(InputError) -> (descriptor: Int32, port: Int) {
        let descriptor = try Self.bound(host: host, port: port, type: SOCK_STREAM)
        guard listen(descriptor, Int32(backlog)) == 0 else {
            throw Self.failure("listen on", "\(host):\(port)", closing: descriptor)
        }
        return (descriptor, Self.port(of: descriptor))
    }

    /// Takes datagrams on an address.
    static func openDatagram(host: String, port: Int) throws(InputError) -> (descriptor: Int32, port: Int) {
        let descriptor = try Self.bound(host: host, port: port, type: SOCK_DGRAM)
        return (descriptor, Self.port(of: descriptor))
    }

    /// Listens on a socket of the file system, in place of one that an earlier run left.
    static func open(path: String, permissions: mode_t, isDatagram: Bool) throws(InputError) -> Int32 {
        guard let address = SocketAddress(path: path) else {
            throw InputError(description: "the path \(path) is too long for a socket")
        }
        let descriptor = Self.socket(AF_UNIX, isDatagram ? SOCK_DGRAM : SOCK_STREAM)
        var status = stat()
        if lstat(path, &status) == 0, status.st_mode & S_IFMT == S_IFSOCK { unlink(path) }
        let isBound = address.withPointer { bind(descriptor, $0, $1) } == 0
        guard descriptor >= 0, isBound, chmod(path, permissions) == 0, isDatagram || listen(descriptor, 128) == 0 else {
            throw Self.failure("listen on", path, closing: descriptor)
        }
        return descriptor
    }

    private static func bound(host: String, port: Int, type: __socket_type) throws(InputError) -> Int32 {
        let place = "\(host):\(port)"
        guard case .success(let addresses) = Resolver.lookUp(host, port: port, isNumeric: false),
            let address = addresses.first
        else { throw InputError(description: "cannot listen on \(place): no such address") }
        let descriptor = Self.socket(address.family, type)
        var on: Int32 = 1
        // A stream's port is free as soon as nobody listens; two receivers of datagrams would take them from each other.
        if type == SOCK_STREAM {
            setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &on, socklen_t(MemoryLayout<Int32>.size))
        }
        guard descriptor >= 0, address.withPointer({ bind(descriptor, $0, $1) }) == 0 else {
            throw Self.failure("listen on", place, closing: descriptor)
        }
        return descriptor
    }

    private static func socket(_ family: Int32, _ type: __socket_type) -> Int32 {
        Glibc.socket(
            family,
            Int32(type.rawValue) | Int32(SOCK_CLOEXEC.rawValue) | Int32(SOCK_NONBLOCK.rawValue),
            0
        )
    }

    private static func failure(_ what: String, _ place: String, closing descriptor: Int32) -> InputError {
        let reason = PlainStream.reason(errno)
        if descriptor >= 0 { _ = Glibc.close(descriptor) }
        return InputError(description: "cannot \(what) \(place): \(reason)")
    }

    private static func port(of descriptor: Int32) -> Int {
        var bound = sockaddr_storage()
        var size = socklen_t(MemoryLayout<sockaddr_storage>.size)
        withUnsafeMutablePointer(to: &bound) { pointer in
            _ = pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(descriptor, $0, &size) }
        }
        // The port lies behind the family, in network order, for both kinds of address.
        return withUnsafeBytes(of: &bound) { Int($0[2]) << 8 | Int($0[3]) }
    }
}

/// Who is at the other end of a socket.
struct SocketPeer {
    /// The address without its port; empty for a socket of the file system.
    let address: String
    /// Whether it is this machine.
    let isLocal: Bool

    /// The other side of a connection.
    init(of descriptor: Int32) {
        var peer = sockaddr_storage()
        var size = socklen_t(MemoryLayout<sockaddr_storage>.size)
        let result = withUnsafeMutablePointer(to: &peer) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { getpeername(descriptor, $0, &size) }
        }
        self = result == 0 ? SocketPeer(peer) : SocketPeer(address: "", isLocal: false)
    }

    init(_ storage: sockaddr_storage) {
        var storage = storage
        var text = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
        let family = Int32(storage.ss_family)
        switch family {
        case AF_INET:
            let isLocal = withUnsafeBytes(of: &storage) { bytes in
                inet_ntop(AF_INET, bytes.baseAddress.map { $0 + 4 }, &text, socklen_t(text.count))
                return bytes[4] == 127
            }
            self.init(address: Self.text(text), isLocal: isLocal)
        case AF_INET6:
            let mapped = [UInt8](repeating: 0, count: 10) + [0xFF, 0xFF]
            let loopback = [UInt8](repeating: 0, count: 15) + [1]
            let isLocal = withUnsafeBytes(of: &storage) { bytes in
                if bytes[8..<20].elementsEqual(mapped) {
                    inet_ntop(AF_INET, bytes.baseAddress.map { $0 + 20 }, &text, socklen_t(text.count))
                    return bytes[20] == 127
                }
                inet_ntop(AF_INET6, bytes.baseAddress.map { $0 + 8 }, &text, socklen_t(text.count))
                return bytes[8..<24].elementsEqual(loopback)
            }
            self.init(address: Self.text(text), isLocal: isLocal)
        default: self.init(address: "", isLocal: family == AF_UNIX)
        }
    }

    private init(address: String, isLocal: Bool) {
        self.address = address
        self.isLocal = isLocal
    }

    private static func text(_ characters: [CChar]) -> String {
        String(decoding: characters.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
