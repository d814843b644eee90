import LeatCore
import LeatTesting
import Testing

@testable import LeatAgent

/// Secrets that are fetched and kept for a while.
struct RenewedValueTests {
    /// A value of which each fetch waits until the test answers it.
    private final class Source {
        typealias Answer = Result<RenewedValue<Int>.Fetched, FetchFailure>
        let time = ManualTime()
        private(set) var value: RenewedValue<Int>!  // Set at the end of init, which its closure needs.
        private(set) var pending: [(Answer) -> Void] = []
        private(set) var got: [String] = []

        init(skew: Duration) throws {
            let loop = try EventLoop(time: self.time)
            self.value = RenewedValue(loop: loop, skew: skew) { [unowned self] received in
                self.pending.append(received)
            }
        }

        func want() {
            self.value.with { result in
                switch result {
                case .success(let number): self.got.append("\(number)")
                case .failure(let failure): self.got.append(failure.reason)
                }
            }
        }

        func answer(_ answer: Answer) { self.pending.removeFirst()(answer) }
    }

    static let lives: [(life: Duration?, kept: Duration, isKept: Bool)] = [
        (.seconds(3_600), .seconds(3_539), true), (.seconds(3_600), .seconds(3_541), false),
        (.seconds(60), .seconds(29), true), (.seconds(60), .seconds(31), false),
        (.seconds(0), .seconds(0), false), (nil, .seconds(1_000_000), true),
    ]

    @Test(arguments: lives)
    func aValueIsKeptUntilShortlyBeforeItEnds(life: Duration?, kept: Duration, isKept: Bool) throws {
        let source = try Source(skew: .seconds(60))
        source.want()
        source.answer(.success((1, life)))
        source.time.advance(by: kept)
        source.want()
        #expect(source.pending.isEmpty == isKept)
        #expect(source.got == (isKept ? ["1", "1"] : ["1"]))
    }

    @Test func whoAsksMeanwhileWaitsForTheSameAnswer() throws {
        let source = try Source(skew: .seconds(60))
        source.want()
        source.want()
        #expect(source.pending.count == 1 && source.got == [])
        source.answer(.failure(FetchFailure(reason: "no")))
        #expect(source.got == ["no", "no"])
        source.want()
        source.answer(.success((1, nil)))
        source.value.forget { $0 == 2 }
        source.want()
        #expect(source.got == ["no", "no", "1", "1"])
        source.value.forget { $0 == 1 }
        source.want()
        source.answer(.success((2, nil)))
        #expect(source.got.last == "2")
    }
}
