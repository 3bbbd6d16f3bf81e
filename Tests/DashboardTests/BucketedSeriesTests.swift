import Arrays
import Testing

import Dashboard

@Suite("Downsampling")
struct BucketedSeriesTests {
    private func values(_ count: Int, seed: UInt64) -> [Double] {
        var generator = PhiloxGenerator(seed: seed)
        return (0..<count).map { _ in Double.random(in: -5...5, using: &generator) }
    }

    private func series(_ samples: [(step: Int, value: Double)]) -> BucketedSeries {
        var series = BucketedSeries()
        for (step, value) in samples { series.add(step: step, seconds: Double(step), value) }
        return series
    }

    @Test(
        "Extremes, number and mean are those of all values",
        arguments: [1, 2, 1024, 1025, 5000, 40_000], [1, 3, 100])
    func whole(count: Int, apart: Int) {
        let values = values(count, seed: UInt64(count + apart))
        let series = series(values.enumerated().map { ($0.offset * apart, $0.element) })
        #expect(series.buckets.count <= BucketedSeries.maximumBucketCount)
        #expect(count <= 1024 ? series.buckets.count == count : series.buckets.count > 512)
        #expect(series.buckets.map(\.low).min() == values.min())
        #expect(series.buckets.map(\.high).max() == values.max())
        #expect(series.buckets.reduce(0) { $0 + $1.count } == count)
        let sum = series.buckets.reduce(0) { $0 + $1.sum }
        #expect(abs(sum - values.reduce(0, +)) < 1e-6)
        #expect(series.buckets.last?.step == (count - 1) * apart)
    }

    @Test("Each interval holds exactly what belongs to it", arguments: [3000, 10_007])
    func intervals(count: Int) {
        let values = values(count, seed: 9)
        let series = series(values.enumerated().map { ($0.offset, $0.element) })
        #expect(series.width & (series.width - 1) == 0)
        for bucket in series.buckets {
            let range =
                (bucket.index * series.width)..<min((bucket.index + 1) * series.width, count)
            #expect(bucket.count == range.count)
            #expect(bucket.low == values[range].min())
            #expect(bucket.high == values[range].max())
            #expect(abs(bucket.mean - values[range].reduce(0, +) / Double(range.count)) < 1e-9)
            #expect(bucket.step == range.last)
        }
    }

    @Test("The order of the values does not matter", arguments: [700, 6000])
    func order(count: Int) {
        let samples = values(count, seed: 4).enumerated().map {
            (step: $0.offset * 7, value: $0.element)
        }
        var generator = PhiloxGenerator(seed: 1)
        let (sorted, mixed) = (series(samples), series(samples.shuffled(using: &generator)))
        #expect(sorted.width == mixed.width)
        #expect(sorted.buckets.map(\.index) == mixed.buckets.map(\.index))
        #expect(sorted.buckets.map(\.low) == mixed.buckets.map(\.low))
        #expect(sorted.buckets.map(\.high) == mixed.buckets.map(\.high))
        #expect(sorted.buckets.map(\.step) == mixed.buckets.map(\.step))
    }

    @Test("Steps far apart neither cost memory nor time")
    func sparse() {
        var series = series((0..<3000).map { ($0, 1) })
        series.add(step: 1 << 53, seconds: 0, 7)
        series.add(step: 1 << 40, seconds: 0, -7)
        #expect(series.buckets.count <= BucketedSeries.maximumBucketCount)
        #expect(series.buckets.last?.high == 7)
        #expect(series.buckets.map(\.low).min() == -7)
        #expect(series.buckets.reduce(0) { $0 + $1.count } == 3002)
    }

    @Test("What is not finite is counted, not drawn")
    func notFinite() {
        let series = series([(0, 1), (1, .nan), (2, .infinity), (3, -.infinity), (4, 2), (-1, 5)])
        #expect(series.buckets.map(\.mean) == [1, 2])
        #expect(series.notFiniteCount == 3)
    }

    @Test("Extremes of what a value is a mean of are kept")
    func given() {
        var series = BucketedSeries()
        series.add(step: 0, seconds: 0, 2, low: 1, high: 5)
        series.add(step: 1, seconds: 0, 2, low: .nan, high: .infinity)
        #expect(series.buckets.map(\.low) == [1, 2])
        #expect(series.buckets.map(\.high) == [5, 2])
    }
}
