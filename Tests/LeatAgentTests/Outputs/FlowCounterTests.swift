import LeatCore
import LeatTesting
import Testing

@testable import LeatAgent

/// What `flowcounter` prints, and when.
struct FlowCounterTests {
    private static let second: Int64 = 1_000_000_000

    /// Events of ten bytes at these seconds.
    private static func events(_ seconds: [Int64]) -> EventList {
        var events = EventList()
        for time in seconds {
            events.bytes += Array(#""n":"1234""#.utf8)
            events.endEvent(time: time * Self.second)
        }
        return events
    }

    @Test
    func aUnitIsPrintedWhenTheClockHasPassedIt() {
        var flow = FlowCounter(unit: .minute, usesEventTimes: false)
        #expect(flow.clockEnd == nil && flow.finishUnit() == nil)
        #expect(flow.take(Self.events([1, 2]), now: 125 * Self.second) == [])
        #expect(flow.clockEnd == 180 * Self.second)
        #expect(flow.take(Self.events([3]), now: 179 * Self.second) == [])
        let line = #"[out_flowcounter] [180, {"counts":3, "bytes":30, "counts/minute":0, "bytes/minute":0 }]"#
        #expect(flow.take(Self.events([4]), now: 180 * Self.second) == [line])
        // An hour without events prints nothing.
        let next = #"[out_flowcounter] [240, {"counts":1, "bytes":10, "counts/minute":0, "bytes/minute":0 }]"#
        #expect(flow.take(Self.events([5]), now: 3_840 * Self.second) == [next])
    }

    @Test
    func theEventsOwnTimesCountOnDemand() {
        var flow = FlowCounter(unit: .second, usesEventTimes: true)
        #expect(
            flow.take(Self.events([10, 10, 11, 9, 13]), now: 0) == [
                #"[out_flowcounter] [11, {"counts":2, "bytes":20, "counts/second":2, "bytes/second":20 }]"#,
                #"[out_flowcounter] [12, {"counts":2, "bytes":20, "counts/second":2, "bytes/second":20 }]"#,
            ]
        )
        #expect(flow.clockEnd == nil)
        #expect(flow.finishUnit()?.hasPrefix("[out_flowcounter] [14, ") == true)
        #expect(flow.take(Self.events([-1]), now: 0) == [])
        #expect(flow.finishUnit()?.hasPrefix("[out_flowcounter] [0, ") == true)
    }

    @Test
    func theLastUnitIsPrintedByTheTimerOrTheEnd() throws {
        let time = ManualTime()
        let loop = try EventLoop(time: time)
        var lines: [String] = []
        let output = DirectOutput(
            name: "flowcounter.0",
            display: .flow(FlowCounter(unit: .second, usesEventTimes: false)),
            loop: loop,
            print: { lines.append($0) }
        )
        output.take(Self.events([1]))
        loop.turn(waitsAtMost: .zero)
        #expect(lines == [])
        time.advance(by: .seconds(1))
        loop.turn(waitsAtMost: .zero)
        #expect(lines.count == 1)
        // No timer runs while nothing comes.
        time.advance(by: .seconds(10))
        loop.turn(waitsAtMost: .zero)
        #expect(lines.count == 1)
        output.take(Self.events([1]))
        output.close()
        #expect(lines.count == 2)
        #expect(output.counters.deliveredEvents == 2)
    }

    @Test
    func aConfigurationChoosesTheUnit() throws {
        try withTemporaryFolder { folder in
            let world = try AgentWorld(folder)
            let problems = try world.problems(
                of: "[INPUT]\n    Name random\n[OUTPUT]\n    Name flowcounter\n    Match *\n    Unit week\n"
            )
            #expect(problems.contains("'week' is no value of unit"), "\(problems)")
            let agent = try world.start(
                "[INPUT]\n    Name random\n[OUTPUT]\n    Name flowcounter\n    Match *\n    Unit second\n"
            )
            #expect(agent.directOutputs[0] != nil && agent.queues.isEmpty)
        }
    }
}
