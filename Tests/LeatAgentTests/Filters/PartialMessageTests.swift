import LeatCore
import LeatParsing
import LeatTesting
import Testing

@testable import LeatAgent

/// `multiline` with `mode partial_message`.
struct PartialMessageTests {
    private static let settings = "Name multiline\nMode partial_message\nMultiline.Key_Content log\nFlush_ms 1000"

    private static func part(_ text: String, _ id: Int, _ ordinal: Int, isLast: Bool = false) -> String {
        #"{"log":"\#(text)","partial_message":"true","partial_id":"\#(id)","partial_ordinal":"\#(ordinal)","#
            + #""partial_last":"\#(isLast)","n":\#(ordinal)}"#
    }

    @Test func joinsThePartsOfEachId() throws {
        var run = try FilterRun(Self.settings)
        let first = run.apply([
            Self.part("one\\n", 1, 1), #"{"log":"alone"}"#, Self.part("three ", 2, 1),
            Self.part("two", 1, 2, isLast: true),
        ])
        #expect(first == [#"{"log":"alone"}"#, #"{"n":1,"log":"one\ntwo"}"#])
        #expect(run.apply([Self.part("four", 2, 2, isLast: true)]) == [#"{"n":1,"log":"three four"}"#])
        #expect(run.release(all: true).isEmpty)
    }

    /// What is no part goes through as it is.
    @Test(arguments: [
        #"{"log":"x","partial_message":"false","partial_id":"1"}"#, #"{"log":"x","partial_message":"true"}"#,
        #"{"message":"x","partial_message":"true","partial_id":"1"}"#,
        #"{"log":5,"partial_message":"true","partial_id":"1"}"#, #"{"log":"x","partial_message":"","partial_id":"1"}"#,
        "{}",
    ])
    func leavesOthersAlone(record: String) throws {
        var run = try FilterRun(Self.settings)
        #expect(run.apply([record]) == [record])
        #expect(run.filter.takeHeldChanges(filter: "multiline.0").isEmpty)
    }

    @Test func joinsInTheOrderOfTheirNumbers() throws {
        var run = try FilterRun(Self.settings)
        #expect(run.apply([Self.part("c", 1, 3, isLast: true), Self.part("a", 1, 1)]).isEmpty)
        #expect(run.apply([Self.part("b", 1, 2)]) == [#"{"n":1,"log":"abc"}"#])
        // Without numbers, and with marks that are no texts: in the order in which they came.
        let plain = { (text: String, isLast: Bool) in
            #"{"log":"\#(text)","partial_message":true,"partial_id":"2","partial_last":\#(isLast)}"#
        }
        #expect(run.apply([plain("x", false), plain("y", true)]) == [#"{"log":"xy"}"#])
    }

    @Test func timeEndsAMessageWithoutItsLastPart() throws {
        var run = try FilterRun(Self.settings)
        #expect(run.apply([Self.part("one..", 1, 1)]).isEmpty)
        run.time.nanoseconds += 600_000_000
        #expect(run.apply([Self.part("two..", 1, 2)]).isEmpty)
        run.time.nanoseconds += 600_000_000
        #expect(run.release(all: false).isEmpty)
        run.time.nanoseconds += 400_000_000
        #expect(run.release(all: false) == [#"{"n":1,"log":"one..two.."}"#])
        // At the end of the agent a message keeps its marks: whoever gets the rest can join it.
        #expect(run.apply([Self.part("one", 3, 1)]).isEmpty)
        let last = run.release(all: true)
        #expect(
            last.count == 1 && last[0].contains(#""partial_id":"3""#) && last[0].hasSuffix(#""log":"one"}"#),
            "\(last)"
        )
    }

    @Test func textsBeyondTheLimitComeInPieces() throws {
        var run = try FilterRun(Self.settings)
        run.filter = try PartialMessageFilter(run.configuration, textByteCountMax: 5)
        let out = run.apply([
            Self.part("abc", 1, 1), Self.part("de", 1, 2), Self.part("fgh", 1, 3), Self.part("i", 1, 4, isLast: true),
        ])
        #expect(out.count == 2)
        #expect(out[0].hasSuffix(#""partial_ordinal":"1","partial_last":"false","n":1,"log":"abcde"}"#), "\(out)")
        #expect(out[1] == #"{"n":3,"log":"fghi"}"#)
        // A part that is too long by itself is one piece.
        #expect(run.apply([Self.part("abcdefgh", 2, 1)]).isEmpty)
        #expect(run.apply([Self.part("i", 2, 2, isLast: true)]).count == 2)
    }

    @Test(arguments: [(3, 1 << 20), (100, 400)])
    func tooManyMessagesGoOnInPieces(countMax: Int, byteCountMax: Int) throws {
        var run = try FilterRun(Self.settings)
        run.filter = try PartialMessageFilter(
            run.configuration,
            textByteCountMax: 1_000,
            messageCountMax: countMax,
            heldByteCountMax: byteCountMax
        )
        var state = HeldState()
        for id in 0..<10 {
            run.time.nanoseconds += 1
            _ = run.apply([Self.part("a", id, 1)])
            state.apply(HeldSection(after: 0, changes: run.filter.takeHeldChanges(filter: "m")), of: 1)
        }
        #expect(run.warnings.count == 7)
        // The newest are held, in the buffer's eyes too.
        #expect(Set(state.events.keys.map(\.stream)) == Set((7..<10).map { Array("\($0)".utf8) }))
        #expect(run.release(all: true).count == 3)
    }

    @Test func theBufferKnowsThePartsAndGivesThemBack() throws {
        var run = try FilterRun(Self.settings)
        var state = HeldState()
        let held = { (run: FilterRun, state: inout HeldState) -> Int in
            state.apply(HeldSection(after: 0, changes: run.filter.takeHeldChanges(filter: "multiline.0")), of: 1)
            return state.events.values.reduce(0) { $0 + $1.count }
        }
        _ = run.apply([Self.part("a", 1, 1)])
        #expect(held(run, &state) == 1)
        _ = run.apply([Self.part("b", 1, 2), Self.part("x", 2, 1)])
        #expect(held(run, &state) == 3)

        // A new process.
        run = try FilterRun(Self.settings)
        for (key, events) in state.events { #expect(run.restore(events, stream: key.stream) == []) }
        #expect(held(run, &state) == 3)
        #expect(run.apply([Self.part("c", 1, 3, isLast: true)]) == [#"{"n":1,"log":"abc"}"#])
        #expect(held(run, &state) == 1)
        // The same id anew, and to its end, between two looks of the buffer.
        #expect(run.apply([Self.part("y", 2, 2, isLast: true), Self.part("z", 2, 1)]).count == 1)
        #expect(held(run, &state) == 1)
        #expect(
            state.events.values.first?.first.map { String(decoding: $0.members, as: UTF8.self).contains("z") } == true
        )
        #expect(run.release(all: true).count == 1)
        #expect(held(run, &state) == 0)
    }

    /// What another mode has held goes on.
    @Test func restoresWhatIsNoPartOfAMessage() throws {
        var run = try FilterRun(Self.settings)
        let event = HeldEvent(time: 7, members: Array(#""log":"Error: 1""#.utf8))
        #expect(run.restore([event]) == [#"{"log":"Error: 1"}"#])
        let changes = run.filter.takeHeldChanges(filter: "multiline.0")
        #expect(changes.map(\.replaces) == [true] && changes[0].events.isEmpty)
    }
}
