import LeatCore
import LeatTesting
import Testing

@testable import LeatAgent

/// Work on the disk's thread.
@Suite struct DiskThreadTests {
    @Test func jobsRunInOrderAndAreCompletedOnTheLoop() throws {
        let loop = try EventLoop(time: SystemTime())
        let thread = try DiskThread(loop: loop)
        let order = Order()
        for number in 0..<20 {
            thread.run({ order.ran.append(number) }, completion: { order.completed.append(number) })
        }
        #expect(order.completed == [])
        try eventually("all jobs are completed") {
            loop.turn(waitsAtMost: .milliseconds(10))
            return order.completed.count == 20
        }
        #expect(order.ran == Array(0..<20))
        #expect(order.completed == Array(0..<20))
    }

    @Test func waitingCompletesJobsAlsoWhenTheLoopIsInTheMiddleOfATurn() throws {
        let loop = try EventLoop(time: SystemTime())
        let thread = try DiskThread(loop: loop)
        let order = Order()
        // Seen as done by the turn in which a signal then stops the agent.
        thread.run({ order.ran.append(1) }, completion: { order.completed.append(1) })
        loop.enqueue { thread.wait() }
        for _ in 0..<3 { loop.turn(waitsAtMost: .milliseconds(10)) }
        #expect(order.completed == [1])
        thread.wait()
        #expect(order.completed == [1])
    }
}

/// What happened; the thread writes before it hands over to the loop.
private final class Order: @unchecked Sendable {
    // Sound as Sendable: `ran` is read only after every job was completed.
    var ran: [Int] = []
    var completed: [Int] = []
}
