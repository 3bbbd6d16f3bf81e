import Arrays

/// The moments of a run of samples, per channel: how many values, their mean, and the sum of their
/// squared distances from it.
///
/// Moments of disjoint runs merge exactly (Chan, Golub and LeVeque 1983, "Algorithms for computing the
/// sample variance"), so shards, micro-batches, masks and machines all come to the same statistics. The
/// sum of squares minus the square of the sum, which cancels for large means, is never formed.
public struct ChannelMoments: Hashable, Sendable {
    /// The number of values per channel; a sum of weights when values are weighted.
    public var count: Double
    /// `[channels]`
    public var mean: [Double]
    /// The sum of squared distances from the mean, `[channels]`.
    public var squaredDistances: [Double]

    /// Traps unless the two vectors have the same length and the count is not negative.
    public init(count: Double, mean: [Double], squaredDistances: [Double]) {
        precondition(
            mean.count == squaredDistances.count,
            "moments: \(mean.count) means but \(squaredDistances.count) sums of squares")
        precondition(count >= 0, "moments: a count cannot be negative, found \(count)")
        self.count = count
        self.mean = mean
        self.squaredDistances = squaredDistances
    }

    /// The moments of nothing: what merging starts from.
    public init(emptyWithChannels channels: Int) {
        self.init(
            count: 0, mean: [Double](repeating: 0, count: channels),
            squaredDistances: [Double](repeating: 0, count: channels))
    }

    /// The moments of rows that each hold one value per channel, optionally weighted per row. A row of
    /// weight 0 may hold anything. Taken in two passes: the mean, then the squared distances from it.
    ///
    /// Traps unless all rows have `channels` values, and there are as many weights as rows.
    public init(rows: [[Double]], channels: Int, weights: [Double]? = nil) {
        let weights = weights ?? [Double](repeating: 1, count: rows.count)
        precondition(
            weights.count == rows.count,
            "moments: \(rows.count) rows but \(weights.count) weights")
        precondition(
            rows.allSatisfy { $0.count == channels },
            "moments: expected rows of \(channels) values")
        self.init(emptyWithChannels: channels)
        count = weights.reduce(0, +)
        guard count > 0 else { return }
        for (row, weight) in zip(rows, weights) where weight != 0 {
            for channel in 0..<channels { mean[channel] += row[channel] * weight / count }
        }
        for (row, weight) in zip(rows, weights) where weight != 0 {
            for channel in 0..<channels {
                let distance = row[channel] - mean[channel]
                squaredDistances[channel] += weight * distance * distance
            }
        }
    }

    public var channels: Int { mean.count }

    /// The variance per channel; see ``VarianceKind/variance(squaredDistances:count:)``.
    public func variance(_ kind: VarianceKind = .biased) -> [Double] {
        squaredDistances.map { kind.variance(squaredDistances: $0, count: count) }
    }

    /// These moments and those of another, disjoint run, together. Traps unless the channels agree.
    public func merged(with other: ChannelMoments) -> ChannelMoments {
        precondition(
            channels == other.channels,
            "moments of \(channels) and of \(other.channels) channels do not merge")
        if other.count == 0 { return self }
        if count == 0 { return other }
        let total = count + other.count
        var result = self
        result.count = total
        for channel in 0..<channels {
            let delta = other.mean[channel] - mean[channel]
            result.mean[channel] = mean[channel] + delta * (other.count / total)
            result.squaredDistances[channel] =
                squaredDistances[channel] + other.squaredDistances[channel]
                + delta * delta * (count * other.count / total)
        }
        return result
    }
}
