internal import LeatCore
internal import LeatParsing

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
        var bytes: [UInt8] = []
        MessagePackWriter.append(array: 2, to: &bytes)
        MessagePackWriter.append(text: "HELO", to: &bytes)
        MessagePackWriter.append(map: 3, to: &bytes)
        MessagePackWriter.append(text: "nonce", to: &bytes)
        MessagePackWriter.append(binary: self.nonce, to: &bytes)
        MessagePackWriter.append(text: "auth", to: &bytes)
        MessagePackWriter.append(binary: [], to: &bytes)
        MessagePackWriter.append(text: "keepalive", to: &bytes)
        MessagePackWriter.append(flag: true, to: &bytes)
        return bytes
    }

    /// What we answer to the sender's PING.
    ///
    /// - Returns: The bytes of PONG, and why the sender is refused; `nil` when it may send.
    func answer(to ping: UnsafeRawBufferPointer) throws(MessagePackReader.Failure) -> (pong: [UInt8], refusal: String?)
    {
        var reader = MessagePackReader(ping)
        guard try reader.array() == 6, try reader.text() == "PING" else {
            throw .malformed("PING is expected, since a shared key is set")
        }
        let senderName = try reader.text()
        let salt = try reader.binary()
        let digest = try reader.text()
        let isRight = Secret(digest).hash == Secret(self.digest(salt, senderName)).hash
        let isOurs = senderName == self.hostName
        let refusal =
            isOurs
            ? "same hostname between input and output: invalid configuration"
            : isRight ? nil : "shared_key mismatch"
        var pong: [UInt8] = []
        MessagePackWriter.append(array: 5, to: &pong)
        MessagePackWriter.append(text: "PONG", to: &pong)
        MessagePackWriter.append(flag: refusal == nil, to: &pong)
        MessagePackWriter.append(text: refusal ?? "", to: &pong)
        MessagePackWriter.append(text: self.hostName, to: &pong)
        MessagePackWriter.append(text: refusal == nil ? self.digest(salt, self.hostName) : "", to: &pong)
        return (pong, refusal)
    }

    private func digest(_ salt: [UInt8], _ name: String) -> String {
        SHA512.hexadecimal(salt + Array(name.utf8) + self.nonce + Array(self.key.text.utf8))
    }
}
