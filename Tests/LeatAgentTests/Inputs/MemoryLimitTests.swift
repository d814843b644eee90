import Testing

@testable import LeatAgent

/// `Mem_Buf_Limit` and `memory_limit`.
@Suite struct MemoryLimitTests {
    @Test func anInputWaitsUntilItsBytesAreOnDisk() {
        let counters = InputCounters(name: "tail.0")
        counters.unwrittenByteCountMax = 100
        counters.noteAccepted(byteCount: 60)
        #expect(counters.hasRoom)
        counters.flushBegan()
        counters.noteAccepted(byteCount: 60)
        #expect(!counters.hasRoom)
        // The disk failed: the bytes are still in memory.
        counters.flushEnded(isDurable: false)
        #expect(!counters.hasRoom)
        counters.flushBegan()
        counters.flushEnded(isDurable: true)
        #expect(counters.hasRoom)
    }

    @Test(arguments: [(1 << 20, true), (24 << 20, true), (64 << 20, false), (256 << 20, false)])
    func aSmallerBudgetMakesSmallerBuffers(byteCount: Int, isSmaller: Bool) {
        let limits = BufferLimits(memoryByteCount: byteCount)
        let usual = BufferLimits()
        #expect((limits.unwrittenByteCountMax < usual.unwrittenByteCountMax) == isSmaller)
        #expect(limits.flushByteCount <= limits.backlogFlushByteCount)
        #expect(limits.backlogFlushByteCount <= limits.unwrittenByteCountMax)
        let total =
            limits.unwrittenByteCountMax + limits.cachedByteCountMax + limits.sendingByteCountMax
            + limits.heldByteCountMax
        #expect(total <= max(24 << 20, byteCount) - (14 << 20))
    }
}
