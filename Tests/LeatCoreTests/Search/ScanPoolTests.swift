import Glibc
import LeatTesting
import Testing

@testable import LeatCore

@Suite struct ScanPoolTests {
    @Test(arguments: [1, 2, 5], [0, 1, 2, 1_000])
    func everyPieceIsDoneOnceByAWorkerOfItsOwn(workers: Int, count: Int) {
        let pool = ScanPool(threadCount: 4)
        let done = Monitor<[Int]>([])
        let busy = Monitor<Set<Int>>([])
        let clashes = Monitor(0)
        pool.run(count: count, workers: workers) { worker, index in
            if !busy.update({ $0.insert(worker).inserted }) { clashes.update { $0 += 1 } }
            done.update { $0.append(index) }
            busy.update { _ = $0.remove(worker) }
            return .more
        }
        #expect(done.read { $0.sorted() } == Array(0..<count))
        #expect(clashes.read { $0 } == 0)
    }

    @Test func enoughEndsTheScan() {
        let count = Monitor(0)
        ScanPool(threadCount: 2).run(count: 1_000_000, workers: 2) { _, index in
            count.update { $0 += 1 }
            return index >= 10 ? .enough : .more
        }
        #expect(count.read { $0 } < 1_000)
    }

    /// Waits until so many scans have come to a pool.
    private static func wait(for count: Int, in pool: ScanPool) { while pool.scanCount < count { sched_yield() } }

    /// One thread, and a long scan that began first: a short one gets its turn after each piece.
    @Test func aShortScanDoesNotWaitForALongOne() {
        let pool = ScanPool(threadCount: 1)
        let order = Monitor<[String]>([])
        let long = WorkerThread(name: "long") {
            pool.run(count: 100, workers: 2) { _, index in
                if index == 0 { Self.wait(for: 2, in: pool) }
                order.update { $0.append("long") }
                return .more
            }
        }
        Self.wait(for: 1, in: pool)
        pool.run(count: 2, workers: 2) { _, _ in
            order.update { $0.append("short") }
            return .more
        }
        long.join()
        // The thread may have taken the next long piece just before the short scan came.
        let begun = order.read { $0.firstIndex(of: "short") ?? 0 }
        #expect((1...2).contains(begun))
        #expect(order.read { $0.dropFirst(begun).prefix(3) } == ["short", "long", "short"])
        #expect(order.read { $0.count } == 102)
    }

    /// Of what waits, queries that have used much come last.
    @Test func queriesThatUsedLittleGoFirst() {
        let pool = ScanPool(threadCount: 1)
        let order = Monitor<[Bool]>([])
        let blocker = WorkerThread(name: "blocker") {
            pool.run(count: 2, workers: 2) { _, index in
                if index == 0 { Self.wait(for: 3, in: pool) }
                return .more
            }
        }
        Self.wait(for: 1, in: pool)
        let scans = [true, false].map { isBackground in
            WorkerThread(name: "scan") {
                pool.run(count: 50, workers: 2, account: ScanAccount(isBackground: isBackground)) { _, _ in
                    order.update { $0.append(isBackground) }
                    return .more
                }
            }
        }
        blocker.join()
        for scan in scans { scan.join() }
        let pieces = order.read { $0 }
        #expect(pieces.prefix(50).allSatisfy { !$0 })
        #expect(pieces.dropFirst(50).allSatisfy { $0 })
        #expect(pieces.count == 100)
    }

    /// A query that goes on for long becomes one of those that come last.
    @Test func useIsCounted() {
        let account = ScanAccount()
        account.add(ScanAccount.interactiveNanoseconds - 1)
        #expect(!account.isBackground)
        account.add(1)
        #expect(account.isBackground)
    }
}
