import LeatCore
import LeatTesting
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
        #expect(execution == nil)
    }
}
