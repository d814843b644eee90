import LeatCore
import LeatTesting
import Synchronization
import Testing

@Suite struct BlockingPoolTests {
    @Test func resultsAndErrorsComeBack() async throws {
        let pool = BlockingPool(name: "test", threadCount: 2)
        let results = await withTaskGroup(of: Int.self) { group in
            for number in 0..<200 {
                group.addTask { await pool.run { number * 2 } }
            }
            var sum = 0
            for await result in group { sum += result }
            return sum
        }
        #expect(results == 199 * 200)
        let failing: @Sendable () throws(FileSystemError) -> Int = { () throws(FileSystemError) -> Int in
            throw FileSystemError(operation: "test", path: "x", code: 5)
        }
        await #expect(throws: FileSystemError(operation: "test", path: "x", code: 5)) {
            try await pool.run(failing)
        }
    }

    @Test func aReleasedPoolFinishesItsWork() throws {
        let done = Counter()
        do {
            let pool = BlockingPool(name: "test", threadCount: 1)
            for _ in 0..<50 { pool.start { done.add() } }
        }
        try eventually("all work is done") { done.value == 50 }
    }

    @Test func threadsRunTheirBodyOnce() {
        let done = Counter()
        let threads = (0..<8).map { _ in WorkerThread(name: "a name that is too long") { done.add() } }
        for thread in threads { thread.join() }
        #expect(done.value == 8)
        #expect(WorkerThread.processorCount >= 1)
    }
}

private final class Counter: Sendable {
    private let count = Atomic<Int>(0)
    var value: Int { self.count.load(ordering: .sequentiallyConsistent) }
    func add() { self.count.add(1, ordering: .sequentiallyConsistent) }
}
