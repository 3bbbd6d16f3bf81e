import Arrays

/// How running statistics follow the statistics of batches.
///
/// All kinds but the sliding window are `average += weight * (batch - average)` and differ in the weight
/// of the new batch. Ioffe and Szegedy 2015 leave the choice open ("moving averages"); PyTorch and Keras
/// mean opposite things by *momentum*, so the plain spelling here names the weight of the **new** batch.
public struct RunningAverage: Hashable, Sendable {
    public enum Kind: Hashable, Sendable {
        /// The new batch gets a constant weight.
        case exponential(weight: Double)
        /// All batches so far get the same weight.
        case cumulative
        /// The last `window` batches get the same weight, older ones none.
        case sliding(window: Int)
    }

    public let kind: Kind

    /// Whether an exponential average leaves out its initial value: each weight is divided by the sum of
    /// the weights so far, as Adam corrects its moments. The first batch then counts fully instead of
    /// pulling a variance that starts at 1 along for long.
    public let isDebiased: Bool

    /// Whether a batch's weight is proportional to its number of values, so that a small last batch
    /// counts for less.
    public let isWeightedByCount: Bool

    private init(_ kind: Kind, isDebiased: Bool, isWeightedByCount: Bool) {
        self.kind = kind
        self.isDebiased = isDebiased
        self.isWeightedByCount = isWeightedByCount
    }

    /// An exponential average in which the new batch has the given weight. Traps unless it is in 0...1.
    public static func exponential(
        weight: Double, debiased: Bool = false, weightedByCount: Bool = false
    ) -> RunningAverage {
        precondition(
            weight >= 0 && weight <= 1,
            "the weight of the new batch must be in 0...1, found \(weight)")
        precondition(
            weight > 0 || !(debiased || weightedByCount),
            "an average that is debiased or weighted by count needs a positive weight")
        return RunningAverage(
            .exponential(weight: weight), isDebiased: debiased, isWeightedByCount: weightedByCount)
    }

    /// PyTorch's convention: momentum is the weight of the new batch, 0.1 by default.
    public static func pytorch(momentum: Double = 0.1) -> RunningAverage {
        .exponential(weight: momentum)
    }

    /// Keras's convention: momentum is the weight of the old average, 0.99 by default.
    public static func keras(momentum: Double = 0.99) -> RunningAverage {
        .exponential(weight: 1 - momentum)
    }

    /// The plain average over all batches (PyTorch's `momentum=None`).
    public static var cumulative: RunningAverage { .cumulative(weightedByCount: false) }

    /// The average over all batches, by batch or by value.
    public static func cumulative(weightedByCount: Bool) -> RunningAverage {
        RunningAverage(.cumulative, isDebiased: false, isWeightedByCount: weightedByCount)
    }

    /// The plain average over the last `window` batches. Traps unless the window is positive.
    public static func sliding(window: Int, weightedByCount: Bool = false) -> RunningAverage {
        precondition(window > 0, "a sliding window holds at least one batch, found \(window)")
        return RunningAverage(
            .sliding(window: window), isDebiased: false, isWeightedByCount: weightedByCount)
    }

    /// What a sum of weights starts from and how it goes on, for the kinds whose weight depends on the
    /// past: after a batch of `count` values, `total = retention * total + count`, where `count` is 1
    /// unless batches are weighted by it. Nil when the weight is constant.
    public var retention: Double? {
        switch kind {
        case .exponential(let weight): isDebiased || isWeightedByCount ? 1 - weight : nil
        case .cumulative: 1
        case .sliding: nil
        }
    }

    /// Whether the initial value of the average keeps a weight of its own.
    public var keepsInitialValue: Bool {
        if case .exponential = kind { return !isDebiased }
        return false
    }
}
