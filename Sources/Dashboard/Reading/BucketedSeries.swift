/// Numbers over the steps of a run, however many, in bounded memory: means with the lowest and the highest
/// over intervals of equal length.
///
/// An interval has a power of two of steps, the shortest with which all fit. Which intervals come out, and
/// their extremes, depend on the numbers only, not on the order or the portions in which they came.
package struct BucketedSeries {
    /// As many as a wide screen has points.
    package static let maximumBucketCount = 1024

    package struct Bucket: Hashable {
        /// `index * width` is the first step of the interval.
        package var index: Int
        package var count: Int
        package var sum: Double
        package var low: Double
        package var high: Double
        /// The last step with a number, and its time; NaN when it is not known.
        package var step: Int
        var seconds: Double

        package var mean: Double { sum / Double(count) }

        fileprivate mutating func merge(_ other: Bucket) {
            count += other.count
            sum += other.sum
            (low, high) = (min(low, other.low), max(high, other.high))
            if other.step >= step { (step, seconds) = (other.step, other.seconds) }
        }
    }

    /// In the order of steps.
    package private(set) var buckets: [Bucket] = []
    /// Steps in an interval.
    package private(set) var width = 1
    /// Numbers that cannot be drawn.
    package private(set) var notFiniteCount = 0

    package init() {}

    /// - Parameters:
    ///   - low: the lowest of what the value is a mean of; so `high`.
    package mutating func add(
        step: Int, seconds: Double, _ value: Double, low: Double? = nil, high: Double? = nil
    ) {
        guard step >= 0 else { return }
        guard value.isFinite else {
            notFiniteCount += 1
            return
        }
        let bucket = Bucket(
            index: step / width, count: 1, sum: value,
            low: min(value, low.flatMap { $0.isFinite ? $0 : nil } ?? value),
            high: max(value, high.flatMap { $0.isFinite ? $0 : nil } ?? value), step: step,
            seconds: seconds)
        let place = self.place(bucket.index)
        if place < buckets.count, buckets[place].index == bucket.index {
            buckets[place].merge(bucket)
        } else {
            buckets.insert(bucket, at: place)
        }
        while buckets.count > Self.maximumBucketCount { widen() }
    }

    /// The place of the first bucket that is not before an index. Mostly it is the last.
    private func place(_ index: Int) -> Int {
        guard let last = buckets.last, last.index >= index else { return buckets.count }
        var (low, high) = (0, buckets.count - 1)
        while low < high {
            let middle = (low + high) / 2
            if buckets[middle].index < index { low = middle + 1 } else { high = middle }
        }
        return low
    }

    /// Twice as many steps in an interval.
    private mutating func widen() {
        width *= 2
        var merged: [Bucket] = []
        merged.reserveCapacity(Self.maximumBucketCount + 1)
        for var bucket in buckets {
            bucket.index /= 2
            if merged.last?.index == bucket.index {
                merged[merged.count - 1].merge(bucket)
            } else {
                merged.append(bucket)
            }
        }
        buckets = merged
    }
}
