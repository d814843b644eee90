internal import Glibc
internal import LeatCore
internal import Synchronization

/// Asks a name server which host has an address: PTR records over UDP, RFC 1035.
///
/// Each address is asked for once; after a few questions without any answer the server is asked no more, so that a query
/// never hangs on one that is down.
final class NameLookup: Sendable {
    /// Addresses that one call asks for at most when it does not say.
    static let addressCountMax = 5_000
    /// How long an answer may take, and how often it is asked for.
    private static let waitMilliseconds: Int32 = 400
    private static let tryCount = 2
    /// Questions in a row without an answer after which the server counts as down.
    private static let silenceCountMax = 2

    private struct State {
        var names: [InternetAddress: String?] = [:]
        var silenceCount = 0
    }

    private let server: InternetAddress
    private let port: UInt16
    private let addressCountMax: Int
    private let state = Mutex(State())

    /// A lookup at `server`, an address with or without a port; `nil` when it is none.
    init?(server text: String, addressCountMax: Int) {
        if let whole = InternetAddress(text) {
            (self.server, self.port) = (whole, 53)
        } else {
            guard let colon = text.lastIndex(of: ":"), let port = UInt16(text[text.index(after: colon)...]),
                let address = InternetAddress(String(text[..<colon].filter { $0 != "[" && $0 != "]" }))
            else { return nil }
            (self.server, self.port) = (address, port)
        }
        self.addressCountMax = addressCountMax
    }

    /// The name of the host with an address; `nil` when nobody knows it in time.
    func name(of address: InternetAddress) -> String? {
        let known: String?? = self.state.withLock { state in
            if let known = state.names[address] { return .some(known) }
            let mayAsk = state.silenceCount < Self.silenceCountMax && state.names.count < self.addressCountMax
            return mayAsk ? nil : .some(nil)
        }
        if let known { return known }
        let answer = self.ask(address)
        self.state.withLock { state in
            state.silenceCount = answer == nil ? state.silenceCount + 1 : 0
            if let answer { state.names[address] = .some(answer.name) }
        }
        return answer?.name
    }

    /// What the server said: a name or that there is none; `nil` when it said nothing.
    private func ask(_ address: InternetAddress) -> (name: String?, Void)? {
        let identifier = UInt16(truncatingIfNeeded: SystemRandom.uint64())
        let question = NameMessage.question(address, identifier: identifier)
        let descriptor = socket(
            self.server.isVersion4 ? AF_INET : AF_INET6,
            Int32(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue),
            0
        )
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        guard self.connect(descriptor) else { return nil }
        for _ in 0..<Self.tryCount {
            guard send(descriptor, question, question.count, Int32(MSG_NOSIGNAL)) == question.count else { return nil }
            var event = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
            guard poll(&event, 1, Self.waitMilliseconds) > 0 else { continue }
            var answer = [UInt8](repeating: 0, count: 4096)
            let count = recv(descriptor, &answer, answer.count, 0)
            guard count > 0 else { return nil }
            if let name = NameMessage.answer(Array(answer.prefix(count)), to: identifier) { return (name.name, ()) }
        }
        return nil
    }

    private func connect(_ descriptor: Int32) -> Bool {
        if self.server.isVersion4 {
            var target = sockaddr_in()
            target.sin_family = sa_family_t(AF_INET)
            target.sin_port = self.port.bigEndian
            withUnsafeMutableBytes(of: &target.sin_addr) { $0.copyBytes(from: self.server.bytes) }
            return Self.connect(descriptor, &target)
        }
        var target = sockaddr_in6()
        target.sin6_family = sa_family_t(AF_INET6)
        target.sin6_port = self.port.bigEndian
        withUnsafeMutableBytes(of: &target.sin6_addr) { $0.copyBytes(from: self.server.bytes) }
        return Self.connect(descriptor, &target)
    }

    private static func connect<Address>(_ descriptor: Int32, _ address: inout Address) -> Bool {
        withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                Glibc.connect(descriptor, $0, socklen_t(MemoryLayout<Address>.size)) == 0
            }
        }
    }
}

/// Questions for, and answers with, PTR records.
enum NameMessage {
    /// The message that asks for the name of an address.
    static func question(_ address: InternetAddress, identifier: UInt16) -> [UInt8] {
        var message: [UInt8] = [UInt8(identifier >> 8), UInt8(truncatingIfNeeded: identifier), 1, 0, 0, 1]
        message += [0, 0, 0, 0, 0, 0]
        for label in Self.labels(of: address) { message += [UInt8(label.utf8.count)] + label.utf8 }
        return message + [0, 0, 12, 0, 1]
    }

    /// `4.3.2.1.in-addr.arpa`, or the digits of an IPv6 address below `ip6.arpa`.
    private static func labels(of address: InternetAddress) -> [String] {
        if address.isVersion4 { return address.bytes.reversed().map { String($0) } + ["in-addr", "arpa"] }
        let digits = address.bytes.reversed().flatMap { [$0 & 15, $0 >> 4] }
        return digits.map { String($0, radix: 16) } + ["ip6", "arpa"]
    }

    /// The name in an answer, or that it has none; `nil` when it is no answer to that question.
    static func answer(_ message: [UInt8], to identifier: UInt16) -> (name: String?, Void)? {
        guard message.count >= 12, message[0] == UInt8(identifier >> 8),
            message[1] == UInt8(truncatingIfNeeded: identifier), message[2] & 0x80 != 0
        else { return nil }
        var at = 12
        for _ in 0..<Self.number(message, 4) {
            guard let end = Self.name(message, at)?.end else { return nil }
            at = end + 4
        }
        for _ in 0..<Self.number(message, 6) {
            guard let end = Self.name(message, at)?.end, end + 10 <= message.count else { return nil }
            if Self.number(message, end) == 12 { return Self.name(message, end + 10).map { ($0.text, ()) } }
            at = end + 10 + Self.number(message, end + 8)
        }
        return (nil, ())
    }

    private static func number(_ message: [UInt8], _ at: Int) -> Int {
        at + 1 < message.count ? Int(message[at]) << 8 | Int(message[at + 1]) : 0
    }

    /// The name at a place, compressed or not, and where what follows it begins.
    private static func name(_ message: [UInt8], _ start: Int) -> (text: String, end: Int)? {
        var labels: [String] = []
        var at = start
        var end: Int?
        // Every pointer leads backwards in an honest message; a bound keeps others from going round.
        for _ in 0..<128 {
            guard at < message.count else { return nil }
            let length = Int(message[at])
            if length == 0 { return (labels.joined(separator: "."), end ?? at + 1) }
            if length & 0xC0 == 0xC0 {
                guard at + 1 < message.count else { return nil }
                if end == nil { end = at + 2 }
                at = (length & 0x3F) << 8 | Int(message[at + 1])
                continue
            }
            guard length < 64, at + 1 + length <= message.count else { return nil }
            labels.append(String(decoding: message[(at + 1)...(at + length)], as: UTF8.self))
            at += 1 + length
        }
        return nil
    }
}

/// `reverseDns`: writes the host name of an address.
struct ReverseLookup: RowFunction {
    let inputs: [RowOperand]
    let outputs: [String]
    let lookup: NameLookup?

    var checksEachRow: Bool { true }

    init(_ call: BoundCall, _ context: FunctionContext) throws(CallProblem) {
        self.inputs = [call.field("field")]
        self.outputs = [call.text("as") ?? "_hostname"]
        if context.isCheckOnly {
            self.lookup = nil
            return
        }
        guard let standard = context.nameServers.first else {
            throw CallProblem(
                "reverseDns() would ask another machine, which nobody has allowed",
                at: call.call.range,
                hint: "list name servers in the server's setting query.dns, or use match() with a file of names"
            )
        }
        let server = call.text("server") ?? standard
        guard context.nameServers.contains(server) else {
            throw call.problem(
                "the name server '\(server)' is none of those that queries may ask",
                of: "server",
                hint: "allowed are \(context.nameServers.joined(separator: ", "))"
            )
        }
        let limit = min(call.integer("limit") ?? NameLookup.addressCountMax, NameLookup.addressCountMax)
        guard let lookup = NameLookup(server: server, addressCountMax: limit) else {
            throw call.problem("'\(server)' is no address of a name server", of: "server")
        }
        self.lookup = lookup
    }

    func apply(_ inputs: RowInputs, _ outputs: inout RowOutputs) throws(QueryFailure) {
        guard let address = inputs[0].flatMap({ InternetAddress($0) }), let name = self.lookup?.name(of: address) else {
            return
        }
        outputs.set(0, to: name)
    }
}
