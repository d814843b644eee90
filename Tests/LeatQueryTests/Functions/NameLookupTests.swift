import Glibc
import LeatCore
import LeatTesting
import Synchronization
import Testing

@testable import LeatQuery

/// `reverseDns` against a name server of the test.
struct NameLookupTests {
    /// A name server that answers each question with `answer`, or not at all, and counts the questions.
    final class Server: Sendable {
        let port: UInt16
        private let descriptor: Int32
        private let questionCount = Atomic<Int>(0)

        var questions: Int { self.questionCount.load(ordering: .relaxed) }

        init(_ answer: @escaping @Sendable ([UInt8]) -> [UInt8]?) {
            let descriptor = socket(AF_INET, Int32(SOCK_DGRAM.rawValue), 0)
            var address = sockaddr_in()
            address.sin_family = sa_family_t(AF_INET)
            address.sin_addr.s_addr = inet_addr("127.0.0.1")
            var length = socklen_t(MemoryLayout<sockaddr_in>.size)
            withUnsafeMutablePointer(to: &address) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    _ = bind(descriptor, $0, length)
                    _ = getsockname(descriptor, $0, &length)
                }
            }
            self.port = UInt16(bigEndian: address.sin_port)
            self.descriptor = descriptor
            _ = WorkerThread(name: "names") { [weak self] in
                var buffer = [UInt8](repeating: 0, count: 512)
                var sender = sockaddr_in()
                var length = socklen_t(MemoryLayout<sockaddr_in>.size)
                while true {
                    let count = withUnsafeMutablePointer(to: &sender) { pointer in
                        pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                            recvfrom(descriptor, &buffer, 512, 0, $0, &length)
                        }
                    }
                    guard count > 0 else { return }
                    _ = self?.questionCount.add(1, ordering: .relaxed)
                    guard let reply = answer(Array(buffer.prefix(count))) else { continue }
                    withUnsafePointer(to: &sender) { pointer in
                        pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                            _ = sendto(descriptor, reply, reply.count, 0, $0, length)
                        }
                    }
                }
            }
        }

        func close() { shutdown(self.descriptor, Int32(SHUT_RDWR)) }
    }

    /// The answer `host.example.` with a compressed name, to any question but one for 10.0.0.9, which has no name.
    private static let answer: @Sendable ([UInt8]) -> [UInt8]? = { question in
        var reply = question
        reply[2] |= 0x80
        guard !question.dropFirst(12).contains(UInt8(ascii: "9")) else { return reply }
        reply[7] = 1
        reply += [0xC0, 12, 0, 12, 0, 1, 0, 0, 0, 60, 0, 14] as [UInt8]
        for label in ["host", "example", ""] { reply += [UInt8(label.utf8.count)] + Array(label.utf8) }
        return reply
    }

    private static func rows(_ query: String, _ servers: [String]) throws -> [String] {
        var options = QueryOptions(now: Timestamp(nanoseconds: EventLoading.defaultTime))
        options.nameServers = servers
        let lines = ["10.0.0.1", "10.0.0.9", "2001:db8::1", "none", "10.0.0.1"].map { "{\"ip\":\"\($0)\"}" } + ["{}"]
        let plan = try QueryPlan(try QueryParser.parse(query), options: options)
        return jsonRows(try plan.run(over: [MemoryBlock(try EventLoading.batch(lines))]))
    }

    @Test func namesAreAskedForOnce() throws {
        let server = Server(Self.answer)
        defer { server.close() }
        let rows = try Self.rows("reverseDns(ip) | select([ip, _hostname])", ["127.0.0.1:\(server.port)"])
        #expect(
            rows == [
                "{}", #"{"ip":"10.0.0.1","_hostname":"host.example"}"#, #"{"ip":"none"}"#,
                #"{"ip":"2001:db8::1","_hostname":"host.example"}"#, #"{"ip":"10.0.0.9"}"#,
                #"{"ip":"10.0.0.1","_hostname":"host.example"}"#,
            ]
        )
        #expect(server.questions == 3)
    }

    @Test func aSilentServerIsGivenUpSoon() throws {
        let server = Server { _ in nil }
        defer { server.close() }
        let clock = ContinuousClock()
        let start = clock.now
        let rows = try Self.rows("rdns(ip, as=h) | h=* | count()", ["127.0.0.1:\(server.port)"])
        #expect(rows == [#"{"_count":"0"}"#])
        #expect(clock.now - start < .seconds(5))
    }

    @Test func onlyAllowedServersAreAsked() {
        #expect(throws: QueryErrors.self) { try Self.rows("reverseDns(ip)", []) }
        #expect(throws: QueryErrors.self) { try Self.rows("reverseDns(ip, server=\"8.8.8.8\")", ["127.0.0.1"]) }
    }

    static let broken: [[UInt8]] = [
        [], [1, 2, 0x80], [1, 2, 0x80, 0, 0, 1, 0, 1, 0, 0, 0, 0, 0xC0, 12],
        [1, 2, 0x80, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0xC0, 12, 0, 12, 0, 1, 0, 0, 0, 0, 0, 4, 0xC0, 12],
    ]

    @Test(arguments: broken)
    func aBrokenAnswerIsNone(_ message: [UInt8]) {
        #expect(NameMessage.answer(message, to: 0x0102)?.name == nil)
    }
}
