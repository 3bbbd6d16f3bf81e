import Arrays
import Graph
import Runtime
import Testing

/// What a sample draws belongs to the sample.
@Suite struct RandomTests {
    private func draw(_ shape: Shape, seed: UInt64, step: Int64, _ indices: [Int32]) -> [Double] {
        let tensor = Tensor.randomUniform(
            shape, seed: seed, step: Tensor(NDArray(scalar: step)), indices: Tensor(indices))
        return ReferenceInterpreter<Double>().evaluate([tensor])[0].elements
    }

    @Test(arguments: [[], [1], [7], [2, 5]] as [Shape])
    func numbersFollowTheSampleNotItsPlace(_ shape: Shape) {
        let count = shape.elementCount
        let all = draw(shape, seed: 1, step: 9, [3, 0, 70_000, -5])
        let some = draw(shape, seed: 1, step: 9, [70_000, 3])
        #expect(Array(some[..<count]) == Array(all[(2 * count)..<(3 * count)]))
        #expect(Array(some[count...]) == Array(all[..<count]))
    }

    @Test func everythingElseChangesThem() {
        let numbers = draw([64], seed: 1, step: 2, [3])
        let others = [
            draw([64], seed: 2, step: 2, [3]), draw([64], seed: 1, step: 3, [3]),
            draw([64], seed: 1, step: 2, [4]), draw([64], seed: 1, step: 2 + (1 << 40), [3]),
        ]
        for other in others {
            #expect(zip(numbers, other).allSatisfy { $0 != $1 })
        }
        #expect(Set(numbers).count == 64)
    }

    /// Mean and variance of 40,000 numbers, within five standard errors of 1/2 and 1/12.
    @Test func numbersAreUniform() {
        let numbers = draw([40], seed: 5, step: 0, Array(0..<1000))
        let count = Double(numbers.count)
        let mean = numbers.reduce(0, +) / count
        let variance = numbers.reduce(0) { $0 + ($1 - 0.5) * ($1 - 0.5) } / count
        #expect(numbers.allSatisfy { $0 >= 0 && $0 < 1 && $0 * 0x1p24 == ($0 * 0x1p24).rounded() })
        #expect(abs(mean - 0.5) < 5 * (1 / 12 / count).squareRoot())
        #expect(abs(variance - 1 / 12) < 5 * (1 / 180 / count).squareRoot())
    }

    @Test(arguments: [0.1, 0.5, 0.9])
    func dropoutKeepsTheExpectation(_ rate: Double) {
        let x = Tensor.ones([200, 100], .float64)
        let indices = Tensor((0..<200).map { Int32($0) })
        let y = x.dropout(
            rate: rate, seed: 3, step: Tensor(NDArray(scalar: 4 as Int64)), indices: indices)
        let values = ReferenceInterpreter<Double>().evaluate([y])[0].elements
        let kept = values.filter { $0 != 0 }
        #expect(kept.allSatisfy { abs($0 - 1 / (1 - rate)) < 1e-12 })
        let share = Double(kept.count) / 20_000
        #expect(abs(share - (1 - rate)) < 5 * (rate * (1 - rate) / 20_000).squareRoot())
        #expect(x.dropout(rate: 0, seed: 3, step: .zeros([], .int64), indices: indices) == x)
    }
}
