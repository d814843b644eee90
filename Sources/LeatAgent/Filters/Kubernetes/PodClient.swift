internal import Glibc
internal import LeatCore

/// Asks the API server or the kubelet what `PodWatch` wants to know, over a connection of the agent's loop.
final class PodClient {
    /// How the cluster is reached.
    struct Options: Sendable {
        var endpoint: Endpoint
        /// `nil` for plain HTTP.
        var tls: TLSOptions?
        var tokenFile: String?
        var tokenCommand: String?
        var tokenLifeNanoseconds: UInt64 = 600_000_000_000
    }

    private let options: Options
    private let loop: EventLoop
    private let files: any FileSystem
    private let log: AgentLog
    private let connection: HTTPConnection
    private var watch: PodWatch
    private var token: (text: String, readAt: UInt64)?
    private var timer: TimerQueue.ID?
    private var isStopped = false

    init(
        _ options: Options,
        watch: PodWatch,
        loop: EventLoop,
        files: any FileSystem,
        log: AgentLog
    ) throws(TLSFailure) {
        self.options = options
        self.watch = watch
        self.loop = loop
        self.files = files
        self.log = log
        let tls = try Self.client(options.tls)
        self.connection = HTTPConnection(endpoint: options.endpoint, tls: tls, loop: loop)
    }

    private static func client(_ options: TLSOptions?) throws(TLSFailure) -> TLSClient? {
        guard let options else { return nil }
        return try TLSClient(options)
    }

    /// Whether the pods of the node have been read once, or could not be.
    var isReady: Bool { self.watch.isReady || self.watch.failure != nil }

    /// Begins to ask; goes on until `stop`.
    func start() { self.perform(self.watch.next()) }

    func stop() {
        self.isStopped = true
        if let timer = self.timer { self.loop.cancel(timer) }
        self.timer = nil
        self.connection.close()
    }

    private func perform(_ action: PodWatch.Action) {
        switch action {
        case .wait(let nanoseconds):
            self.timer = self.loop.schedule(after: .nanoseconds(Int64(nanoseconds))) { [weak self] in
                guard let self else { return }
                self.perform(self.watch.next())
            }
        case .get(let path): self.send(path)
        }
    }

    private func send(_ path: String) {
        var request = HTTPRequest(method: "GET", path: path, headers: [("Accept", "application/json")])
        if let token = self.currentToken() { request.headers.append(("Authorization", "Bearer \(token)")) }
        self.connection.send(
            request,
            body: [],
            onBody: { [weak self] in self?.watch.received($0) },
            completion: { [weak self] in self?.didEnd($0) }
        )
    }

    private func didEnd(_ result: Result<HTTPResponseParser.Head, HTTPFailure>) {
        if self.isStopped { return }
        let action: PodWatch.Action
        switch result {
        case .success(let head):
            // A token that is no longer good is read again before its time.
            if head.status == 401 { self.token = nil }
            action = self.watch.ended(status: head.status)
        case .failure(let failure): action = self.watch.ended(status: nil, reason: failure.reason)
        }
        if let failure = self.watch.failure {
            self.log.once(
                "\(self.options.endpoint.authority): \(failure); metadata comes from paths until it answers",
                .warning
            )
        }
        // Not from within the connection's own callback.
        self.loop.enqueue { [weak self] in self?.perform(action) }
    }

    private func currentToken() -> String? {
        let now = self.loop.time.monotonicNanoseconds()
        if let token = self.token, now - token.readAt < self.options.tokenLifeNanoseconds { return token.text }
        guard let text = self.readToken() else { return nil }
        self.token = (text, now)
        return text
    }

    private func readToken() -> String? {
        if let command = self.options.tokenCommand { return self.run(command) }
        guard let path = self.options.tokenFile else { return nil }
        do throws(FileSystemError) {
            return try self.files.contents(path).unsafeTrimmedText
        } catch {
            self.log.once("\(error); the cluster is asked without a token", .warning)
            return nil
        }
    }

    /// The first 64 KiB that a command prints.
    private func run(_ command: String) -> String? {
        guard let pipe = popen(command, "re") else {
            self.log.once("cannot run \(command): \(PlainStream.reason(errno))", .warning)
            return nil
        }
        defer { pclose(pipe) }
        var bytes = [UInt8](repeating: 0, count: 65_536)
        let count = fread(&bytes, 1, bytes.count, pipe)
        return ByteSlice(Array(bytes[..<count])).unsafeTrimmedText
    }
}

extension ByteSlice {
    /// The text without white space at its ends.
    fileprivate var unsafeTrimmedText: String { self.withUnsafeBytes { $0.trimmed.text } }
}
