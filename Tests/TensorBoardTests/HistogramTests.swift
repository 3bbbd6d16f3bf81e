import Arrays
import Testing

import TensorBoard

@Suite("Histograms")
struct HistogramTests {
    @Test("Every finite number is counted once, in the bucket it lies in", arguments: 0..<20)
    func counts(seed: UInt64) throws {
        var generator = PhiloxGenerator(seed: seed)
        let scale = Float.random(in: 1e-20...1e20, using: &generator)
        let values = (0..<(1 + 50 * Int(seed))).map { _ in
            scale * Float.random(in: -1...3, using: &generator)
        }
        let histogram = try #require(Histogram(values + [.nan, .infinity, -.infinity]))
        #expect(histogram.count == Double(values.count))
        #expect(histogram.minimum == Double(values.min()!))
        #expect(histogram.maximum == histogram.limits.last)
        #expect(histogram.limits.count == histogram.counts.count)
        #expect(zip(histogram.limits, histogram.limits.dropFirst()).allSatisfy(<))
        var below = 0.0
        for (limit, count) in zip(histogram.limits.dropLast(), histogram.counts) {
            below += count
            // A number on the limit may fall on either side.
            let slack = 1e-9 * (histogram.maximum - histogram.minimum)
            #expect(below >= Double(values.count { Double($0) < limit - slack }))
            #expect(below <= Double(values.count { Double($0) <= limit + slack }))
        }
        let sum = values.reduce(0) { $0 + Double($1) }
        #expect(abs(histogram.sum - sum) <= 1e-9 * Double(scale) * Double(values.count))
    }

    @Test func constantAndEmpty() throws {
        let histogram = try #require(Histogram([Float](repeating: -2, count: 5)))
        #expect(histogram.limits == [-2] && histogram.counts == [5] && histogram.minimum == -2)
        #expect(histogram.sum == -10 && histogram.sumOfSquares == 20)
        #expect(Histogram([]) == nil)
        #expect(Histogram([.nan]) == nil)
        let extremes = try #require(
            Histogram([-Float.greatestFiniteMagnitude, .greatestFiniteMagnitude]))
        #expect(extremes.counts.first == 1 && extremes.counts.last == 1)
    }

    @Test("Percentiles make buckets that TensorBoard can draw, equal ones too")
    func percentiles() throws {
        let levels = [0, 5, 25, 50, 75, 95, 100]
        let relu = try #require(
            Histogram(
                percentiles: [0, 0, 0, 0, 1, 2, 4], levels: levels, mean: 0.7, deviation: 1))
        #expect(relu.counts == [5, 20, 25, 25, 20, 5] && relu.count == 100)
        #expect(zip([relu.minimum] + relu.limits, relu.limits).allSatisfy(<))
        #expect(relu.limits.suffix(3) == [1, 2, 4] && relu.limits[2] < 0.02)
        #expect(relu.maximum == 4 && abs(relu.sum - 70) < 1e-5)
        let top = try #require(
            Histogram(percentiles: [-1, 0, 1, 1, 1, 1, 1], levels: levels, mean: 1, deviation: 0))
        #expect(zip([top.minimum] + top.limits, top.limits).allSatisfy(<))
        #expect(top.maximum == top.limits.last && top.maximum < 1.01)
        let constant = try #require(
            Histogram(
                percentiles: [Float](repeating: 3, count: 7), levels: levels, mean: 3, deviation: 0)
        )
        #expect(constant.limits == [3] && constant.counts == [100])
        #expect(
            Histogram(
                percentiles: [0, 0, 0, 0, 0, 0, .infinity], levels: levels, mean: 0, deviation: 0)
                == nil)
    }
}
