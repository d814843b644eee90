import LeatCore
import LeatTesting
import Testing

@testable import LeatAgent

/// Files that are written, renamed, compressed and removed between any two calls of the agent, from a seed.
@Suite struct RotationRaceTests {
    static let seeds = UInt64(1)...(isLongRun ? 300 : 4)

    /// How logs are rotated and followed.
    struct Case: CustomTestStringConvertible {
        /// Whether the rotated files have names that are followed too.
        let pattern: String
        let style: RotatedLog.Style
        /// Whether names are looked at by a timer, without notifications.
        let polls: Bool

        var testDescription: String { "\(self.pattern) \(self.style)\(self.polls ? " polls" : "")" }
    }

    static let cases = ["*.log", "*.log*"].flatMap { pattern in
        RotatedLog.Style.allCases.flatMap { style in
            [false, true].map { Case(pattern: pattern, style: style, polls: $0) }
        }
    }

    @Test(arguments: cases)
    func everyLineIsDeliveredOnce(_ rotation: Case) throws {
        for seed in Self.seeds {
            var race = try RotationRace(seed: seed, rotation)
            try race.run()
            #expect(race.mistakes == [], "seed \(seed)\n\(race.story)")
        }
    }
}

/// One run: logs that are rotated, and an agent that is started anew now and then.
private struct RotationRace {
    private let world: TailWorld
    private let disk = MeddledDisk()
    private let logs: [RotatedLog]
    private let rotation: RotationRaceTests.Case
    private var random: SeededRandom

    init(seed: UInt64, _ rotation: RotationRaceTests.Case) throws {
        self.random = SeededRandom(seed: seed)
        let world = try TailWorld(try TemporaryFolder())
        self.world = world
        try PosixFileSystem().createDirectory(world.folder.path(RotatedLog.movedFolder))
        self.rotation = rotation
        self.logs = ["a.log", "b.log"].map { name in
            RotatedLog(
                folder: world.folder.path,
                name: name,
                style: rotation.style,
                random: SeededRandom(seed: seed &* 31 &+ UInt64(name.utf8.first ?? 0)),
                isDelivered: { world.counts[$0] != nil }
            )
        }
        world.disk = self.disk
    }

    mutating func run() throws {
        var random = self.random
        let logs = self.logs
        var failure: (any Error)?
        // Without an end the agent would find new files for ever.
        var stepCount = 0
        self.disk.meddle = {
            guard stepCount < 500 else { return }
            // Mostly nothing, sometimes a step, now and then so many that a log is rotated more than once.
            let chance = Int.random(in: 0..<20, using: &random)
            let count = chance < 16 ? 0 : chance < 19 ? 1 : Int.random(in: 5...25, using: &random)
            stepCount += count
            do {
                for _ in 0..<count { try logs.randomElement(using: &random)?.step() }
            } catch {
                failure = failure ?? error
            }
        }
        // What had a name before the first run ever looked is nobody's.
        let meddle = self.disk.meddle
        self.disk.meddle = {}
        try self.start()
        for log in self.logs { try log.begin() }
        self.world.pass(.seconds(2))
        self.disk.meddle = meddle
        for _ in 0..<60 { try self.live() }
        for log in self.logs { try log.finish() }
        self.disk.meddle = {}
        if let failure { throw failure }
        self.world.pass(.seconds(5))
        // Renamed files are closed, and nothing of them may come again.
        self.world.pass(.seconds(65))
        self.world.stop()
    }

    private func start() throws {
        let pattern = self.world.folder.path(self.rotation.pattern)
        let polls = self.rotation.polls
        try self.world.start { options in
            options.paths = [pattern]
            options.polls = polls
        }
    }

    /// A moment of the agent's life, or its end and the next one's beginning.
    private mutating func live() throws {
        if Int.random(in: 0..<12, using: &self.random) == 0 {
            self.world.stop()
            for log in self.logs { log.isUnobserved = true }
            for _ in 0..<Int.random(in: 0...30, using: &self.random) {
                try self.logs.randomElement(using: &self.random)?.step()
            }
            for log in self.logs { log.isUnobserved = false }
            try self.start()
        }
        for _ in 0..<Int.random(in: 0...2, using: &self.random) {
            try self.logs.randomElement(using: &self.random)?.step()
        }
        self.world.time.advance(by: .milliseconds(Int.random(in: 0...40, using: &self.random)))
        self.world.loop.turn(waitsAtMost: .zero)
    }

    /// Lines that did not come, or came twice.
    var mistakes: [String] {
        let lines = self.logs.flatMap(\.lines)
        let wrong = lines.filter { self.world.counts[$0] != 1 }.map { "\($0): \(self.world.counts[$0] ?? 0) times" }
        let invented = self.world.counts.keys.filter { !Set(lines).contains($0) }
        return wrong + invented
    }

    var story: String { self.logs.flatMap(\.history).joined(separator: "\n") }
}
