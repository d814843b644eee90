internal import LeatCore
internal import LeatParsing

/// Who may send by the forward protocol.
struct ForwardSecurity: Hashable, Sendable {
    /// `nil`: no handshake.
    var sharedKey: String?
    var hostname = "localhost"
    /// Passwords by user; empty: no users.
    var users: [String: String] = [:]
}

/// The receiving side of one connection of Fluentd's forward protocol, version 1: what to do with its bytes.
///
/// `github.com/fluent/fluentd/wiki/Forward-Protocol-Specification-v1`. With a shared key the server begins with HELO,
/// the client says who it is with PING, and PONG says whether it may send.
struct ForwardSession {
    /// What there is to do.
    enum Action {
        case send([UInt8])
        /// Events to take; `chunk` is to be acknowledged when they are on stable storage.
        case accept(tag: String, events: EventList, chunk: String?)
        /// Nothing more on this connection makes sense; the answer, if there is one, says so.
        case close(answer: [UInt8] = [], reason: String)
    }

    private enum Phase {
        case handshake
        case messages
    }

    private static let nonceByteCount = 16

    private let security: ForwardSecurity
    private let byteCountMax: Int
    private var phase: Phase
    private var input: [UInt8] = []
    private let nonce: [UInt8]
    private let salt: [UInt8]

    /// `byteCountMax`: the longest message, also when it was expanded.
    init(_ security: ForwardSecurity, byteCountMax: Int, random: (Int) -> [UInt8] = SystemRandom.bytes) {
        self.security = security
        self.byteCountMax = byteCountMax
        self.phase = security.sharedKey == nil ? .messages : .handshake
        self.nonce = random(Self.nonceByteCount)
        self.salt = random(Self.nonceByteCount)
    }

    /// What to send first; nothing without a handshake.
    var greeting: [UInt8]? {
        guard self.security.sharedKey != nil else { return nil }
        var bytes: [UInt8] = []
        MessagePackWriter.append(array: 2, to: &bytes)
        MessagePackWriter.append(text: "HELO", to: &bytes)
        MessagePackWriter.append(map: 3, to: &bytes)
        MessagePackWriter.append(text: "nonce", to: &bytes)
        MessagePackWriter.append(binary: self.nonce, to: &bytes)
        MessagePackWriter.append(text: "auth", to: &bytes)
        MessagePackWriter.append(binary: self.security.users.isEmpty ? [] : self.salt, to: &bytes)
        MessagePackWriter.append(text: "keepalive", to: &bytes)
        MessagePackWriter.append(flag: true, to: &bytes)
        return bytes
    }

    /// Takes bytes that arrived; what to do about them, in order.
    mutating func take(_ bytes: UnsafeRawBufferPointer, now: Timestamp) -> [Action] {
        self.input.append(contentsOf: bytes)
        var actions: [Action] = []
        let used = ByteSlice(self.input).withUnsafeBytes { self.takeMessages(of: $0, now: now, &actions) }
        self.input.removeFirst(used)
        if self.input.count > self.byteCountMax {
            actions.append(.close(reason: "a message is longer than buffer_max_size, \(self.byteCountMax) bytes"))
        }
        return actions
    }

    /// Takes the messages that are whole; how many bytes they have.
    private mutating func takeMessages(of bytes: UnsafeRawBufferPointer, now: Timestamp, _ actions: inout [Action])
        -> Int
    {
        var reader = MessagePackReader(bytes)
        var used = 0
        do throws(MessagePackReader.Failure) {
            while !reader.isAtEnd {
                let message = try reader.skip()
                actions.append(try self.action(MessagePackReader(bytes, at: message.lowerBound), now))
                used = message.upperBound
                if case .close = actions.last { return used }
            }
        } catch {
            if case .malformed(let reason) = error {
                actions.append(.close(reason: "no forward message: \(reason)"))
            }
        }
        return used
    }

    private mutating func action(
        _ reader: MessagePackReader,
        _ now: Timestamp
    ) throws(MessagePackReader.Failure) -> Action {
        var reader = reader
        switch self.phase {
        case .messages: return try ForwardMessage.action(&reader, now, self.byteCountMax)
        case .handshake:
            let action = try self.answerPing(&reader)
            if case .send = action { self.phase = .messages }
            return action
        }
    }

    // MARK: - Handshake

    /// `["PING", hostname, salt, digest, user, password digest]` as `["PONG", true, "", hostname, digest]`.
    private func answerPing(_ reader: inout MessagePackReader) throws(MessagePackReader.Failure) -> Action {
        let count = try reader.array()
        guard count == 6, try reader.text() == "PING" else {
            return .close(reason: "the client did not begin with PING")
        }
        let hostname = try reader.text()
        let salt = try reader.binary()
        let digest = try reader.text()
        let user = try reader.text()
        let password = try reader.text()
        let key = Array((self.security.sharedKey ?? "").utf8)
        guard digest == SHA512.hexadecimal(salt + Array(hostname.utf8) + self.nonce + key) else {
            return Self.refuse("shared_key mismatch", "the shared key of \(hostname) is another one")
        }
        if !self.security.users.isEmpty {
            let known = self.security.users[user].map { Array($0.utf8) }
            guard let known, password == SHA512.hexadecimal(self.salt + Array(user.utf8) + known) else {
                return Self.refuse(
                    "username/password mismatch",
                    "user '\(user)' of \(hostname) is unknown, or has another password"
                )
            }
        }
        var bytes: [UInt8] = []
        MessagePackWriter.append(array: 5, to: &bytes)
        MessagePackWriter.append(text: "PONG", to: &bytes)
        MessagePackWriter.append(flag: true, to: &bytes)
        MessagePackWriter.append(text: "", to: &bytes)
        MessagePackWriter.append(text: self.security.hostname, to: &bytes)
        let own = SHA512.hexadecimal(salt + Array(self.security.hostname.utf8) + self.nonce + key)
        MessagePackWriter.append(text: own, to: &bytes)
        return .send(bytes)
    }
}

extension ForwardSession {
    /// `["PONG", false, reason, "", ""]` for a client that may not send; the log says more than the client learns.
    private static func refuse(_ told: String, _ reason: String) -> Action {
        var bytes: [UInt8] = []
        MessagePackWriter.append(array: 5, to: &bytes)
        MessagePackWriter.append(text: "PONG", to: &bytes)
        MessagePackWriter.append(flag: false, to: &bytes)
        for text in [told, "", ""] { MessagePackWriter.append(text: text, to: &bytes) }
        return .close(answer: bytes, reason: reason)
    }
}
