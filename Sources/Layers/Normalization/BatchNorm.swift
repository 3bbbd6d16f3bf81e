import Arrays
import Graph
import Normalization

/// Batch normalization (Ioffe and Szegedy 2015): `y = (x - mean) / sqrt(variance + epsilon) * gamma +
/// beta` per channel, where mean and biased variance are the batch's while training and running averages
/// afterwards.
///
/// Input: `[samples, ..., channels]` of rank 2 or more, or with the channels on another `axis`; the output
/// has the same shape. In checkpoints gamma is `weight`, beta is `bias`, and the statistics are
/// `running_mean`, `running_var` and `num_batches_tracked`.
///
/// Three questions that other libraries fold into one flag are kept apart: ``normalization`` (which
/// statistics normalize), ``updatesStatistics`` (whether the running ones follow), and the parameters'
/// `isTrainable` (whether gamma and beta are learned).
///
/// With `domains` there are several banks of statistics over shared gamma and beta, for data of several
/// kinds (Li et al. 2016); ``domain`` says which one is in use.
public final class BatchNorm: Module {
    /// Which statistics normalize.
    public enum Source: String, Sendable, CaseIterable {
        /// The batch's while training, the running ones otherwise.
        case automatic
        case batch
        case running
    }

    /// What to do with a training batch of one value per channel, which is its own mean.
    public enum DegenerateBatch: String, Sendable, CaseIterable {
        /// Stop with a sentence that says so.
        case error
        /// Normalize with the running statistics, and leave them as they are.
        case runningStatistics
        /// Give beta, as the formula does, and leave the running statistics as they are.
        case beta
    }

    public let channels: Int
    public let axis: Int
    public let epsilon: Double
    public let gamma: Parameter?
    public let beta: Parameter?
    /// The statistics of every domain; empty when none are kept.
    public let banks: [RunningStatistics]
    public let degenerateBatch: DegenerateBatch

    /// Which statistics normalize.
    public var normalization = Source.automatic

    /// Whether running statistics follow the batches while training.
    public var updatesStatistics = true

    /// Which bank of statistics is in use. A step that is compiled keeps the one it was traced with.
    public var domain = 0 {
        didSet {
            precondition(
                domain >= 0 && domain < max(banks.count, 1),
                "BatchNorm: expected a domain below \(max(banks.count, 1)), found \(domain)")
        }
    }

    /// Nil when none are kept: then every batch is normalized by itself, in inference too.
    public var statistics: RunningStatistics? { banks.isEmpty ? nil : banks[domain] }

    /// - Parameters:
    ///   - axis: the channel axis; -1 is the last. The first axis is the samples'.
    ///   - epsilon: added to the variance. With 0, channels that do not vary become beta.
    ///   - average: how running statistics follow the batches; nil keeps none.
    ///   - varianceAverage: how the running variance does, where not as the mean.
    ///   - variance: what the running variance stores. Normalization always uses the biased one.
    ///   - domains: how many banks of statistics there are. The first has the plain names in checkpoints,
    ///     the others are `domains.1.running_mean` and so on.
    ///   - scale: whether there is a gamma.
    ///   - center: whether there is a beta.
    public init(
        _ channels: Int, axis: Int = -1, epsilon: Double = 1e-5,
        average: RunningAverage? = .pytorch(), varianceAverage: RunningAverage? = nil,
        variance: VarianceKind = .unbiased, domains: Int = 1,
        degenerateBatch: DegenerateBatch = .error, scale: Bool = true, center: Bool = true,
        gammaInitializer: Initializer = .ones, betaInitializer: Initializer = .zeros
    ) {
        precondition(channels > 0, "BatchNorm: expected channels, found \(channels)")
        precondition(domains > 0, "BatchNorm: expected at least one domain, found \(domains)")
        checkEpsilon(epsilon, "BatchNorm")
        precondition(axis != 0, "BatchNorm: axis 0 is the samples', it cannot be the channel axis")
        self.channels = channels
        self.axis = axis
        self.epsilon = epsilon
        self.degenerateBatch = degenerateBatch
        gamma = scale ? .gamma([channels], gammaInitializer) : nil
        beta = center ? .beta([channels], betaInitializer) : nil
        banks = (0..<domains).flatMap { domain in
            average.map {
                [
                    RunningStatistics(
                        channels, average: $0, varianceAverage: varianceAverage,
                        variance: variance, prefix: domain == 0 ? "" : "domains.\(domain).")
                ]
            } ?? []
        }
        super.init()
    }

    /// Normalizes with the running statistics and leaves them as they are, in training too. Gamma and
    /// beta go on learning; freeze them with `setTrainable(false)`.
    public func freezeStatistics() {
        normalization = .running
        updatesStatistics = false
    }

    public func unfreezeStatistics() {
        normalization = .automatic
        updatesStatistics = true
    }

    override public func members() -> [(name: String, member: Module.Member)] {
        super.members() + banks.flatMap(\.members)
    }

    override public func call(_ input: Tensor, _ context: Context) -> Tensor {
        normalize(input, context, mask: nil)
    }

    /// The same with a mask.
    ///
    /// - Parameter mask: the weight of each position in the statistics, of the input's shape without the
    ///   channel axis; 1 counts, 0 does not. Every position is normalized; what is masked and not finite
    ///   counts as 0, so that it shows nowhere, not in gradients either.
    public func callAsFunction(_ input: Tensor, _ context: Context, mask: Tensor) -> Tensor {
        normalize(input, context.entering(self), mask: mask)
    }

    func normalize(_ input: Tensor, _ context: Context, mask: Tensor?) -> Tensor {
        checkChannels(input, channels, axis: axis, context)
        // Kernels exist for float32 and, without weights, for bfloat16.
        if input.elementType == .float16 || (input.elementType == .bfloat16 && mask != nil) {
            return normalize(input.cast(to: .float32), context, mask: mask)
                .cast(to: input.elementType)
        }
        if mask != nil, input.isSmallFloat32(channels: channels) {
            return normalize(input.cast(to: .float64), context, mask: mask).cast(to: .float32)
        }
        let weights = mask?.cast(to: input.elementType)
        let input = weights.map { input.maskingNonFinite(axis: axis, weights: $0) } ?? input
        context.observer?.observe(self, input, weights: weights)
        var usesBatch = usesBatch(context)
        var updates = follows(context)
        if usesBatch || updates, isDegenerate(input, context) {
            updates = false
            if degenerateBatch == .runningStatistics, statistics != nil { usesBatch = false }
        }
        // Read before this batch's are proposed: reading gives what has been proposed already.
        let running =
            usesBatch ? nil : statistics.map { ($0.runningMean.tensor, $0.runningVariance.tensor) }
        var moments: MomentTensors?
        if usesBatch || updates {
            let batch = input.moments(axis: axis, weights: weights)
            batch.variance.requireFinite("\(context.label): batch variance")
            if updates, Trace.current != nil { statistics?.propose(batch) }
            moments = batch
        }
        if let (mean, variance) = running {
            return apply(
                input, mean: mean.cast(to: .float64), low: nil,
                variance: variance.cast(to: .float64))
        }
        return apply(input, mean: moments!.mean, low: moments!.low, variance: moments!.variance)
    }

    /// Whether the batch's own statistics normalize.
    func usesBatch(_ context: Context) -> Bool {
        statistics == nil || normalization == .batch
            || (normalization == .automatic && context.isTraining)
    }

    /// Whether running statistics follow.
    func follows(_ context: Context) -> Bool {
        context.isTraining && updatesStatistics && statistics != nil
    }

    private func apply(_ input: Tensor, mean: Tensor, low: Tensor?, variance: Tensor) -> Tensor {
        let inverse = inverseDeviation(variance, epsilon: epsilon)
        return input.centredScale(
            axis: axis, mean: mean, low: low,
            scale: gamma.map { $0.tensor.cast(to: .float64) * inverse } ?? inverse,
            shift: beta?.tensor.cast(to: .float64))
    }

    /// Whether there is one value per channel in training. Stops, or notes the problem, if that is an
    /// error: such a value is its own mean, and every output would be beta, whatever the input.
    private func isDegenerate(_ input: Tensor, _ context: Context) -> Bool {
        guard context.isTraining, input.shape.elementCount == channels else { return false }
        guard degenerateBatch == .error else { return true }
        let problem =
            "an input of \(input.shape) has one value per channel, and normalized by itself it is "
            + "always beta; train with two samples or more a batch, drop a last batch of one, "
            + "freeze the statistics, or use LayerNorm"
        guard let diagnosis = context.diagnosis else { fail(context, problem) }
        diagnosis.problems.append("\(context.label): \(problem)")
        return false
    }
}
