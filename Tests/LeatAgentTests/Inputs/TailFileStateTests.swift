import Testing

@testable import LeatAgent

@Suite struct TailFileStateTests {
    static let second: UInt64 = 1_000_000_000

    @Test func anAttachedFileWaitsAtItsEndForEver() {
        var state = TailFileState(offset: 0, now: 0)
        #expect(state.didRead(consumed: 100, rest: 0, reachedEnd: false, now: 0) == .read)
        #expect(state.didRead(consumed: 20, rest: 7, reachedEnd: true, now: 0) == .wait)
        #expect(state.offset == 120)
        #expect(state.nextAtEnd(now: 1_000 * Self.second) == .wait)
    }

    @Test func aDetachedFileIsReadToItsEndBeforeItsSuccessorBegins() {
        var state = TailFileState(offset: 50, now: 0)
        #expect(state.detached(true, isDeleted: false, now: 0) == .read)
        #expect(!state.isDrained)
        #expect(state.didRead(consumed: 10, rest: 0, reachedEnd: false, now: 1) == .read)
        #expect(!state.isDrained)
        #expect(state.didRead(consumed: 10, rest: 0, reachedEnd: true, now: 2) == .wait)
        #expect(state.isDrained)
    }

    @Test func aLastLineWithoutNewlineIsDeliveredOnceTheFileIsQuiet() {
        var state = TailFileState(offset: 0, now: 0)
        _ = state.detached(true, isDeleted: false, now: 0)
        #expect(state.didRead(consumed: 10, rest: 5, reachedEnd: true, now: Self.second) == .wait)
        #expect(state.nextAtEnd(now: 2 * Self.second) == .wait)
        #expect(state.nextAtEnd(now: 3 * Self.second) == .deliverRest)
        #expect(state.deliveredRest(now: 3 * Self.second) == .wait)
        #expect(state.offset == 15)
    }

    @Test func aLineThatGoesOnIsNotDeliveredInHalves() {
        var state = TailFileState(offset: 0, now: 0)
        _ = state.detached(true, isDeleted: false, now: 0)
        _ = state.didRead(consumed: 0, rest: 5, reachedEnd: true, now: 0)
        #expect(state.didRead(consumed: 0, rest: 9, reachedEnd: true, now: 2 * Self.second) == .wait)
        #expect(state.nextAtEnd(now: 3 * Self.second) == .wait)
    }

    @Test(arguments: [(true, UInt64(5)), (false, 60)])
    func aDetachedFileIsClosedWhenItHasBeenQuiet(isDeleted: Bool, seconds: UInt64) {
        var state = TailFileState(offset: 0, now: 0)
        _ = state.detached(true, isDeleted: isDeleted, now: 0)
        _ = state.didRead(consumed: 10, rest: 0, reachedEnd: true, now: 0)
        #expect(state.nextAtEnd(now: (seconds - 1) * Self.second) == .wait)
        #expect(state.nextAtEnd(now: seconds * Self.second) == .close)
    }

    @Test func otherContentBeginsAtTheStart() {
        var state = TailFileState(offset: 500, now: 0)
        #expect(state.sawOtherContent(now: 1) == .restart)
        #expect(state.offset == 0)
    }

    @Test func aFileWithAnotherFollowedNameDeliversItsRestAndStaysOpen() {
        var state = TailFileState(offset: 0, now: 0)
        state.renamed(true, now: 0)
        _ = state.didRead(consumed: 0, rest: 5, reachedEnd: true, now: 0)
        #expect(state.nextAtEnd(now: 2 * Self.second) == .deliverRest)
        #expect(state.deliveredRest(now: 2 * Self.second) == .wait)
        #expect(state.nextAtEnd(now: 1_000 * Self.second) == .wait)
    }
}
