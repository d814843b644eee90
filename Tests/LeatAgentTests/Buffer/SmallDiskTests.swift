import LeatCore
import LeatTesting
import Testing

@testable import LeatAgent

/// A state folder on a disk that is smaller than what waits, and smaller than the usual reserve.
@Suite struct SmallDiskTests {
    /// A server that is down until the test says otherwise.
    private final class Server {
        var isUp = false
        private(set) var lines: [String] = []

        func take(_ request: ReceivedRequest) -> Answer {
            if self.isUp {
                let body = String(decoding: request.body, as: UTF8.self)
                self.lines += body.matches(of: #/line (\d+) /#).map { String($0.output.1) }
            }
            return Answer(status: self.isUp ? 200 : 503)
        }
    }

    private static func configuration(_ folder: TemporaryFolder, port: Int) -> String {
        """
        [SERVICE]
            Flush 0.01
            scheduler.base 0.01
            scheduler.cap 0.02
        [INPUT]
            Name tail
            Path \(folder.path)/in/*.log
            Read_from_Head On
        [OUTPUT]
            Name http
            Match *
            Host 127.0.0.1
            Port \(port)
            Format json_lines
        """
    }

    @Test(arguments: [1 << 20, 2 << 20])
    func readingGoesOnWhenTheServerIsBackAndTheDiskHasRoom(diskByteCount: Int) throws {
        try withTemporaryFolder { folder in
            let world = try AgentWorld(folder)
            let server = Server()
            let listener = try HTTPListener(StreamServer.Options(host: "127.0.0.1"), loop: world.loop) {
                $1(server.take($0))
            }
            let simulated = SimulatedFileSystem(byteCountMax: diskByteCount)
            let count = 15_000
            let filling = String(repeating: "x", count: 200)
            try folder.write("in/app.log", (0..<count).map { "line \($0) \(filling)\n" }.joined())
            let agent = try world.start(
                Self.configuration(folder, port: listener.port),
                state: MortalDisk.folder,
                disk: MortalDisk(simulated, writeCount: .max)
            )
            try world.turn("a full disk") {
                if case .disk = agent.store.fullness { agent.store.unwrittenByteCount == 0 } else { false }
            }
            // Most of the disk is used, and room is left for what sending needs.
            let free = try simulated.space(MortalDisk.folder).free
            #expect(free < UInt64(diskByteCount / 2))
            #expect(free > UInt64(diskByteCount / 32))
            #expect(world.lines("agent.log").count { $0.contains("reading stops until there is room") } == 1)
            #expect(agent.inputCounters[0].isPaused)
            server.isUp = true
            try world.turn("everything delivered") { agent.queues[0]?.counters.deliveredEvents == UInt64(count) }
            #expect(server.lines.count == count)
            #expect(Set(server.lines).count == count)
            agent.stop()
            listener.close()
        }
    }

    @Test func statusSaysWhyNothingIsRead() throws {
        try withTemporaryFolder { folder in
            let world = try AgentWorld(folder)
            let simulated = SimulatedFileSystem(byteCountMax: 1 << 20)
            try simulated.createDirectory(MortalDisk.folder)
            let others = try simulated.open(MortalDisk.folder + "/others", .createNew)
            try others.write([ByteSlice([UInt8](repeating: 0, count: 1_000_000))], at: 0)
            let agent = try world.start(
                Self.configuration(folder, port: 1),
                state: MortalDisk.folder,
                disk: MortalDisk(simulated, writeCount: .max)
            )
            let metrics = AgentMetrics(agent: agent, startedAt: world.loop.time.now(), reloadCount: 0)
            let full = StatusText(metrics: metrics).storage()
            #expect(full.contains(#""full":true,"full_because":"the disk of /simulated-state has "#), "\(full)")
            #expect(metrics.prometheusV1(now: world.loop.time.now()).contains("\nleat_storage_full 1\n"))
            try others.truncate(to: 0)
            try world.turn("room") { !agent.store.isFull }
            #expect(StatusText(metrics: metrics).storage().contains(#""full":false,"full_because":"""#))
            agent.stop()
        }
    }

    @Test func reasonsAreLoggedOncePerShortage() {
        let second: UInt64 = 1_000_000_000
        let low = BufferFullness.disk(folder: "/state", free: 3 << 10, reserve: 4 << 10)
        var notes = FullnessNotes()
        #expect(notes.note(nil, now: 0) == nil)
        #expect(notes.note(.memory, now: 0) == nil)
        let first = notes.note(low, now: second)
        #expect(first?.text.contains("/state has 3 KiB free") == true)
        // It stumbles: room for a moment, then none.
        #expect(notes.note(nil, now: 2 * second) == nil)
        #expect(notes.note(low, now: 3 * second) == nil)
        #expect(notes.note(nil, now: 12 * second) == nil)
        #expect(notes.note(nil, now: 13 * second)?.level == .info)
        #expect(notes.note(nil, now: 90 * second) == nil)
        #expect(notes.note(low, now: 91 * second)?.level == .error)
    }

    @Test(arguments: [0, 1, 64 << 10, 2 << 20, 100 << 20, 512 << 20, 1 << 40] as [UInt64])
    func limitsFitTheDisk(diskByteCount: UInt64) {
        var limits = BufferLimits()
        let usual = BufferLimits()
        limits.fit(diskByteCount: diskByteCount)
        #expect(limits.flushByteCount <= limits.backlogFlushByteCount)
        #expect(limits.backlogFlushByteCount <= limits.unwrittenByteCountMax)
        if diskByteCount == 0 || diskByteCount >= 512 << 20 {
            #expect(limits.diskReserveByteCount == usual.diskReserveByteCount)
            #expect(limits.unwrittenByteCountMax == usual.unwrittenByteCountMax)
        } else if diskByteCount >= 64 << 10 {
            #expect(limits.diskReserveByteCount + UInt64(limits.unwrittenByteCountMax) <= diskByteCount / 8 * 5)
        }
    }
}
