internal import LeatCore
internal import LeatParsing

/// `[OUTPUT] forward`: sends by Fluentd's forward protocol; events count as delivered when the server has acknowledged them.
final class ForwardOutput: BatchSender {
    /// A server of the output.
    struct Node {
        let upstream: Upstream.Node
        let credentials: ForwardCredentials
    }

    private let form: ForwardForm
    private let workers: [ForwardWorker]

    init(form: ForwardForm, nodes: [Node], workerCount: Int, loop: EventLoop) {
        self.form = form
        let upstream = Upstream(nodes.map(\.upstream), loop: loop)
        let wantsAcks = form.wantsAcks
        self.workers = (0..<workerCount).map { _ in
            ForwardWorker(upstream: upstream, credentials: nodes.map(\.credentials), wantsAcks: wantsAcks, loop: loop)
        }
    }

    func body(of chunk: LoadedChunk, items: [Range<Int>]) -> [UInt8] { self.form.body(of: chunk, items: items) }

    func send(_ body: [UInt8], batch: OutputBatch, completion: @escaping (DeliveryResult) -> Void) {
        guard let worker = self.workers.first(where: { !$0.isBusy }) else {
            preconditionFailure("more batches on their way than connections")
        }
        worker.send(body, completion)
    }

    func close() { for worker in self.workers { worker.close() } }
}

/// One connection of the output at a time, to one of its servers.
private final class ForwardWorker {
    private let upstream: Upstream
    private let credentials: [ForwardCredentials]
    private let wantsAcks: Bool
    private let loop: EventLoop
    private var client: StreamClient?
    private var node = 0
    /// Servers that are still to be tried with this batch.
    private var order: ArraySlice<Int> = []
    private var handshake = ForwardHandshake(ForwardCredentials())
    private var input: [UInt8] = []
    private var body: [UInt8] = []
    private var awaited: Set<String> = []
    private var wasSent = false
    private var completion: ((DeliveryResult) -> Void)?
    private var timer: TimerQueue.ID?

    init(upstream: Upstream, credentials: [ForwardCredentials], wantsAcks: Bool, loop: EventLoop) {
        self.upstream = upstream
        self.credentials = credentials
        self.wantsAcks = wantsAcks
        self.loop = loop
    }

    var isBusy: Bool { self.completion != nil }

    func send(_ body: [UInt8], _ completion: @escaping (DeliveryResult) -> Void) {
        self.completion = completion
        self.body = body
        self.awaited = self.wantsAcks ? ForwardForm.ids(of: body) : []
        self.wasSent = false
        self.order = self.upstream.order()[...]
        if self.client?.isOpen == true, self.handshake.isDone {
            self.write()
        } else {
            self.connect()
        }
    }

    func close() {
        self.client?.close()
        self.client = nil
        self.finish(.again(reason: "the agent closed the connection"))
    }

    private func connect() {
        guard let node = self.order.popFirst() else { preconditionFailure("no server is left to try") }
        self.node = node
        let server = self.upstream.nodes[node]
        self.handshake = ForwardHandshake(self.credentials[node])
        self.input = []
        let client = StreamClient(endpoint: server.endpoint, tls: server.tls, loop: self.loop)
        client.opened = { [weak self] in
            guard let self, self.handshake.isDone else { return }
            self.write()
        }
        client.received = { [weak self] in self?.take($0) }
        client.sent = { [weak self] in self?.didSend() }
        client.failed = { [weak self] in self?.didFail($0) }
        self.client?.close()
        self.client = client
        self.setTimer()
        client.open()
    }

    private func write() {
        self.wasSent = true
        self.setTimer()
        self.client?.send(self.body)
    }

    private func didSend() {
        self.setTimer()
        if self.wasSent, !self.wantsAcks { self.succeed() }
    }

    private func take(_ bytes: UnsafeRawBufferPointer) {
        self.input.append(contentsOf: bytes)
        self.setTimer()
        while !self.handshake.isDone {
            switch self.handshake.take(&self.input) {
            case nil: return
            case .send(let bytes): self.client?.send(bytes)
            case .done: self.write()
            case .fail(let reason):
                self.client?.close()
                return self.didFail(reason)
            }
        }
        self.takeAcks()
    }

    private func takeAcks() {
        let slice = ByteSlice(self.input)
        var used = 0
        var problem: String?
        slice.withUnsafeBytes { bytes in
            var reader = MessagePackReader(bytes)
            do throws(MessagePackReader.Failure) {
                while !reader.isAtEnd {
                    var entry = MessagePackReader(bytes, at: try reader.skip().lowerBound)
                    guard case .map(let count) = try entry.next() else { throw .malformed("an answer is no map") }
                    for _ in 0..<count {
                        if try entry.text() == "ack" { self.awaited.remove(try entry.text()) } else { try entry.skip() }
                    }
                    used = reader.offset
                }
            } catch {
                if case .malformed(let reason) = error { problem = reason }
            }
        }
        self.input.removeFirst(used)
        if let problem {
            self.client?.close()
            return self.didFail("the server's answer cannot be read: \(problem)")
        }
        if self.isBusy, self.wasSent, self.wantsAcks, self.awaited.isEmpty { self.succeed() }
    }

    private func succeed() {
        self.upstream.noteSuccess(of: self.node)
        self.finish(.delivered)
        // A connection that is kept has no deadline.
        let keepsAlive = self.upstream.nodes[self.node].endpoint.keepsAlive
        if !keepsAlive, !self.isBusy {
            self.client?.close()
            self.client = nil
        }
    }

    private func didFail(_ reason: String) {
        self.client = nil
        guard self.isBusy else { return }
        self.upstream.noteFailure(of: self.node)
        // A server that cannot have seen the batch leaves it to the next one.
        if !self.wasSent, !self.order.isEmpty { return self.connect() }
        self.finish(.again(reason: reason))
    }

    private func finish(_ result: DeliveryResult) {
        if let timer { self.loop.cancel(timer) }
        self.timer = nil
        self.body = []
        let completion = self.completion
        self.completion = nil
        completion?(result)
    }

    private func setTimer() {
        if let timer { self.loop.cancel(timer) }
        self.timer = nil
        guard self.isBusy else { return }
        let endpoint = self.upstream.nodes[self.node].endpoint
        self.timer = self.loop.schedule(after: endpoint.responseTimeout) { [weak self] in
            guard let self else { return }
            self.timer = nil
            self.client?.close()
            let what = self.wantsAcks ? "acknowledgement" : "answer"
            self.didFail("no \(what) from \(endpoint.authority) within \(endpoint.responseTimeout)")
        }
    }
}
