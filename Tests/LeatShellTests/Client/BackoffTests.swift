import Testing

@testable import LeatShell

/// Waits between attempts.
@Suite struct BackoffTests {
    @Test func waitsDoubleUpToTheLimitAndBeginAnew() {
        var backoff = Backoff(milliseconds: 200...1_000)
        let waits = (0..<4).map { _ in backoff.next(random: 0) }
        #expect(waits == [.milliseconds(200), .milliseconds(400), .milliseconds(800), .milliseconds(1_000)])
        backoff.reset()
        #expect(backoff.next(random: 0) == .milliseconds(200))
    }

    @Test(arguments: [UInt64.min, 1, 50, 51, .max])
    func chanceShortensAWaitByAtMostAQuarter(random: UInt64) {
        var backoff = Backoff(milliseconds: 200...1_000)
        let wait = backoff.next(random: random)
        #expect((Duration.milliseconds(150)...Duration.milliseconds(200)).contains(wait))
    }
}
