import Arrays
import Normalization
import Testing

@Suite("Folding")
struct ChannelAffineTests {
    let norm = ChannelAffine(
        mean: [1, -2], variance: [4, 0.25], epsilon: 1e-3, gamma: [2, -1], beta: [0.5, 3])

    func normalized(_ x: [Double]) -> [Double] {
        let first: Double = (x[0] - 1) / 4.001.squareRoot()
        let second: Double = (x[1] + 2) / 0.251.squareRoot()
        return [2 * first + 0.5, 3 - second]
    }

    func dense(_ weight: [Double], _ bias: [Double]?, _ x: [Double]) -> [Double] {
        var y: [Double] = []
        for row in 0..<(weight.count / x.count) {
            var sum: Double = bias?[row] ?? 0
            for column in x.indices { sum += weight[row * x.count + column] * x[column] }
            y.append(sum)
        }
        return y
    }

    @Test("Folded into the layer before", arguments: [[0.1, -0.2], nil])
    func after(bias: [Double]?) {
        let weight = [1.0, 2, 3, -4, 5, -6]
        let x = [0.3, -0.7, 0.9]
        let folded = norm.folded(after: LinearWeight(weight, shape: [2, 3]), bias: bias)
        let expected = normalized(dense(weight, bias, x))
        for (a, b) in zip(dense(folded.weight.numbers, folded.bias, x), expected) {
            #expect(abs(a - b) < 1e-12)
        }
    }

    @Test("Folded into the layer behind", arguments: [[0.1, -0.2, 0.3], nil])
    func before(bias: [Double]?) {
        let weight = [1.0, 2, 3, -4, 5, -6]
        let x = [0.3, -0.7]
        let folded = norm.folded(before: LinearWeight(weight, shape: [3, 2]), bias: bias)
        let expected = dense(weight, bias, normalized(x))
        for (a, b) in zip(dense(folded.weight.numbers, folded.bias, x), expected) {
            #expect(abs(a - b) < 1e-12)
        }
    }

    @Test("Channels of grouped and transposed weights")
    func channels() {
        func pairs(_ weight: LinearWeight) -> [[Int]] {
            var result: [[Int]] = []
            weight.forEachPair { result.append([$0, $1, $2.lowerBound, $2.count]) }
            return result
        }
        let numbers = (0..<24).map(Double.init)
        // Two groups of two outputs and three inputs each; two taps.
        let grouped = LinearWeight(numbers, shape: [4, 3, 2], groups: 2)
        #expect(grouped.outputs == 4 && grouped.inputs == 6)
        #expect(pairs(grouped)[0...1] == [[0, 0, 0, 2], [0, 1, 2, 2]])
        #expect(pairs(grouped)[6...7] == [[2, 3, 12, 2], [2, 4, 14, 2]])
        let transposed = LinearWeight(numbers, shape: [4, 3, 2], groups: 2, isTransposed: true)
        #expect(transposed.outputs == 6 && transposed.inputs == 4)
        #expect(pairs(transposed)[6...7] == [[3, 2, 12, 2], [4, 2, 14, 2]])
    }
}
