import LeatCore
import LeatParsing
import LeatTesting
import Testing

@testable import LeatAgent

/// The inputs that look at the machine, on the machine that runs the test.
struct SamplingInputTests {
    static let inputs: [(keys: String, beginning: String)] = [
        ("Name cpu", #"{"cpu_p":"#), ("Name mem", #"{"Mem.total":"#), ("Name disk", #"{"read_size":"#),
        ("Name netif\nInterface lo\nTest_At_Init On", #"{"lo.rx.bytes":"#),
        ("Name proc\nProc_Name no-such-program", #"{"alive":false,"proc_name":"no-such-program","pid":-1}"#),
        ("Name head\nFile /proc/uptime\nKey uptime", #"{"uptime":""#), ("Name random\nSamples 2", #"{"rand_value":"#),
    ]

    private static func configuration(_ keys: String, _ world: AgentWorld) -> String {
        """
        [SERVICE]
            Flush 0.01
        [INPUT]
            Interval_Sec 0
            Interval_NSec 2000000
        \(keys.split(separator: "\n").map { "    \($0)" }.joined(separator: "\n"))
        [OUTPUT]
            Name file
            Match *
            Format plain
            Path \(world.folder.path)
            File out.jsonl
        """
    }

    @Test(arguments: inputs)
    func everyIntervalMakesAnEvent(keys: String, beginning: String) throws {
        try withTemporaryFolder { folder in
            let world = try AgentWorld(folder)
            let agent = try world.start(Self.configuration(keys, world))
            let lines = try world.lines("out.jsonl", count: 2)
            #expect(lines.allSatisfy { $0.hasPrefix(beginning) && $0.hasSuffix("}") }, "\(lines)")
            agent.stop()
        }
    }

    @Test
    func whatAnInputNeedsIsSaidBeforeItRuns() throws {
        try withTemporaryFolder { folder in
            let world = try AgentWorld(folder)
            for (name, key) in [("netif", "interface"), ("proc", "proc_name"), ("head", "file")] {
                let problems = try world.problems(of: Self.configuration("Name \(name)", world))
                #expect(problems.contains("the input \(name) needs \(key)"), "\(problems)")
            }
            let problems = try world.problems(of: Self.configuration("Name thermal\nName_Regex (", world))
            #expect(problems.contains("Name_Regex ("), "\(problems)")
            #expect(throws: InputError.self) {
                try world.start(Self.configuration("Name netif\nInterface none9\nTest_At_Init On", world))
            }
        }
    }

    @Test
    func aFileThatIsMissingStopsNothingAndIsSaidOnce() throws {
        try withTemporaryFolder { folder in
            let world = try AgentWorld(folder)
            try world.start(Self.configuration("Name head\nFile \(folder.path("late"))", world))
            try world.turn("the log says so") { world.lines("agent.log").contains { $0.contains("late") } }
            try folder.write("late", "here")
            #expect(try world.lines("out.jsonl", count: 1).first == #"{"head":"here"}"#)
            #expect(world.lines("agent.log").count == 1)
        }
    }

    @Test(arguments: [
        ("", "1", Duration.seconds(1) + .nanoseconds(1)), ("3", "0", .seconds(3)),
        ("0", "500000000", .milliseconds(500)),
        ("1", "500000000", .milliseconds(1_500)), ("0", "0", .seconds(1)), ("-1", "0", .seconds(1)),
        ("0", "1", .milliseconds(1)),
    ])
    func bothKeysMakeTheInterval(seconds: String, nanoseconds: String, interval: Duration) throws {
        var section = Section(kind: "INPUT", mark: .nowhere)
        for (key, value) in [("interval_sec", seconds), ("interval_nsec", nanoseconds)] where !value.isEmpty {
            section.entries.append(Section.Entry(key: key, value: value, keyMark: .nowhere, valueMark: .nowhere))
        }
        let known = try #require(PluginTable.find(.input, "random"))
        #expect(Settings(section, keys: known.keys).interval == interval)
    }
}
