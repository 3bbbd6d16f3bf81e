import Arrays
import Normalization
import Testing

@Suite("Channel moments")
struct ChannelMomentsTests {
    static func rows(_ count: Int, offset: Double, seed: UInt64) -> [[Double]] {
        let values = Philox(key: seed).normal([count, 3])
        return (0..<count).map { row in
            (0..<3).map { offset + values[row * 3 + $0] * Double($0 + 1) }
        }
    }

    @Test(
        "Unequal runs merge to the moments of the whole",
        arguments: [[1, 1], [1, 7], [5, 0], [0, 5], [0, 0], [3, 2, 11]], [0, 1e3, 1e8])
    func merge(sizes: [Int], offset: Double) {
        let parts = sizes.enumerated().map {
            Self.rows($1, offset: offset, seed: UInt64($0))
        }
        let whole = ChannelMoments(rows: parts.flatMap { $0 }, channels: 3)
        let merged = parts.map { ChannelMoments(rows: $0, channels: 3) }
            .reduce(ChannelMoments(emptyWithChannels: 3)) { $0.merged(with: $1) }
        #expect(merged.count == whole.count)
        for channel in 0..<3 {
            #expect(abs(merged.mean[channel] - whole.mean[channel]) <= 1e-15 * (1 + offset) * 4)
            let expected = whole.squaredDistances[channel]
            #expect(abs(merged.squaredDistances[channel] - expected) <= 1e-7 * (1 + expected))
        }
    }

    @Test("The worked example: 1...20 in two columns has mean [10, 11] and variance 33")
    func workedExample() {
        let rows = stride(from: 1.0, to: 20, by: 2).map { [$0, $0 + 1] }
        let moments = ChannelMoments(rows: rows, channels: 2)
        #expect(zip(moments.mean, [10, 11]).allSatisfy { abs($0 - $1) < 1e-12 })
        #expect(moments.variance(.biased).allSatisfy { abs($0 - 33) < 1e-12 })
        #expect(moments.variance(.unbiased).allSatisfy { abs($0 - 330 / 9.0) < 1e-12 })
    }

    @Test("What has weight 0 does not count, even when it is NaN")
    func weights() {
        let moments = ChannelMoments(
            rows: [[1, 2], [.nan, .infinity], [3, 6]], channels: 2, weights: [1, 0, 3])
        #expect(moments.count == 4)
        #expect(moments.mean == [2.5, 5])
        #expect(moments.variance() == [0.75, 3])
    }

    @Test("Kinds of variance", arguments: [1.0, 2, 10])
    func kinds(count: Double) {
        let biased = VarianceKind.biased.variance(squaredDistances: 6, count: count)
        let unbiased = VarianceKind.unbiased.variance(squaredDistances: 6, count: count)
        #expect(biased == 6 / count)
        #expect(unbiased == (count == 1 ? 0 : 6 / (count - 1)))
        if count > 1 {
            #expect(abs(biased * VarianceKind.unbiased.factor(count: count) - unbiased) < 1e-15)
        }
    }
}
