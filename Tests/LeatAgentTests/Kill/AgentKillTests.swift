import LeatCore
import LeatTesting
import Testing

@testable import LeatAgent

/// A whole agent, from rotating files to a bulk server, that is killed at chosen writes of one run.
@Suite struct AgentKillTests {
    /// Between two kills, in writes.
    static let interval = isLongRun ? 100 : 1_000
    /// Writes of the run, all lives together.
    static let writeCountMin = isLongRun ? 40_000 : 5_000

    /// Lines by themselves, and those that the filter `multiline` joins.
    @Test(arguments: KilledAgent.Content.allCases)
    func everyLineIsStoredOnceWhenTheAgentIsKilledAtEveryThousandthWrite(content: KilledAgent.Content) throws {
        try withTemporaryFolder { folder in
            var world = KilledAgent(folder, content)
            // The first kill is at the first write of all, the next ones at the 1000th, 2000th, …
            try world.live(writeCount: 1)
            var writeCount = 1
            while writeCount < Self.writeCountMin {
                let next = writeCount == 1 ? Self.interval - 1 : Self.interval
                try world.live(writeCount: next)
                writeCount += next
            }
            try world.finish()
            #expect(world.killCount == 1 + Self.writeCountMin / Self.interval)
            #expect(world.lineCount > Self.writeCountMin / 20)
            let mistakes = world.mistakes
            #expect(mistakes == [], "\(mistakes.count) mistakes")
        }
    }
}

/// Stores batches once by their key, as our server does.
private final class KeyedStore {
    /// How often each line was stored.
    private(set) var counts: [String: Int] = [:]
    private var keys: Set<String> = []
    private(set) var repeatCount = 0

    func take(_ request: ReceivedRequest) {
        guard let key = request.headers["x-leat-batch"] else { return }
        guard self.keys.insert(key).inserted else {
            self.repeatCount += 1
            return
        }
        // A joined text has several lines.
        for text in request.body.split(separator: UInt8(ascii: "<")).dropFirst() {
            self.counts[String(decoding: text.prefix { $0 != UInt8(ascii: ">") }, as: UTF8.self), default: 0] += 1
        }
    }
}

/// Lives of one agent after another, on one state folder and the same growing files.
struct KilledAgent {
    /// What the lines are.
    enum Content: String, CaseIterable {
        /// Texts by themselves.
        case plain
        /// Some lines belong to the line before.
        case traces
        /// Messages that docker has split in three.
        case parts
    }

    private let folder: TemporaryFolder
    private let disk = SimulatedFileSystem()
    private let store = KeyedStore()
    private(set) var lineCount = 0
    private(set) var killCount = 0
    private var random = SeededRandom(seed: 20_261_130)
    private static let fileCount = 3
    private let content: Content

    init(_ folder: TemporaryFolder, _ content: Content) {
        self.folder = folder
        self.content = content
    }

    /// Runs until so many writes have been begun, the last of which kills the agent.
    mutating func live(writeCount: Int) throws {
        let mortal = MortalDisk(self.disk, writeCount: writeCount)
        let life = try Life(self.folder, mortal, self.store, self.content)
        try eventually(within: .seconds(120), "write \(writeCount)") {
            for _ in 0..<50 where !mortal.isOver {
                try self.appendLines()
                life.loop.turn(waitsAtMost: .milliseconds(1))
            }
            return mortal.isOver
        }
        self.killCount += 1
        life.end()
    }

    /// Runs without further lines until all are delivered.
    mutating func finish() throws {
        let mortal = MortalDisk(self.disk, writeCount: .max)
        let life = try Life(self.folder, mortal, self.store, self.content)
        let count = self.lineCount
        let store = self.store
        try eventually(within: .seconds(60), "all \(count) lines") {
            life.loop.turn(waitsAtMost: .milliseconds(5))
            return store.counts.count >= count && life.isIdle
        }
        mortal.end()
        life.end()
    }

    /// Appends a few lines to one of the files, which is rotated now and then.
    private mutating func appendLines() throws {
        let name = "\(Int.random(in: 0..<Self.fileCount, using: &self.random)).log"
        var text = ""
        for _ in 0..<Int.random(in: 1...3, using: &self.random) {
            text += self.line(self.lineCount)
            self.lineCount += 1
        }
        let disk = PosixFileSystem()
        let file = try disk.open(self.folder.path(name), .readWrite)
        defer { file.close() }
        try file.write([ByteSlice(Array(text.utf8))], at: try file.status().byteCount)
        if Int.random(in: 0..<100, using: &self.random) == 0 {
            try disk.rename(self.folder.path(name), to: self.folder.path("\(name).\(self.lineCount)"))
        }
    }

    /// A line with its number, perhaps the beginning of a trace or a further line of one, or a part of a message.
    private mutating func line(_ number: Int) -> String {
        switch self.content {
        case .plain: return "<\(number)>\n"
        case .traces:
            return ["plain <\(number)>\n", "Error: <\(number)>\n", "\tat <\(number)>\n"]
                .randomElement(using: &self.random) ?? ""
        case .parts:
            let marks =
                #""partial_message":"true","partial_id":"\#(number / 3)","partial_ordinal":"\#(number % 3 + 1)""#
            return #"{"log":"<\#(number)>",\#(marks),"partial_last":"\#(number % 3 == 2)"}"# + "\n"
        }
    }

    /// Lines that are not stored exactly once.
    var mistakes: [String] {
        (0..<self.lineCount).compactMap { number in
            let count = self.store.counts["\(number)"] ?? 0
            return count == 1 ? nil : "line \(number) is stored \(count) times"
        }
    }

    /// One process: its loop, its agent and the listener of the server.
    private final class Life {
        let loop: EventLoop
        private var agent: Agent?
        private let listener: HTTPListener

        init(_ folder: TemporaryFolder, _ disk: MortalDisk, _ store: KeyedStore, _ content: Content) throws {
            let loop = try EventLoop(time: SystemTime())
            self.loop = loop
            self.listener = try HTTPListener(StreamServer.Options(host: "127.0.0.1"), loop: loop) { request, respond in
                // A request that the agent sent before its end arrives all the same.
                store.take(request)
                respond(.json(#"{"errors":false}"#))
            }
            let text = Self.configuration(folder, port: self.listener.port, content)
            let path = try folder.write("agent.conf", text)
            let configuration = try ConfigurationReader(files: disk, environment: [:]).read(path: path)
            let log = AgentLog(level: nil, descriptor: 2, time: loop.time)
            let factory = AgentFactory(configuration: configuration, loop: loop, disk: disk, log: log)
            var check = ConfigurationCheck(configuration, disk: disk)
            guard let checked = check.run() else { throw Diagnostics(check.diagnostics) }
            let names = BufferFileNames(folder: MortalDisk.folder)
            do {
                try disk.createDirectory(names.folder)
                let agent = try factory.make(checked, names: names)
                try agent.start()
                self.agent = agent
            } catch {
                // Killed while it started.
                guard disk.isOver else { throw error }
            }
        }

        var isIdle: Bool { self.agent?.queues.values.allSatisfy(\.isDone) ?? true }

        /// The process is gone, with its connections.
        func end() {
            self.listener.close()
            for queue in self.agent?.queues.values.map({ $0 }) ?? [] { queue.sender.close() }
            for input in self.agent?.inputs ?? [] { input.stop() }
            self.agent = nil
        }

        /// Joins what belongs together; `Flush_ms` is short, so that time ends many of them too.
        private static func joining(_ content: Content) -> String {
            guard content != .plain else { return "" }
            let mode = content == .traces ? "Multiline.Parser java" : "Mode partial_message"
            return """
                [FILTER]
                    Name multiline
                    Match *
                    Multiline.Key_Content log
                    \(mode)
                    Flush_ms 20
                """
        }

        private static func configuration(_ folder: TemporaryFolder, port: Int, _ content: Content) -> String {
            """
            [SERVICE]
                Flush 0.001
                storage.sync full
            [INPUT]
                Name tail
                Path \(folder.path)/*.log
                Read_from_Head On
                \(content == .parts ? "Parser lines" : "")
            [PARSER]
                Name lines
                Format json
            \(self.joining(content))
            [OUTPUT]
                Name es
                Match *
                Host 127.0.0.1
                Port \(port)
                Suppress_Type_Name On
            """
        }
    }
}
