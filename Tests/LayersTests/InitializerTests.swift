import Arrays
import Layers
import Testing

@Suite("Initializers")
struct InitializerTests {
    static func draw(_ initializer: Initializer, _ shape: Shape) -> [Double] {
        initializer.values(shape, fans: Fans(shape), philox: Philox(key: 7)).elements()
    }

    /// Initializers with the variance they must give a weight of 200 outputs and 100 inputs.
    static let variances: [(Initializer, Double)] = [
        (.xavierUniform, 2.0 / 300), (.xavierNormal, 2.0 / 300), (.heUniform, 2.0 / 100),
        (.heNormal, 2.0 / 100), (.he(.normal, mode: .fanOut), 2.0 / 200),
        (.lecunUniform, 1.0 / 100), (.lecunNormal, 1.0 / 100), (.he(.truncatedNormal), 2.0 / 100),
        (.normal(standardDeviation: 0.05), 0.0025), (.uniform(in: -1..<1), 1.0 / 3),
    ]

    @Test("Variances follow the fans", arguments: variances)
    func variance(initializer: Initializer, expected: Double) {
        let values = Self.draw(initializer, [200, 100])
        let mean = values.reduce(0, +) / Double(values.count)
        let variance = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(values.count)
        // Twenty thousand draws: the estimate is good to a percent or two.
        #expect(abs(variance / expected - 1) < 0.05)
        #expect(abs(mean) < 5 * (expected / 20000).squareRoot())
    }

    @Test("A truncated normal distribution has no tails")
    func truncated() {
        let values = Self.draw(.truncatedNormal(standardDeviation: 0.5), [100, 100])
        #expect(values.allSatisfy { abs($0) <= 1 })
        #expect(values.contains { abs($0) > 0.8 })
    }

    @Test("Orthogonal rows or columns", arguments: [Shape([4, 9]), [9, 4], [5, 5]])
    func orthogonal(shape: Shape) {
        let values = Self.draw(.orthogonal(gain: 2), shape)
        let (rows, columns) = (shape[0], shape[1])
        func entry(_ vector: Int, _ index: Int) -> Double {
            rows <= columns ? values[vector * columns + index] : values[index * columns + vector]
        }
        for a in 0..<min(rows, columns) {
            for b in 0..<min(rows, columns) {
                let product = (0..<max(rows, columns)).reduce(0) {
                    $0 + entry(a, $1) * entry(b, $1)
                }
                #expect(abs(product - (a == b ? 4 : 0)) < 1e-12)
            }
        }
    }

    @Test("Constants")
    func constants() {
        #expect(Self.draw(.ones, [3]) == [1, 1, 1])
        #expect(Self.draw(.zeros, [2]) == [0, 0])
        #expect(Self.draw(.constant(0.25), []) == [0.25])
    }
}
