import LeatCore
import LeatTesting
import Testing

@testable import LeatAgent

/// `leat-agent state`: what it shows of a state folder, and what it mends.
struct StateCommandTests {
    /// Two outputs to a port where nobody listens; the second gives up at once.
    private static func configuration(_ folder: TemporaryFolder) -> String {
        """
        [SERVICE]
            Flush 0.01
            Grace 0
        [INPUT]
            Name tail
            Path \(folder.path("a.log"))
            Read_From_Head On
        [OUTPUT]
            Name es
            Match *
            Host 127.0.0.1
            Port 1
        [OUTPUT]
            Name http
            Match *
            Host 127.0.0.1
            Port 1
            Retry_Limit 0
        """
    }

    /// The state folder of an agent that could deliver nothing of three lines.
    private static func makeState(_ folder: TemporaryFolder, _ world: AgentWorld) throws -> StateCommand {
        try folder.write("a.log", "one\ntwo\nthree\n")
        let agent = try world.start(Self.configuration(folder))
        try world.turn("one output gives up, the other has tried") {
            agent.queues[1]?.counters.rejectedEvents == 3 && (agent.queues[0]?.counters.errors ?? 0) > 0
        }
        agent.stop()
        return StateCommand(
            names: BufferFileNames(folder: folder.path("state-agent")),
            outputNames: ["es.0", "http.1"],
            disk: PosixFileSystem(),
            time: SystemTime()
        )
    }

    @Test
    func whatWaitsAndWhatWasRejectedIsShown() throws {
        try withTemporaryFolder { folder in
            let command = try Self.makeState(folder, try AgentWorld(folder))
            let text = try command.list()
            #expect(text.contains("\n  \(folder.path("a.log"))  byte 14 of 14\n"), "\(text)")
            #expect(text.contains("\n  es.0: 3 events in 1 chunk ("), "\(text)")
            #expect(text.contains(" bytes) wait, 1 batch begun\n"), "\(text)")
            #expect(text.contains("\n  http.1: nothing waits; 3 events rejected, see "), "\(text)")
        }
    }

    @Test
    func aRotatedFileIsShownUnderItsNewName() throws {
        try withTemporaryFolder { folder in
            let command = try Self.makeState(folder, try AgentWorld(folder))
            let path = folder.path("a.log")
            try PosixFileSystem().rename(path, to: path + ".1")
            #expect(try command.list().contains("\n  \(path), now \(path).1  byte 14 of 14\n"))
            try folder.write("a.log", "new\n")
            #expect(try command.list().contains("\n  \(path), now \(path).1  byte 14 of 14\n"))
            try PosixFileSystem().remove(path + ".1")
            #expect(try command.list().contains("\n  \(path)  byte 14\n"))
        }
    }

    @Test
    func whatIsGivenUpIsNeverSent() throws {
        try withTemporaryFolder { folder in
            let world = try AgentWorld(folder)
            let command = try Self.makeState(folder, world)
            #expect(try command.reset(output: "es.0") == 1)
            #expect(try command.list().contains("\n  es.0: nothing waits\n"))
            let agent = try world.start(Self.configuration(folder))
            try world.turn("the next start finds nothing to send") { agent.queues[0]?.isDone == true }
            #expect(agent.queues[0]?.counters.requests == 0)
            agent.stop()
        }
    }

    @Test
    func rejectedEventsAreSentAgain() throws {
        try withTemporaryFolder { folder in
            let command = try Self.makeState(folder, try AgentWorld(folder))
            #expect(try command.replay(output: "http.1") == 3)
            #expect(try command.list().contains("\n  http.1: 3 events in 1 chunk ("))
            #expect(try command.replay(output: "http.1") == 0)
        }
    }

    @Test
    func namesThatNobodyKnowsAreErrors() throws {
        try withTemporaryFolder { folder in
            let command = try Self.makeState(folder, try AgentWorld(folder))
            let wrong: [(text: String, call: () throws -> Int)] = [
                ("no output es; known: es.0, http.1", { try command.reset(output: "es") }),
                ("no output es; known: es.0, http.1", { try command.replay(output: "es") }),
                (
                    "no position of b.log; known: \(folder.path("a.log"))",
                    { try command.reset(source: "b.log") }
                ),
            ]
            for (text, call) in wrong {
                let error = try #require(throws: AgentError.self) { try call() }
                #expect(error.text == text && error.code == 66)
            }
            #expect(try command.reset(source: folder.path("a.log")) == 1)
        }
    }
}
