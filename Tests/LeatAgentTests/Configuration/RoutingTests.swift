import LeatCore
import LeatTesting
import Testing

@testable import LeatAgent

/// Which events reach which output, and what ends the agent.
struct RoutingTests {
    private static func dummy(_ tag: String) -> String {
        "[INPUT]\n    Name dummy\n    Tag \(tag)\n    Samples 1\n    Dummy {\"log\":\"x\"}\n"
    }

    private static func file(_ folder: TemporaryFolder, _ name: String, match: String?) -> String {
        "[OUTPUT]\n    Name file\n    Format plain\n    Path \(folder.path)\n    File \(name)\n"
            + (match.map { "    Match \($0)\n" } ?? "")
    }

    @Test
    func anOnlyOutputWithoutMatchTakesAnOnlyInput() throws {
        try withTemporaryFolder { folder in
            let world = try AgentWorld(folder)
            try world.start(Self.dummy("a") + Self.file(folder, "out", match: nil))
            #expect(try world.lines("out", count: 1) == [#"{"log":"x"}"#])
        }
    }

    @Test
    func ofTwoOutputsTheOneWithoutMatchTakesNothing() throws {
        try withTemporaryFolder { folder in
            let world = try AgentWorld(folder)
            let outputs = Self.file(folder, "none", match: nil) + Self.file(folder, "out", match: "*")
            let agent = try world.start(Self.dummy("a") + outputs)
            _ = try world.lines("out", count: 1)
            #expect(agent.queues[0]?.counters.acceptedEvents == 0)
        }
    }

    @Test
    func tagsThatGoRoundEndWithTheLastOne() throws {
        try withTemporaryFolder { folder in
            let world = try AgentWorld(folder)
            let filters = """
                [FILTER]
                    Name rewrite_tag
                    Match a
                    Rule $log . b false
                [FILTER]
                    Name rewrite_tag
                    Match b
                    Rule $log . a false

                """
            try world.start(Self.dummy("a") + filters + Self.file(folder, "out", match: "*"))
            #expect(try world.lines("out", count: 1) == [#"{"log":"x"}"#])
        }
    }

    @Test
    func expectEndsTheAgentWithAFailure() throws {
        try withTemporaryFolder { folder in
            let world = try AgentWorld(folder)
            let filter = "[FILTER]\n    Name expect\n    Match *\n    Key_exists other\n    Action exit\n"
            let agent = try world.start(Self.dummy("a") + filter + Self.file(folder, "out", match: "*"))
            try world.turn("the end") { agent.exitCode == 255 }
            #expect(world.lines("agent.log").contains { $0.contains("error") && $0.contains("expected key_exists") })
        }
    }
}
