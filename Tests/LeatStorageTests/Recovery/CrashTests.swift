import Glibc
import LeatCore
import LeatTesting
import Testing

@testable import LeatStorage

/// Any legal end of any operation, and what must be found after it.
struct CrashTests {
    /// Crash points: some here, many in the long mode.
    static let pointCount = getenv("LEAT_LONG") == nil ? 5_000 : 100_000

    /// The seeds in parts of the same size, so that a long run uses all cores and shows how far it is.
    static let partCount = 10

    /// Journal, seal, merge, retention, deletion and backup, each of which may be cut off at each of its operations.
    @Test(arguments: 0..<partCount) func nothingAcknowledgedIsLostAtAnyCrash(_ part: Int) async throws {
        let crashesPerSeed = 10
        let seedCount = Self.pointCount * 9 / 10 / crashesPerSeed / Self.partCount
        for seed in UInt64(part * seedCount)..<UInt64((part + 1) * seedCount) {
            var run = CrashRun(seed: seed)
            var store = try run.open()
            try store.createRepository("r", retention: CrashRun.keepingAll)
            for _ in 0..<crashesPerSeed {
                run.disk.die(after: Int.random(in: 1...40, using: &run.random))
                if run.random.next() % 4 == 0 { run.disk.fail(after: Int(run.random.next() % 10) + 1, with: ENOSPC) }
                await run.work(store)
                store.abandon()
                run.disk = run.disk.crashed(&run.random)
                store = try run.open()
                try run.check(store)
            }
            store.abandon()
        }
    }

    /// A crash in the middle of a recovery is one like any other.
    @Test func recoveryMayBeInterrupted() async throws {
        let crashesPerSeed = 5
        for seed in 0..<UInt64(Self.pointCount / 10 / crashesPerSeed) {
            var run = CrashRun(seed: seed + 1_000_000)
            var store = try run.open()
            try store.createRepository("r", retention: CrashRun.keepingAll)
            await run.work(store)
            store.abandon()
            for step in 1...crashesPerSeed {
                run.disk = run.disk.crashed(&run.random)
                run.disk.die(after: step)
                do {
                    store = try run.open()
                    try store.compact()
                    store.abandon()
                } catch {
                    // It died; the next one finds what it left.
                }
            }
            run.disk = run.disk.crashed(&run.random)
            store = try run.open()
            try run.check(store)
            store.abandon()
        }
    }

    /// Seal, merge and deletion meet a full disk at each of their operations: nothing is lost, and they go on by themselves.
    @Test(arguments: ["seal", "merge", "delete"]) func aFullDiskOnlyDelays(_ work: String) async throws {
        var step = 1
        var isDone = false
        while !isDone {
            var run = CrashRun(seed: UInt64(step) + 2_000_000)
            let store = try run.open()
            try store.createRepository("r", retention: CrashRun.keepingAll)
            for round in 0..<6 {
                await run.append(store)
                if work != "seal" || round < 3 { try store.seal() }
            }
            let before = run.disk.operationCount
            run.disk.fail(after: step, with: ENOSPC)
            do {
                try run.perform(work, store)
                isDone = run.disk.operationCount - before < step
            } catch {
                #expect("\(error)".contains("No space left"), "\(work), operation \(step)")
            }
            run.disk.failNoMore()
            try run.check(store)
            try run.perform(work, store)
            try run.check(store)
            store.abandon()
            let again = try run.open()
            try run.check(again)
            again.abandon()
            step += 1
        }
        #expect(step > 5)
    }
}
