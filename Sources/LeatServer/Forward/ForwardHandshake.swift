internal import LeatCore

/// The shared-key handshake of the forward protocol: HELO from us, PING from the sender, PONG from us.
///
///     ["HELO", {"nonce": bin16, "auth": bin0, "keepalive": true}]
///     ["PING", hostname, salt, sha512hex(salt + hostname + nonce + key), user, password]
///     ["PONG", ok, reason, hostname, sha512hex(salt + our hostname + nonce + key)]
struct ForwardHandshake {
    private let key: Secret
    private let hostName: String
    private let nonce: [UInt8]

    init(key: Secret, hostName: String = "leat", nonce: [UInt8] = SystemRandom.bytes(16)) {
        self.key = key
        self.hostName = hostName
        self.nonce = nonce
    }

    /// What we begin with.
    var hello: [UInt8] {
        var writer = MessagePackWriter()
        writer.array(2)
        writer.value("HELO")
        writer.map(3)
        writer.value("nonce")
        writer.value(self.nonce)
        writer.value("auth")
        writer.value([])
        writer.value("keepalive")
        writer.value(true)
        return writer.bytes
    }

    /// What we answer to the sender's PING.
    ///
    /// - Returns: The bytes of PONG, and why the sender is refused; `nil` when it may send.
    func answer(to ping: UnsafeRawBufferPointer) throws(MessagePackReader.Fault) -> (pong: [UInt8], refusal: String?) {
        var reader = MessagePackReader(ping)
        guard case .array(6) = try reader.head(), try reader.text() == "PING" else {
            throw .damaged("PING is expected, since a shared key is set")
        }
        let senderName = try reader.text()
        guard case .bytes(let saltCount) = try reader.head() else { throw .damaged("PING has no salt") }
        let salt = Array(try reader.take(saltCount))
        let digest = try reader.text()
        let isRight = Secret(digest).hash == Secret(self.digest(salt, senderName)).hash
        let isOurs = senderName == self.hostName
        let refusal =
            isOurs
            ? "same hostname between input and output: invalid configuration"
            : isRight ? nil : "shared_key mismatch"
        var writer = MessagePackWriter()
        writer.array(5)
        writer.value("PONG")
        writer.value(refusal == nil)
        writer.value(refusal ?? "")
        writer.value(self.hostName)
        writer.value(refusal == nil ? self.digest(salt, self.hostName) : "")
        return (writer.bytes, refusal)
    }

    private func digest(_ salt: [UInt8], _ name: String) -> String {
        SHA512.hexadecimal(salt + Array(name.utf8) + self.nonce + Array(self.key.text.utf8))
    }
}
