import LeatCore
import LeatTesting
import Synchronization
import Testing

@testable import LeatQuery

@Suite struct QueryRunTests {
    private static func run(_ query: String) throws -> QueryRun {
        let batch = try EventLoading.batch([#"{"a":"1"}"#, #"{"a":"2"}"#, #"{"a":"1"}"#])
        let options = QueryOptions(now: Timestamp(nanoseconds: EventLoading.defaultTime + 1))
        let plan = try QueryPlan(try QueryParser.parse(query), options: options)
        return QueryRun(plan, over: (0..<5).map { _ in MemoryBlock(batch) })
    }

    /// What a query gathered goes with it: a server runs many.
    @Test(arguments: ["groupBy(a)", "a=1", "count()", "a=1 | tail(2)"])
    func aRunThatNobodyHoldsIsGone(query: String) throws {
        weak var execution: QueryExecution?
        weak var worker: AnyObject?
        do {
            let run = try Self.run(query)
            execution = run.execution
            #expect(try run.run(threads: 2).rows.count > 0)
            worker = run.execution.makeWorker { $0 }
            #expect(execution != nil && worker != nil)
        }
        #expect(execution == nil)
        #expect(worker == nil)
    }

    /// The answer takes a second for each thousand rows here; a server's threads must not wait for it.
    @Test func whoAsksMeanwhileDoesNotWaitForTheAnswer() throws {
        let batch = try EventLoading.batch((0..<1_000).map { #"{"a":"\#($0)"}"# })
        let query = try QueryParser.parse("slidingWindow(count(a), events=1000000)")
        let plan = try QueryPlan(query, options: QueryOptions(now: Timestamp(nanoseconds: .max)))
        let run = QueryRun(plan, over: (0..<60).map { _ in MemoryBlock(batch) })
        let failure = Mutex<QueryFailure?>(nil)
        let thread = WorkerThread(name: "run") {
            do throws(QueryFailure) {
                _ = try run.run(threads: 2)
            } catch {
                failure.withLock { $0 = error }
            }
        }
        try eventually { run.execution.isFinishing }
        #expect(run.progress.scan.blocksDone == 60)
        #expect(try run.partialResult().rows.count == 0)
        run.cancel()
        thread.join()
        guard case .cancelled? = failure.withLock({ $0 }) else {
            Issue.record("the answer was made before anybody could end it")
            return
        }
    }

    @Test func aStreamThatNobodyHoldsIsGone() throws {
        weak var execution: QueryExecution?
        do {
            let run = try Self.run("a=1")
            execution = run.execution
            var count = 0
            _ = try run.stream(
                threads: 2,
                render: { ($0.count, $0.count) },
                to: { (rows) throws(QueryFailure) in
                    count += rows
                    return true
                }
            )
            #expect(count == 10)
        }
        // The last worker lets go of it a moment after the answer is whole.
        try eventually { execution == nil }
    }
}
