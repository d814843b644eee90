import LeatCore
import LeatTesting
import Testing

@testable import LeatAgent

/// `Mem_Buf_Limit` and `memory_limit`.
@Suite struct MemoryLimitTests {
    @Test func anInputWaitsUntilItsBytesAreOnDisk() {
        let counters = InputCounters(name: "tail.0")
        counters.unwrittenByteCountMax = 100
        counters.noteAccepted(byteCount: 60)
        #expect(counters.hasRoom)
        counters.flushBegan()
        counters.noteAccepted(byteCount: 60)
        #expect(!counters.hasRoom)
        // The disk failed: the bytes are still in memory.
        counters.flushEnded(isDurable: false)
        #expect(!counters.hasRoom)
        counters.flushBegan()
        counters.flushEnded(isDurable: true)
        #expect(counters.hasRoom)
    }

    /// The statuses that a server gives, and the lines that it took.
    private final class Server {
        var status = 500
        private(set) var lines: [String] = []

        func take(_ request: ReceivedRequest) -> Answer {
            if self.status == 200 {
                let body = String(decoding: request.body, as: UTF8.self)
                self.lines += body.matches(of: /line (\d+)/).map { String($0.output.1) }
            }
            return Answer(status: self.status)
        }
    }

    @Test(arguments: ["[INPUT]", "    storage.type memrb\n[INPUT]"])
    func aRingDropsItsOldestEventsAndReadsOn(place: String) throws {
        try withTemporaryFolder { folder in
            let world = try AgentWorld(folder)
            let server = Server()
            let listener = try HTTPListener(StreamServer.Options(host: "127.0.0.1"), loop: world.loop) {
                $1(server.take($0))
            }
            let ring = place == "[INPUT]" ? "storage.type memrb" : ""
            let agent = try world.start(
                """
                [SERVICE]
                    Flush 0.005
                    scheduler.cap 0.02
                \(place)
                    Name tail
                    Path \(folder.path)/in/*.log
                    Read_from_Head On
                    Mem_Buf_Limit 20k
                    \(ring)
                [OUTPUT]
                    Name http
                    Match *
                    Host 127.0.0.1
                    Port \(listener.port)
                    Format json_lines
                """
            )
            let count = 5_000
            for first in stride(from: 0, to: count, by: 100) {
                try folder.write("in/\(first).log", (first..<first + 100).map { "line \($0)\n" }.joined())
                let read = UInt64(first + 100)
                try world.turn("\(read) lines read") {
                    agent.inputCounters[0].events == read && !agent.store.needsFlush
                }
            }
            // What waits is within the limit, but for the chunk that is written now and those on their way.
            let waiting = try #require(agent.queues[0]).waitingByteCount
            #expect(waiting < 40_000)
            let counters = try #require(agent.queues[0]?.counters)
            #expect(counters.droppedEvents > 3_000)
            server.status = 200
            try world.turn("delivered") { agent.queues[0]?.isDone == true && !agent.store.needsFlush }
            #expect(counters.droppedEvents + counters.deliveredEvents == UInt64(count))
            #expect(UInt64(server.lines.count) == counters.deliveredEvents)
            // The newest are there, each once.
            #expect(Set(server.lines).count == server.lines.count)
            #expect(Set((count - 100..<count).map(String.init)).isSubset(of: server.lines))
            agent.stop()
            listener.close()
        }
    }

    @Test(arguments: [(1 << 20, true), (24 << 20, true), (64 << 20, false), (256 << 20, false)])
    func aSmallerBudgetMakesSmallerBuffers(byteCount: Int, isSmaller: Bool) {
        let limits = BufferLimits(memoryByteCount: byteCount)
        let usual = BufferLimits()
        #expect((limits.unwrittenByteCountMax < usual.unwrittenByteCountMax) == isSmaller)
        #expect(limits.flushByteCount <= limits.backlogFlushByteCount)
        #expect(limits.backlogFlushByteCount <= limits.unwrittenByteCountMax)
        let total =
            limits.unwrittenByteCountMax + limits.cachedByteCountMax + limits.sendingByteCountMax
            + limits.heldByteCountMax
        #expect(total <= max(24 << 20, byteCount) - (14 << 20))
    }
}
