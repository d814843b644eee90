import LeatCore
import LeatParsing
import Testing

@testable import LeatAgent

/// The filters that route, drop or hold events.
struct FlowFilterTests {
    @Test
    func rewriteTagSendsEventsElsewhere() throws {
        var run = try FilterRun(
            "Name rewrite_tag\nRule $log ^(err)or new.$1.$TAG[1].$k['x'] false\nRule log copy copied true"
        )
        let kept = run.apply([#"{"log":"error","k":{"x":"y"}}"#, #"{"log":"copy"}"#, #"{"log":"other"}"#])
        #expect(kept == [#"{"log":"copy"}"#, #"{"log":"other"}"#])
        #expect(run.rerouted.map(\.tag) == ["new.err.tag.y", "copied"])
        #expect(run.rerouted.map(\.record) == [#"{"log":"error","k":{"x":"y"}}"#, #"{"log":"copy"}"#])
    }

    @Test(arguments: [#"$sub["n"]"#, "$sub['n']"])
    func rewriteTagReadsFieldsInBothKindsOfQuotes(field: String) throws {
        var run = try FilterRun("Name rewrite_tag\nRule $log x new.\(field).\(field)-end false")
        #expect(run.apply([#"{"log":"x","sub":{"n":"y.z"}}"#]).isEmpty)
        #expect(run.rerouted.map(\.tag) == ["new.y.z.y.z-end"])
    }

    @Test
    func rewriteTagDoesNotGoRound() throws {
        var run = try FilterRun("Name rewrite_tag\nRule log . $TAG false")
        #expect(run.apply([#"{"log":"x"}"#]) == [#"{"log":"x"}"#])
        #expect(run.rerouted.isEmpty)
        #expect(run.warnings.count == 1)
    }

    @Test
    func throttleDropsAboveTheRate() throws {
        var run = try FilterRun("Name throttle\nRate 2\nWindow 3\nInterval 1s")
        let records = [String](repeating: "{}", count: 10)
        #expect(run.apply(records).count == 6)
        #expect(run.apply(records).count == 0)
        run.time.nanoseconds += 1_000_000_000
        #expect(run.apply(records).count == 0)
        run.time.nanoseconds += 2_000_000_000
        #expect(run.apply(records).count == 6)
    }

    static let trace = [
        #"{"log":"INFO","stream":"stdout","n":1}"#, #"{"log":"Error: x","stream":"stderr","n":2}"#,
        #"{"log":"between\n","stream":"stdout","n":3}"#, #"{"log":"\tat y\n","stream":"stderr","n":4}"#,
        #"{"log":5,"stream":"stderr","n":5}"#,
    ]

    @Test
    func multilineJoinsEventsOfOneStream() throws {
        var run = try FilterRun(
            "Name multiline\nMultiline.Key_Content log\nMultiline.Parser java, python\nFlush_ms 1000"
        )
        #expect(run.apply(Self.trace) == [Self.trace[0], Self.trace[2], Self.trace[4]])
        #expect(run.release(all: false).isEmpty)
        run.time.nanoseconds += 1_000_000_000
        #expect(run.release(all: false) == [#"{"log":"Error: x\n\tat y","stream":"stderr","n":2}"#])
        #expect(run.release(all: true).isEmpty)
    }

    @Test
    func multilineWithoutBufferJoinsWithinACall() throws {
        var run = try FilterRun("Name multiline\nMultiline.Parser java\nBuffer Off")
        let joined = run.apply([#"{"log":"Error: x"}"#, #"{"log":"\tat y"}"#])
        #expect(joined == [#"{"log":"Error: x\n\tat y"}"#])
        #expect(run.apply([#"{"log":"Error: x"}"#]) == [#"{"log":"Error: x"}"#])
    }

    /// What the buffer would know of the held events, after each call.
    @Test
    func multilineTellsWhatItHolds() throws {
        var run = try FilterRun("Name multiline\nMultiline.Parser java\nFlush_ms 1000")
        let held = { (run: FilterRun, state: inout HeldState) -> [String] in
            let changes = run.filter.takeHeldChanges(filter: "multiline.0")
            state.apply(HeldSection(after: 0, changes: changes), of: 1)
            return state.events.flatMap { $0.value.map { String(decoding: $0.members, as: UTF8.self) } }
        }
        var state = HeldState()
        _ = run.apply([#"{"log":"Error: 1"}"#])
        #expect(held(run, &state) == [#""log":"Error: 1""#])
        _ = run.apply([#"{"log":"\tat 2"}"#])
        #expect(held(run, &state) == [#""log":"Error: 1""#, #""log":"\tat 2""#])
        #expect(run.apply([#"{"log":"Error: 3"}"#]) == [#"{"log":"Error: 1\n\tat 2"}"#])
        #expect(held(run, &state) == [#""log":"Error: 3""#])
        // A trace that comes whole between two calls was never held.
        #expect(run.apply([#"{"log":"plain"}"#]).count == 2)
        #expect(held(run, &state) == [])
        _ = run.apply([#"{"log":"Error: 4"}"#])
        #expect(held(run, &state).count == 1)
        #expect(run.release(all: true).count == 1)
        #expect(held(run, &state) == [])
    }

    @Test
    func multilineGoesOnWithWhatItHeldWhenItWasKilled() throws {
        var run = try FilterRun("Name multiline\nMultiline.Parser java\nFlush_ms 1000")
        let events = [#""log":"Error: 1""#, #""log":"\tat 2""#].map { HeldEvent(time: 7, members: Array($0.utf8)) }
        #expect(run.restore(events) == [])
        let changes = run.filter.takeHeldChanges(filter: "multiline.0")
        #expect(changes.map(\.events) == [events])
        #expect(run.apply([#"{"log":"\tat 3"}"#, #"{"log":"plain"}"#]).first == #"{"log":"Error: 1\n\tat 2\n\tat 3"}"#)
        // What it would not hold any more goes on.
        #expect(run.restore([HeldEvent(time: 7, members: Array(#""log":"x""#.utf8))]) == [#"{"log":"x"}"#])
        #expect(run.filter.takeHeldChanges(filter: "multiline.0").map(\.replaces) == [true])
    }

    @Test
    func multilineKeepsTagsApart() throws {
        var run = try FilterRun("Name multiline\nMultiline.Parser java")
        #expect(run.apply([#"{"log":"Error: x"}"#], tag: "a").isEmpty)
        #expect(run.apply([#"{"log":"\tat y"}"#], tag: "b") == [#"{"log":"\tat y"}"#])
        #expect(run.release(all: true) == [#"{"log":"Error: x"}"#])
    }
}
