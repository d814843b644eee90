internal import Glibc
internal import LeatCore
internal import LeatParsing

/// `[INPUT] syslog`: takes syslog messages over TCP, UDP or a socket of the file system.
final class SyslogInput: Input {
    /// How messages come.
    enum Transport {
        case stream(StreamServer.Options, TLSServer?)
        case datagram(host: String, port: Int, receiveByteCount: Int?)
        case datagramPath(String, permissions: mode_t, receiveByteCount: Int?)
    }

    /// The longest datagram that there is.
    private static let datagramByteCountMax = 65_536
    /// Datagrams that are read before other descriptors have their turn.
    private static let datagramsPerTurn = 256

    private let tag: RouteTag
    private let transport: Transport
    private let records: SyslogRecords
    private let framing: SyslogFraming
    private let addressKey: String?
    private let counters: InputCounters
    private unowned let sink: any InputSink
    private let loop: EventLoop
    private var server: StreamServer?
    private var descriptor: Int32 = -1

    /// The port that is listened on, if there is one.
    private(set) var port = 0

    /// What has arrived of a connection's messages.
    private final class Messages {
        var framing: SyslogFraming

        init(_ framing: SyslogFraming) { self.framing = framing }
    }

    init(
        tag: RouteTag,
        transport: Transport,
        records: SyslogRecords,
        framing: SyslogFraming,
        addressKey: String?,
        counters: InputCounters,
        sink: any InputSink,
        loop: EventLoop
    ) {
        self.tag = tag
        self.transport = transport
        self.records = records
        self.framing = framing
        self.addressKey = addressKey
        self.counters = counters
        self.sink = sink
        self.loop = loop
    }

    func start() throws(InputError) {
        switch self.transport {
        case .stream(let options, let tls):
            self.server = try StreamServer(options, tls: tls, loop: self.loop) { [weak self] in self?.serve($0) }
            self.port = self.server?.port ?? 0
        case .datagram(let host, let port, let byteCount):
            (self.descriptor, self.port) = try ListeningSocket.openDatagram(host: host, port: port)
            try self.watchDatagrams(receiveByteCount: byteCount)
        case .datagramPath(let path, let permissions, let byteCount):
            self.descriptor = try ListeningSocket.open(path: path, permissions: permissions, isDatagram: true)
            try self.watchDatagrams(receiveByteCount: byteCount)
        }
    }

    func resume() {
        guard self.counters.isPaused else { return }
        self.counters.isPaused = false
        self.server?.resume()
        if self.descriptor >= 0 { self.loop.change(self.descriptor, to: .read) }
    }

    func stop() {
        self.server?.close()
        guard self.descriptor >= 0 else { return }
        // What the system has taken already is not lost.
        self.readDatagrams(countMax: .max)
        self.loop.unwatch(self.descriptor)
        _ = close(self.descriptor)
        self.descriptor = -1
        if case .datagramPath(let path, _, _) = self.transport { unlink(path) }
    }

    // MARK: streams

    private func serve(_ connection: ServerConnection) {
        let messages = Messages(self.framing)
        let tail = connection.peer.recordTail(self.addressKey)
        connection.received = { [weak self, weak connection] bytes in
            guard let self else { return }
            self.counters.readBytes += UInt64(bytes.count)
            var events = EventList()
            let now = self.loop.time.now()
            messages.framing.take(bytes) { self.records.append($0, now: now, tail: tail, to: &events) }
            self.hand(events)
            if !self.sink.hasRoom(for: self.counters) {
                self.counters.isPaused = true
                connection?.pause()
            }
        }
        connection.ended = { [weak self] in
            guard let self else { return }
            var events = EventList()
            let now = self.loop.time.now()
            messages.framing.finish { self.records.append($0, now: now, tail: tail, to: &events) }
            self.hand(events)
        }
    }

    private func hand(_ events: EventList) {
        if !events.isEmpty { self.sink.accept(InputRead(tag: self.tag, events: events), from: self.counters) }
    }

    // MARK: datagrams

    private func watchDatagrams(receiveByteCount: Int?) throws(InputError) {
        if let receiveByteCount {
            var size = Int32(clamping: receiveByteCount)
            setsockopt(self.descriptor, SOL_SOCKET, SO_RCVBUF, &size, socklen_t(MemoryLayout<Int32>.size))
        }
        do throws(FileSystemError) {
            try self.loop.watch(self.descriptor, for: .read) { [weak self] _ in
                guard let self else { return }
                guard self.sink.hasRoom(for: self.counters) else {
                    self.counters.isPaused = true
                    return self.loop.change(self.descriptor, to: [])
                }
                self.readDatagrams(countMax: Self.datagramsPerTurn)
            }
        } catch {
            throw InputError(description: "\(error)")
        }
    }

    private func readDatagrams(countMax: Int) {
        var events = EventList()
        let now = self.loop.time.now()
        withUnsafeTemporaryAllocation(byteCount: Self.datagramByteCountMax, alignment: 8) { buffer in
            var left = countMax
            while left > 0 {
                var peer = sockaddr_storage()
                var size = socklen_t(MemoryLayout<sockaddr_storage>.size)
                let count = withUnsafeMutablePointer(to: &peer) { pointer in
                    pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                        recvfrom(self.descriptor, buffer.baseAddress, buffer.count, 0, $0, &size)
                    }
                }
                guard count >= 0 else { return }
                left -= 1
                self.counters.readBytes += UInt64(count)
                let tail = self.addressKey == nil ? [] : SocketPeer(peer).recordTail(self.addressKey)
                let message = UnsafeRawBufferPointer(rebasing: buffer[..<count])
                self.records.append(SyslogFraming.withoutEnd(message), now: now, tail: tail, to: &events)
            }
        }
        self.hand(events)
    }
}

/// Finds the messages of a stream: by their length before them, or by the line's end (RFC 6587).
struct SyslogFraming {
    enum Form {
        /// Each message says by its first bytes.
        case either
        case lines
        case counted
    }

    private let form: Form
    private let byteCountMax: Int
    private var rest: [UInt8] = []
    /// Bytes of a too long message that are still to come.
    private var skipCount = 0

    init(_ form: Form, byteCountMax: Int) {
        self.form = form
        self.byteCountMax = byteCountMax
    }

    /// Takes bytes, and calls `body` with each message that they complete.
    mutating func take(_ bytes: UnsafeRawBufferPointer, _ body: (UnsafeRawBufferPointer) -> Void) {
        let skipped = min(self.skipCount, bytes.count)
        self.skipCount -= skipped
        self.rest.append(contentsOf: bytes.dropFirst(skipped))
        let used = self.rest.withUnsafeBytes { rest in
            var offset = 0
            while let end = self.message(in: rest, from: offset, body) { offset = end }
            return offset
        }
        self.rest.removeFirst(used)
        if self.rest.count > self.byteCountMax { self.cut(body) }
    }

    /// Nothing more will come: what there is, is a message.
    mutating func finish(_ body: (UnsafeRawBufferPointer) -> Void) {
        self.rest.withUnsafeBytes { rest in
            let start = self.count(in: rest, from: 0)?.start ?? 0
            let message = Self.withoutEnd(rest.slice(start..<rest.count))
            if !message.isEmpty { body(message) }
        }
        self.rest = []
    }

    /// A message without the newline or NUL behind it.
    static func withoutEnd(_ message: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer {
        var end = message.count
        while end > 0, message[end - 1] == 0x0A || message[end - 1] == 0x0D || message[end - 1] == 0 { end -= 1 }
        return message.slice(0..<end)
    }

    /// Hands out the message at `start`, and says where the next one begins; `nil` when it is not whole.
    private func message(
        in bytes: UnsafeRawBufferPointer,
        from start: Int,
        _ body: (UnsafeRawBufferPointer) -> Void
    ) -> Int? {
        guard start < bytes.count else { return nil }
        if bytes[start] == 0x0A || bytes[start] == 0 { return start + 1 }
        let end: Int
        let next: Int
        let begin: Int
        if let counted = self.count(in: bytes, from: start) {
            guard counted.count <= bytes.count - counted.start else { return nil }
            begin = counted.start
            end = counted.start + counted.count
            next = end
        } else {
            guard let found = bytes.firstIndex(ofByte: 0x0A, or: 0, from: start) else { return nil }
            (begin, end, next) = (start, found, found + 1)
        }
        let message = Self.withoutEnd(bytes.slice(begin..<end))
        if !message.isEmpty { body(message) }
        return next
    }

    /// The length before a message, and where the message begins; `nil` when there is none.
    private func count(in bytes: UnsafeRawBufferPointer, from start: Int) -> (count: Int, start: Int)? {
        guard self.form != .lines, start < bytes.count, (0x31...0x39).contains(bytes[start]) else { return nil }
        var count = 0
        var index = start
        while index < bytes.count, index - start < 8, (0x30...0x39).contains(bytes[index]) {
            count = count * 10 + Int(bytes[index] - 0x30)
            index += 1
        }
        guard index < bytes.count, bytes[index] == 0x20 else { return nil }
        // A line may begin with a number too, but no message begins behind it.
        let isMessage = index + 1 >= bytes.count || bytes[index + 1] == UInt8(ascii: "<")
        return self.form == .counted || isMessage ? (count, index + 1) : nil
    }

    /// Hands out the beginning of a message that is too long; what still comes of a counted one is skipped.
    private mutating func cut(_ body: (UnsafeRawBufferPointer) -> Void) {
        let counted = self.rest.withUnsafeBytes { self.count(in: $0, from: 0) }
        let start = counted?.start ?? 0
        self.rest.withUnsafeBytes { body($0.slice(start..<min($0.count, start + self.byteCountMax))) }
        if let counted { self.skipCount = max(0, counted.count - (self.rest.count - start)) }
        self.rest = []
    }
}

/// Turns syslog messages into records: by the configured parser, else by the two standards.
struct SyslogRecords {
    /// The parser that was configured and exists.
    var parser: LineParser?
    /// Member that gets the whole message.
    var rawKey: String?
    /// The zone of times without one.
    var zone = TimeZoneRules.utc

    /// Appends an event per message; one in no known form stands under `log` as it is.
    func append(_ message: UnsafeRawBufferPointer, now: Timestamp, tail: [UInt8], to events: inout EventList) {
        guard !message.isEmpty else { return }
        let start = events.openStart
        var time = now
        var isParsed = false
        if let parser {
            if case .parsed(let found) = parser.parse(message, now: now, into: &events.bytes, from: start) {
                time = found ?? now
                isParsed = true
            }
        } else if let parts = SyslogMessage(message, now: now, zone: self.zone) {
            time = parts.timestamp ?? now
            self.append(parts, message, start, &events.bytes)
            isParsed = true
        }
        if !isParsed { events.bytes.appendMember("log", text: message, start: start) }
        if let rawKey { events.bytes.appendMember(rawKey, text: message, start: start) }
        events.bytes += events.bytes.count == start ? Array(tail.dropFirst()) : tail
        events.endEvent(time: time.nanoseconds)
    }

    /// The members that Fluent Bit's parsers of these forms give.
    private func append(_ parts: SyslogMessage, _ text: UnsafeRawBufferPointer, _ start: Int, _ bytes: inout [UInt8]) {
        if let priority = parts.priority { bytes.appendMember("pri", text: String(priority).utf8, start: start) }
        let named = [("host", parts.host), ("ident", parts.app), ("pid", parts.process), ("msgid", parts.messageID)]
        for case (let name, let range?) in named {
            bytes.appendMember(name, text: text.slice(range), start: start)
        }
        if let first = parts.parameters.first, let last = parts.parameters.last {
            // From the bracket before the first element's name to the one behind the last value's quote.
            let range = (first.element.lowerBound - 1)..<min(text.count, last.value.upperBound + 2)
            bytes.appendMember("extradata", text: text.slice(range), start: start)
        }
        bytes.appendMember("message", text: text.slice(parts.message), start: start)
    }
}
