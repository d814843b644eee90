import LeatCore
import Testing

@testable import LeatQuery

struct SketchScaleTests {
    /// Against the definition: the borders of a bucket grow by a constant factor.
    @Test(arguments: [0.000_1, 0.001, 0.005, 0.01, 0.1, 0.5])
    func everyNumberLiesInItsBucket(accuracy: Double) {
        let scale = SketchScale(accuracy: accuracy)
        var random = SeededRandom(seed: 8)
        for _ in 0..<20_000 {
            let exponent = Int.random(in: -25...60, using: &random)
            let value = Double(sign: .plus, exponent: exponent, significand: Double.random(in: 1..<2, using: &random))
            guard case .number(let bucket) = scale.bucket(of: value) else {
                Issue.record("\(value) has no bucket")
                continue
            }
            let border = power(scale.gamma, bucket)
            #expect(value <= border * 1.000_000_1 && value > border / scale.gamma * 0.999_999_9, "\(value)")
        }
    }

    private func power(_ base: Double, _ exponent: Int) -> Double {
        var (result, square, rest) = (1.0, exponent < 0 ? 1 / base : base, exponent.magnitude)
        while rest > 0 {
            if rest & 1 != 0 { result *= square }
            square *= square
            rest >>= 1
        }
        return result
    }

    @Test func whatIsNoNumberOfASketchHasNoBucket() {
        let scale = SketchScale(accuracy: 0.01)
        #expect(scale.bucket(of: 0) == .zero)
        #expect(scale.bucket(of: -1) == .none)
        #expect(scale.bucket(of: .nan) == .none)
        #expect(scale.bucket(of: .infinity) == .none)
        #expect(scale.bucket(of: 1e-10) == .zero)
        #expect(scale.place(of: 0) == nil)
        #expect(scale.place(of: -1) == nil)
    }
}
