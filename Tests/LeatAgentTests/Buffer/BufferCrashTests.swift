import Glibc
import LeatCore
import LeatTesting
import Testing

@testable import LeatAgent

/// The buffer, its cursors and its recovery against a simple model, with crashes and faults from a seed.
@Suite struct BufferCrashTests {
    static let seeds = UInt64(1)...(isLongRun ? 2_000 : 40)

    @Test func everyEventIsStoredOnceWithoutCrashes() throws {
        for seed in Self.seeds {
            let world = try BufferWorld(seed: seed)
            #expect(world.drain(), "seed \(seed)")
            let mistakes = try world.mistakes()
            #expect(mistakes == [], "seed \(seed): \(mistakes.prefix(6))")
        }
    }

    @Test func everyEventIsStoredOnceHoweverOftenTheProcessIsKilled() throws {
        for seed in Self.seeds {
            var random = SeededRandom(seed: seed &* 77)
            let world = try BufferWorld(seed: seed)
            for _ in 0..<12 {
                for _ in 0..<Int.random(in: 1...25, using: &random) { world.step() }
                try world.crash(isPowerCut: false)
            }
            #expect(world.drain(), "seed \(seed)")
            let mistakes = try world.mistakes()
            #expect(mistakes == [], "seed \(seed): \(mistakes.prefix(6))")
        }
    }

    @Test func everyEventIsStoredOnceHoweverOftenThePowerIsCut() throws {
        for seed in Self.seeds {
            var random = SeededRandom(seed: seed &* 78)
            let world = try BufferWorld(seed: seed)
            for _ in 0..<12 {
                // In the middle of an operation, not only between two steps.
                let last = world.disk.operationCount + Int.random(in: 1...40, using: &random)
                world.disk.setFaults { $0.number >= last ? .powerCut : nil }
                for _ in 0..<60 where !world.disk.isPowerCut { world.step() }
                try world.crash(isPowerCut: true)
            }
            #expect(world.drain(), "seed \(seed)")
            let mistakes = try world.mistakes()
            #expect(mistakes == [], "seed \(seed): \(mistakes.prefix(6))")
        }
    }

    /// At every n-th operation of one run, from the first to the last: the power goes, or the process is killed.
    @Test func everyEventIsStoredOnceWhereverARunEnds() throws {
        var last = 1
        var isOver = false
        while !isOver {
            let operation = last
            let isPowerCut = last % 2 == 0
            let world = try BufferWorld(seed: 4_711)
            world.disk.setFaults { $0.number >= operation ? (isPowerCut ? .powerCut : .error(EIO)) : nil }
            for _ in 0..<1_500 where world.disk.operationCount < operation { world.step() }
            isOver = world.disk.operationCount < operation
            try world.crash(isPowerCut: isPowerCut)
            #expect(world.drain(), "operation \(operation)")
            let mistakes = try world.mistakes()
            #expect(mistakes == [], "operation \(operation): \(mistakes.prefix(6))")
            last += isLongRun ? 1 : 37
        }
        #expect(last > 300)
    }

    @Test func aDiskThatFailsNowAndThenLosesNothing() throws {
        for seed in Self.seeds {
            let world = try BufferWorld(seed: seed)
            world.disk.setFaults { operation in
                // A fixed pattern of failures, different for each seed.
                var random = SeededRandom(seed: seed &+ UInt64(operation.number) &* 1_000_003)
                guard Int.random(in: 0..<10, using: &random) == 0 else { return nil }
                switch operation.kind {
                case .write: return .shortWrite(byteCount: Int.random(in: 0...30, using: &random), code: ENOSPC)
                case .sync, .rename, .create: return .error(EIO)
                default: return nil
                }
            }
            for _ in 0..<200 { world.step() }
            world.disk.setFaults(nil)
            #expect(world.drain(), "seed \(seed)")
            let mistakes = try world.mistakes()
            #expect(mistakes == [], "seed \(seed): \(mistakes.prefix(6))")
        }
    }
}
