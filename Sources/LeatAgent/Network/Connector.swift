internal import CLeatPlatform
internal import Glibc
internal import LeatCore

/// Opens a connection to a server: looks its name up, and tries the addresses one after the other.
final class Connector {
    /// A connection that is open; its owner watches and closes the descriptor.
    struct Connected {
        let descriptor: Int32
        let stream: any ByteStream
    }

    /// Why there is none.
    struct Failure: Error { let reason: String }

    private let endpoint: Endpoint
    private let tls: TLSClient?
    private let loop: EventLoop
    private var addresses: [SocketAddress] = []
    private var descriptor: Int32 = -1
    /// A tunnel that the proxy has not opened yet.
    private var tunnel: ProxyTunnel?
    private var timer: TimerQueue.ID?
    private var completion: ((Result<Connected, Failure>) -> Void)?
    /// Tells an answer of the resolver that comes after a cancel from one that is waited for.
    private var attempt = 0

    init(endpoint: Endpoint, tls: TLSClient?, loop: EventLoop) {
        self.endpoint = endpoint
        self.tls = tls
        self.loop = loop
    }

    deinit { if self.descriptor >= 0 { _ = Glibc.close(self.descriptor) } }

    /// Opens a connection; `completion` is called once, unless `cancel` comes first.
    func start(_ completion: @escaping (Result<Connected, Failure>) -> Void) {
        precondition(self.completion == nil, "one connection at a time")
        self.completion = completion
        self.attempt += 1
        let endpoint = self.endpoint
        self.timer = self.loop.schedule(after: endpoint.connectTimeout) { [weak self] in
            self?.timer = nil
            self?.finish(
                .failure(Failure(reason: "no connection to \(endpoint.authority) within \(endpoint.connectTimeout)"))
            )
        }
        if let path = endpoint.path {
            guard let address = SocketAddress(path: path) else {
                return self.finish(.failure(Failure(reason: "the path \(path) is too long for a socket")))
            }
            self.addresses = [address]
            return self.connectNext(reason: "no address")
        }
        let host = endpoint.proxy?.host ?? endpoint.host
        Resolver.resolve(host, port: endpoint.proxy?.port ?? endpoint.port, loop: self.loop) {
            [weak self, attempt] result in
            guard let self, self.completion != nil, self.attempt == attempt else { return }
            switch result {
            case .failure(let failure): self.finish(.failure(Failure(reason: failure.description)))
            case .success(let addresses):
                self.addresses = addresses
                self.connectNext(reason: "no address")
            }
        }
    }

    /// Ends an attempt; its completion is not called.
    func cancel() {
        self.completion = nil
        self.tunnel = nil
        self.addresses = []
        if let timer { self.loop.cancel(timer) }
        self.timer = nil
        self.closeSocket()
    }

    /// Tries the next address of the server.
    private func connectNext(reason: String) {
        self.closeSocket()
        guard !self.addresses.isEmpty else {
            return self.finish(.failure(Failure(reason: "cannot connect to \(self.endpoint.authority): \(reason)")))
        }
        let address = self.addresses.removeFirst()
        let type = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue) | Int32(SOCK_NONBLOCK.rawValue)
        self.descriptor = socket(address.family, type, 0)
        guard self.descriptor >= 0 else { return self.connectNext(reason: PlainStream.reason(errno)) }
        var on: Int32 = 1
        setsockopt(self.descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &on, socklen_t(MemoryLayout<Int32>.size))
        if let source = self.endpoint.sourceAddress, let reason = Self.bind(self.descriptor, to: source) {
            return self.connectNext(reason: reason)
        }
        let result = address.withPointer { Glibc.connect(self.descriptor, $0, $1) }
        if result != 0, errno != EINPROGRESS { return self.connectNext(reason: PlainStream.reason(errno)) }
        do throws(FileSystemError) {
            try self.loop.watch(self.descriptor, for: .write) { [weak self] in self?.ready($0) }
        } catch {
            self.finish(.failure(Failure(reason: "\(error)")))
        }
    }

    /// Gives a socket its local address; why that is not possible.
    private static func bind(_ descriptor: Int32, to address: String) -> String? {
        guard case .success(let found) = Resolver.lookUp(address, port: 0, isNumeric: true), let local = found.first
        else { return "net.source_address \(address) is no address" }
        let isBound = local.withPointer { Glibc.bind(descriptor, $0, $1) } == 0
        return isBound ? nil : "net.source_address \(address): \(PlainStream.reason(errno))"
    }

    private func ready(_ readiness: EventLoop.Readiness) {
        if self.tunnel != nil { return self.openTunnel() }
        if readiness.isWritable { self.didConnect() }
    }

    private func didConnect() {
        var code: Int32 = 0
        var size = socklen_t(MemoryLayout<Int32>.size)
        getsockopt(self.descriptor, SOL_SOCKET, SO_ERROR, &code, &size)
        if code != 0 { return self.connectNext(reason: PlainStream.reason(code)) }
        if self.tls != nil, let proxy = self.endpoint.proxy {
            self.tunnel = ProxyTunnel(to: self.endpoint.authority, through: proxy)
            return self.openTunnel()
        }
        self.makeStream()
    }

    private func openTunnel() {
        switch self.tunnel?.advance(PlainStream(descriptor: self.descriptor)) {
        case .waitForRead: self.loop.change(self.descriptor, to: .read)
        case .waitForWrite: self.loop.change(self.descriptor, to: .write)
        case .failed(let reason): self.finish(.failure(Failure(reason: reason)))
        case .open, nil:
            self.tunnel = nil
            self.makeStream()
        }
    }

    private func makeStream() {
        let descriptor = self.descriptor
        let stream: any ByteStream
        switch self.tls?.connect(descriptor: descriptor, host: self.endpoint.host) {
        case nil: stream = PlainStream(descriptor: descriptor)
        case .success(let encrypted): stream = encrypted
        case .failure(let failure): return self.finish(.failure(Failure(reason: failure.reason)))
        }
        self.loop.unwatch(descriptor)
        self.descriptor = -1
        self.finish(.success(Connected(descriptor: descriptor, stream: stream)))
    }

    private func finish(_ result: Result<Connected, Failure>) {
        let completion = self.completion
        self.cancel()
        completion?(result)
    }

    private func closeSocket() {
        guard self.descriptor >= 0 else { return }
        self.loop.unwatch(self.descriptor)
        _ = Glibc.close(self.descriptor)
        self.descriptor = -1
    }
}
