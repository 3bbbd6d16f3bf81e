/// How numbers are distributed: counts in buckets side by side, as TensorBoard draws it.
public struct Histogram: Hashable, Sendable {
    public let minimum: Double
    public let maximum: Double
    /// How many numbers there are.
    public let count: Double
    public let sum: Double
    public let sumOfSquares: Double
    /// The upper end of each bucket; the first begins at the minimum, the last ends at the maximum.
    public let limits: [Double]
    public let counts: [Double]

    /// So many buckets are as many as TensorBoard draws.
    public static let bucketCount = 30

    /// Counts numbers in buckets of equal width. Those that are not finite have no place in it and are
    /// left out; nil when that leaves none.
    public init?(_ values: some Sequence<Float>) {
        let values = values.lazy.filter(\.isFinite).map(Double.init)
        guard let minimum = values.min(), let maximum = values.max() else { return nil }
        let buckets = minimum < maximum ? Self.bucketCount : 1
        let width = (maximum - minimum) / Double(buckets)
        var counts = [Double](repeating: 0, count: buckets)
        var (sum, sumOfSquares) = (0.0, 0.0)
        for value in values {
            let place = width > 0 ? Int((value - minimum) / width) : 0
            counts[min(place, buckets - 1)] += 1
            sum += value
            sumOfSquares += value * value
        }
        (self.minimum, self.maximum) = (minimum, maximum)
        (self.sum, self.sumOfSquares) = (sum, sumOfSquares)
        count = counts.reduce(0, +)
        limits = (1...buckets).map { $0 == buckets ? maximum : minimum + Double($0) * width }
        self.counts = counts
    }

    /// What percentiles tell of a distribution: between two neighbours lie as many hundredths of the numbers
    /// as their levels are apart. The counts are in percent.
    ///
    /// Where neighbours are equal (half of what a ReLU gives is 0) the bucket gets a thousandth of the range
    /// as its width, because TensorBoard does not draw what has none. Nil when a percentile is not finite.
    ///
    /// - Parameters:
    ///   - percentiles: at the levels, in increasing order.
    ///   - levels: in percent, from 0 to 100.
    public init?(percentiles: [Float], levels: [Int], mean: Float, deviation: Float) {
        precondition(
            levels.first == 0 && levels.last == 100
                && zip(levels, levels.dropFirst()).allSatisfy(<),
            "expected increasing levels from 0 to 100 percent, found \(levels)")
        guard percentiles.count == levels.count, percentiles.allSatisfy(\.isFinite) else {
            return nil
        }
        let values = percentiles.map(Double.init)
        let (mean, deviation) = (Double(mean), Double(deviation))
        minimum = values[0]
        count = 100
        sum = 100 * mean
        sumOfSquares = 100 * (mean * mean + deviation * deviation)
        let range = values[values.count - 1] - values[0]
        guard range > 0 else {
            (maximum, limits, counts) = (values[0], [values[0]], [100])
            return
        }
        var edge = values[0]
        limits = values.dropFirst().map { value in
            edge = max(value, edge + range / 1000)
            return edge
        }
        maximum = edge
        counts = zip(levels.dropFirst(), levels).map { Double($0 - $1) }
    }
}
