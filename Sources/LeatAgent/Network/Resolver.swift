internal import Glibc
internal import LeatCore

/// An address that a socket can be connected or bound to.
struct SocketAddress: Hashable, Sendable {
    /// `AF_INET`, `AF_INET6` or `AF_UNIX`.
    let family: Int32
    /// The `sockaddr`.
    let bytes: [UInt8]

    /// Calls `body` with the address as the system wants it.
    func withPointer<Result>(_ body: (UnsafePointer<sockaddr>, socklen_t) -> Result) -> Result {
        var storage = sockaddr_storage()
        withUnsafeMutableBytes(of: &storage) { $0.copyBytes(from: self.bytes.prefix($0.count)) }
        return withUnsafePointer(to: &storage) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0, socklen_t(self.bytes.count)) }
        }
    }
}

extension SocketAddress {
    /// The address of a socket of the file system; `nil` when its path is too long.
    init?(path: String) {
        var address = sockaddr_un()
        let text = Array(path.utf8)
        guard text.count < MemoryLayout.size(ofValue: address.sun_path) else { return nil }
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: text) }
        self.init(family: AF_UNIX, bytes: withUnsafeBytes(of: &address) { Array($0) })
    }
}

/// Finds the addresses of host names without holding up the loop.
enum Resolver {
    /// Why a name has no address.
    struct Failure: Error, Hashable, Sendable, CustomStringConvertible { let description: String }

    /// What a thread works on; only the thread touches it until it is done.
    private final class Job: @unchecked Sendable {
        let host: String
        let port: Int
        let mailbox: Mailbox
        let completion: (Result<[SocketAddress], Failure>) -> Void

        init(
            host: String,
            port: Int,
            mailbox: Mailbox,
            completion: @escaping (Result<[SocketAddress], Failure>) -> Void
        ) {
            self.host = host
            self.port = port
            self.mailbox = mailbox
            self.completion = completion
        }
    }

    /// Calls `completion` on the loop, at once for numeric addresses.
    static func resolve(
        _ host: String,
        port: Int,
        loop: EventLoop,
        completion: @escaping (Result<[SocketAddress], Failure>) -> Void
    ) {
        if case .success(let addresses) = Self.lookUp(host, port: port, isNumeric: true) {
            return completion(.success(addresses))
        }
        let job = Job(host: host, port: port, mailbox: loop.otherThreads, completion: completion)
        var thread = pthread_t()
        let result = pthread_create(
            &thread,
            nil,
            { argument in
                guard let argument else { return nil }
                let job = Unmanaged<Job>.fromOpaque(argument).takeRetainedValue()
                let found = Resolver.lookUp(job.host, port: job.port, isNumeric: false)
                job.mailbox.post { job.completion(found) }
                return nil
            },
            Unmanaged.passRetained(job).toOpaque()
        )
        if result == 0 {
            pthread_detach(thread)
        } else {
            Unmanaged.passUnretained(job).release()
            completion(.failure(Failure(description: "no thread for the look-up of \(host)")))
        }
    }

    /// The addresses of a name; blocks unless `isNumeric`.
    static func lookUp(_ host: String, port: Int, isNumeric: Bool) -> Result<[SocketAddress], Failure> {
        var hints = addrinfo()
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        hints.ai_flags = AI_NUMERICSERV | (isNumeric ? AI_NUMERICHOST : AI_ADDRCONFIG)
        var list: UnsafeMutablePointer<addrinfo>?
        let code = getaddrinfo(host, String(port), &hints, &list)
        guard code == 0 else {
            return .failure(Failure(description: "no address of \(host): \(String(cString: gai_strerror(code)))"))
        }
        defer { freeaddrinfo(list) }
        var found: [SocketAddress] = []
        var entry = list
        while let current = entry {
            if let address = current.pointee.ai_addr {
                let bytes = UnsafeRawBufferPointer(start: address, count: Int(current.pointee.ai_addrlen))
                found.append(SocketAddress(family: current.pointee.ai_family, bytes: Array(bytes)))
            }
            entry = current.pointee.ai_next
        }
        return .success(found)
    }
}
