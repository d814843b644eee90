import LeatCore
import LeatTesting
import Synchronization
import Testing

@testable import LeatQuery

/// Queries end when they are told to, wherever they are.
struct EndingTests {
    /// A block that does something when it is read.
    final class Block: BlockSource {
        private let batch: Batch
        private let onRead: @Sendable () -> Void

        init(_ batch: Batch, onRead: @escaping @Sendable () -> Void) {
            self.batch = batch
            self.onRead = onRead
        }

        var rowCount: Int { self.batch.rowCount }
        var byteCount: Int { 100 }
        var timeRange: ClosedRange<Int64> { EventLoading.defaultTime...EventLoading.defaultTime }
        func mayMatch(_ prefilter: Prefilter) -> Bool { true }

        func read() -> Batch {
            self.onRead()
            return self.batch
        }
    }

    /// What a read does to the run that it belongs to, once there is one.
    final class Hook: Sendable {
        private let run = Mutex<QueryRun?>(nil)
        private let readCount = Atomic<Int>(0)

        var reads: Int { self.readCount.load(ordering: .relaxed) }

        func set(_ run: QueryRun) { self.run.withLock { $0 = run } }

        func onRead(_ number: Int, _ act: @escaping @Sendable (QueryRun) -> Void) -> @Sendable () -> Void {
            return {
                guard self.readCount.add(1, ordering: .relaxed).newValue == number else { return }
                if let run = self.run.withLock({ $0 }) { act(run) }
            }
        }
    }

    private static func run(
        _ query: String,
        _ lines: [String],
        blockCount: Int,
        onRead number: Int,
        _ act: @escaping @Sendable (QueryRun) -> Void
    ) throws -> (run: QueryRun, hook: Hook) {
        let hook = Hook()
        let batch = try EventLoading.batch(lines)
        let options = QueryOptions(now: Timestamp(nanoseconds: EventLoading.defaultTime + 1))
        let plan = try QueryPlan(try QueryParser.parse(query), options: options)
        let blocks = (0..<blockCount).map { _ in Block(batch, onRead: hook.onRead(number, act)) }
        let run = QueryRun(plan, over: blocks)
        hook.set(run)
        return (run, hook)
    }

    @Test func aStoppedRunAnswersWhatItHasSeen() throws {
        let (run, hook) = try Self.run("count()", [#"{"a":1}"#], blockCount: 50, onRead: 3) { $0.stop() }
        let result = try run.run(threads: 1)
        #expect(result.fields(row: 0).first?.value == "3")
        #expect(hook.reads == 3)
        #expect(run.progress.blockCount == 3)
    }

    @Test func aCancelledRunEndsWithinABlock() throws {
        let (run, hook) = try Self.run("count()", [#"{"a":1}"#], blockCount: 50, onRead: 3) { $0.cancel() }
        #expect(throws: QueryFailure.cancelled) { try run.run(threads: 1) }
        #expect(hook.reads <= 4)
    }

    static let subqueries = [
        "join({ a=1 }, field=a) | count()",
        "defineTable({ a=1 }, name=t, include=a) | match(table=t, field=a) | count()",
        "selfJoinFilter(a, where=[{ a=1 }]) | count()",
    ]

    @Test(arguments: subqueries)
    func aSubqueryEndsWithItsQuery(_ query: String) throws {
        // The first read is one of the query, the further ones are of the sub-query.
        let (run, hook) = try Self.run(query, [#"{"a":1}"#], blockCount: 50, onRead: 5) { $0.cancel() }
        #expect(throws: QueryFailure.cancelled) { try run.run(threads: 1) }
        #expect(hook.reads < 10)
    }

    /// When a run was cancelled.
    final class CancelMoment: Sendable {
        let moment = Mutex<ContinuousClock.Instant?>(nil)
    }

    /// Texts on which the expression takes many steps each, but not too many.
    static let slowLines = (0..<20_000).map { "{\"t\":\"\(String(repeating: "a", count: 14))\($0)\"}" }
    /// The back-reference keeps faster engines away.
    static let slowQueries = [
        #"t = /^(a+)+\1$/ | count()"#, #"not t = /^(a+)+\1$/ | count()"#,
        #"regex("^(?<x>(a+)+)\\2$", field=t) | count()"#, #"replace("^(a+)+\\1$", field=t) | count()"#,
        #"case { t = /^(?<x>a+)+\1$/ | y := x; * } | count()"#,
    ]

    @Test(arguments: slowQueries)
    func aSlowExpressionEndsWithinASecond(_ query: String) throws {
        let clock = ContinuousClock()
        let cancelled = CancelMoment()
        let (run, _) = try Self.run(query, Self.slowLines, blockCount: 1, onRead: 1) { run in
            // Another thread cancels while the expression is at work.
            _ = WorkerThread(name: "cancel") {
                cancelled.moment.withLock { $0 = clock.now }
                run.cancel()
            }
        }
        do throws(QueryFailure) {
            _ = try run.run(threads: 1)
        } catch {
            #expect(error == .cancelled || "\(error)".contains("too many steps"), "\(error)")
        }
        let since = cancelled.moment.withLock { $0 }.map { clock.now - $0 }
        #expect(since.map { $0 < .seconds(1) } ?? true, "it took \(String(describing: since))")
    }
}
