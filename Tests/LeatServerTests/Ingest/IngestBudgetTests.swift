import LeatTesting
import NIOCore
import Testing

@testable import LeatServer

/// What requests under way may hold, and how slowly they may come.
@Suite struct IngestBudgetTests {
    @Test func aBusyRepositoryLeavesRoomForOthers() throws {
        let budget = IngestBudget(byteLimit: 100, requestLimit: 8)
        var busy: [IngestShare] = []
        for _ in 0..<6 { busy.append(try IngestShare(budget, repository: "busy")) }
        #expect(throws: RequestFault.self) { try IngestShare(budget, repository: "busy") }
        let other = try IngestShare(budget, repository: "other")
        #expect(budget.requestCount == 7)
        busy.removeAll()
        let large = try IngestShare(budget, repository: "busy")
        try large.take(80)
        #expect(throws: RequestFault.self) { try IngestShare(budget, repository: "busy") }
        try other.take(20)
        #expect(throws: RequestFault.self) { try other.take(1) }
        other.giveBack()
        try other.take(20)
        #expect(budget.usedByteCount == 100)
    }

    @Test func whatARequestTookIsFreeAfterIt() throws {
        let budget = IngestBudget(byteLimit: 100, requestLimit: 8)
        do {
            let share = try IngestShare(budget, repository: "a")
            // A single request may go on beyond the limit at its start.
            try share.take(150)
            #expect(budget.usedByteCount == 150)
        }
        #expect(budget.usedByteCount == 0)
        #expect(budget.requestCount == 0)
        let stream = try IngestShare(budget, repository: "a", isStream: true)
        try stream.take(10)
        #expect(budget.requestCount == 0)
    }

    @Test func onlyTimeInWhichWeWaitIsTheClients() {
        let start = NIODeadline.uptimeNanoseconds(1_000_000_000)
        var pace = BodyPace()
        pace.begin(at: start)
        pace.received(100, at: start + .seconds(2))
        // For a minute we do not read.
        pace.waits(at: start + .seconds(62))
        #expect(!pace.isSlow(at: start + .seconds(63), after: 5_000_000_000))
        #expect(pace.isSlow(at: start + .seconds(66), after: 5_000_000_000))
        pace.received(10_000, at: start + .seconds(66))
        #expect(!pace.isSlow(at: start + .seconds(66), after: 5_000_000_000))
        pace.end()
        #expect(!pace.isSlow(at: start + .seconds(1_000), after: 5_000_000_000))
    }

    @Test func aBodyThatDoesNotComeEndsItsConnection() async throws {
        try await TestServer.with {
            $0.slowSeconds = 1
        } _: { server in
            let port = server.port
            try await onThread {
                let slow = try TestConnection(port: port)
                try slow.write("POST /_bulk HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\nx")
                #expect(throws: TestFailure.self) { try slow.take(1) }
            }
            #expect(try await server.send("POST", "/_bulk", AccessTests.document).status == 200)
        }
    }
}
