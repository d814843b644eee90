import Foundation
import Glibc
import LeatCore
import LeatTesting
import Synchronization
import Testing

/// The server is told to stop while many senders connect, send and go.
@Suite struct StopTests {
    /// Starts and stops; in the long mode enough of them for a race that is lost once in fifty.
    static let roundCount = isLongRun ? 100 : 6

    @Test(.enabled(if: Programs.areBuilt, Programs.missing), .timeLimit(.minutes(15)))
    func busyListenersEndInOrder() throws {
        for round in 0..<Self.roundCount {
            try withTemporaryFolder { folder in
                let program = try RunningProgram(
                    Programs.server,
                    ["--listen", "127.0.0.1:0", "--data", folder.path("data"), "--log-level", "error"],
                    environment: [
                        "LEAT_SYSLOG_TCP": "127.0.0.1:0", "LEAT_SYSLOG_UDP": "127.0.0.1:0",
                        "LEAT_FORWARD_TCP": "127.0.0.1:0",
                    ],
                    folder: folder
                )
                var ports: [String: Int] = [:]
                try eventually(within: .seconds(30), "all listeners") {
                    for match in program.output.matches(of: /([a-z-]+):\/\/127\.0\.0\.1:([0-9]+)/) {
                        ports[String(match.output.1)] = Int(match.output.2)
                    }
                    guard program.isRunning else { throw ProgramEnded(program) }
                    return ports.count == 4
                }
                let senders = Senders(ports: ports)
                defer { senders.stop() }
                try eventually("senders that send") { senders.sentCount > 50 + 30 * (round % 5) }
                #expect(try program.stop(within: .seconds(30)) == .exited(0), "round \(round): \(program.errors)")
            }
        }
    }
}

/// Threads that connect, send and go, until they are told to stop.
private final class Senders: Sendable {
    private let isStopping = Atomic<Bool>(false)
    private let count = Atomic<Int>(0)
    private let threads = Mutex<[WorkerThread]>([])

    /// Connections that were served so far.
    var sentCount: Int { self.count.load(ordering: .relaxed) }

    init(ports: [String: Int]) {
        let line = Array("<13>Nov 14 22:13:20 host app: hello\n".utf8)
        let message: [UInt8] = [0x93, 0xA1, 0x74, 0x01, 0x81, 0xA1, 0x61, 0xA1, 0x62]
        let document = "{\"create\":{}}\n{\"message\":1}\n"
        let head = "POST /_bulk HTTP/1.1\r\nHost: localhost\r\nContent-Length: \(document.utf8.count)\r\n\r\n"
        let request = Array((head + document).utf8)
        for (name, bytes) in [("syslog-tcp", line), ("forward", message), ("http", request)] {
            for _ in 0..<5 { self.add { Self.send(bytes, to: ports[name] ?? 0) } }
        }
    }

    private func add(_ send: @escaping @Sendable () -> Bool) {
        let thread = WorkerThread(name: "sender") {
            while !self.isStopping.load(ordering: .relaxed) {
                if send() { self.count.add(1, ordering: .relaxed) }
            }
        }
        self.threads.withLock { $0.append(thread) }
    }

    func stop() {
        self.isStopping.store(true, ordering: .relaxed)
        for thread in self.threads.withLock({ $0 }) { thread.join() }
    }

    /// Sends some bytes a few times on a connection of its own; whether somebody was there.
    private static func send(_ bytes: [UInt8], to port: Int) -> Bool {
        do {
            let connection = try TestConnection(port: port)
            for _ in 0..<5 { try connection.write(bytes) }
            return true
        } catch {
            return false
        }
    }
}
