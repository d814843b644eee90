import Glibc
import LeatTesting
import Testing

@testable import LeatCore

@Suite struct SpareThreadsTests {
    @Test func aThreadThatHasEndedItsWorkDoesTheNext() throws {
        var key = pthread_key_t()
        pthread_key_create(&key, nil)
        defer { pthread_key_delete(key) }
        let threads = SpareThreads(name: "test", idleCountMax: 1)
        // A thread that was here has left its mark; it needs a moment until it waits for work again.
        try eventually("a thread works a second time") { [key] in
            let wasHere = Monitor<Bool?>(nil)
            threads.start {
                let mark = pthread_getspecific(key)
                pthread_setspecific(key, UnsafeRawPointer(bitPattern: 1))
                wasHere.update { $0 = mark != nil }
            }
            return wasHere.wait { $0 }
        }
    }

    /// No piece waits for another, however many there are.
    @Test func everyPieceHasAThreadAtOnce() {
        let threads = SpareThreads(name: "test", idleCountMax: 2)
        let count = 20
        let arrived = Monitor(0)
        for _ in 0..<count {
            threads.start {
                arrived.update { $0 += 1 }
                arrived.wait { $0 >= count ? () : nil }
            }
        }
        #expect(arrived.wait { $0 == count ? $0 : nil } == count)
    }

    @Test func workGoesOnWhenNobodyHoldsTheThreads() {
        let done = Monitor(0)
        do {
            let threads = SpareThreads(name: "test", idleCountMax: 4)
            for _ in 0..<50 { threads.start { done.update { $0 += 1 } } }
        }
        #expect(done.wait { $0 == 50 ? $0 : nil } == 50)
    }
}
