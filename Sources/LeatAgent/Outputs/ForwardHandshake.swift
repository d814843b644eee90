internal import LeatCore
internal import LeatParsing

/// How we show who we are to a server of the forward protocol.
struct ForwardCredentials: Hashable, Sendable {
    /// `nil`: no handshake.
    var sharedKey: String?
    var hostname = "localhost"
    var user = ""
    var password = ""
}

/// The sending side's handshake: HELO comes, PING goes, PONG comes.
struct ForwardHandshake {
    enum Action {
        case send([UInt8])
        /// Messages may be sent.
        case done
        case fail(reason: String)
    }

    private enum Phase { case helo, pong, done }

    private static let byteCountMax = 64 << 10

    private let credentials: ForwardCredentials
    private let salt: [UInt8]
    private var phase: Phase
    private var nonce: [UInt8] = []

    init(_ credentials: ForwardCredentials, random: (Int) -> [UInt8] = SystemRandom.bytes) {
        self.credentials = credentials
        self.salt = random(16)
        self.phase = credentials.sharedKey == nil ? .done : .helo
    }

    var isDone: Bool { self.phase == .done }

    /// Takes what has arrived, and takes from its front what it has used; `nil` while more must arrive.
    mutating func take(_ input: inout [UInt8]) -> Action? {
        let slice = ByteSlice(input)
        do throws(MessagePackReader.Failure) {
            let (action, end) = try slice.withUnsafeBytes { bytes throws(MessagePackReader.Failure) -> (Action, Int) in
                var whole = MessagePackReader(bytes)
                let end = try whole.skip().upperBound
                var reader = MessagePackReader(bytes)
                return (self.phase == .helo ? try self.answerHelo(&reader) : try self.readPong(&reader), end)
            }
            input.removeFirst(end)
            return action
        } catch {
            if case .malformed(let reason) = error { return .fail(reason: "no answer of the handshake: \(reason)") }
            return input.count > Self.byteCountMax ? .fail(reason: "the handshake is too long") : nil
        }
    }

    private mutating func answerHelo(_ reader: inout MessagePackReader) throws(MessagePackReader.Failure) -> Action {
        guard try reader.array() == 2, try reader.text() == "HELO", case .map(let count) = try reader.next() else {
            return .fail(reason: "the server did not begin with HELO")
        }
        var userSalt: [UInt8] = []
        for _ in 0..<count {
            switch try reader.text() {
            case "nonce": self.nonce = try reader.binary()
            case "auth": userSalt = try reader.binary()
            default: try reader.skip()
            }
        }
        let key = Array((self.credentials.sharedKey ?? "").utf8)
        let user = Array(self.credentials.user.utf8)
        var bytes: [UInt8] = []
        MessagePackWriter.append(array: 6, to: &bytes)
        MessagePackWriter.append(text: "PING", to: &bytes)
        MessagePackWriter.append(text: self.credentials.hostname, to: &bytes)
        MessagePackWriter.append(text: self.salt, to: &bytes)
        let digest = SHA512.hexadecimal(self.salt + Array(self.credentials.hostname.utf8) + self.nonce + key)
        MessagePackWriter.append(text: digest, to: &bytes)
        MessagePackWriter.append(text: userSalt.isEmpty ? [] : user, to: &bytes)
        let password = SHA512.hexadecimal(userSalt + user + Array(self.credentials.password.utf8))
        MessagePackWriter.append(text: userSalt.isEmpty ? "" : password, to: &bytes)
        self.phase = .pong
        return .send(bytes)
    }

    private mutating func readPong(_ reader: inout MessagePackReader) throws(MessagePackReader.Failure) -> Action {
        guard try reader.array() == 5, try reader.text() == "PONG", case .bool(let isAccepted) = try reader.next()
        else {
            return .fail(reason: "the server did not answer with PONG")
        }
        let reason = try reader.text()
        guard isAccepted else { return .fail(reason: "the server does not accept us: \(reason)") }
        let hostname = try reader.text()
        let digest = try reader.text()
        let key = Array((self.credentials.sharedKey ?? "").utf8)
        guard digest == SHA512.hexadecimal(self.salt + Array(hostname.utf8) + self.nonce + key) else {
            return .fail(reason: "shared_key digest mismatch: the server \(hostname) has another key")
        }
        self.phase = .done
        return .done
    }
}
