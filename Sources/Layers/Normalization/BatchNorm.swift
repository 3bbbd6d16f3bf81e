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
public final class BatchNorm: Module {
    /// Which statistics normalize.
    public enum Source: String, Sendable, CaseIterable {
        /// The batch's while training, the running ones otherwise.
        case automatic
        case batch
        case running
    }

    public let channels: Int
    public let axis: Int
    public let epsilon: Double
    public let gamma: Parameter?
    public let beta: Parameter?
    /// Nil when none are kept: then every batch is normalized by itself, in inference too.
    public let statistics: RunningStatistics?

    /// Which statistics normalize.
    public var normalization = Source.automatic

    /// Whether running statistics follow the batches while training.
    public var updatesStatistics = true

    /// - Parameters:
    ///   - axis: the channel axis; -1 is the last. The first axis is the samples'.
    ///   - epsilon: added to the variance, so that the root is not of 0. Positive.
    ///   - average: how running statistics follow the batches; nil keeps none.
    ///   - variance: what the running variance stores. Normalization always uses the biased one.
    ///   - scale: whether there is a gamma.
    ///   - center: whether there is a beta.
    public init(
        _ channels: Int, axis: Int = -1, epsilon: Double = 1e-5,
        average: RunningAverage? = .pytorch(), variance: VarianceKind = .unbiased,
        scale: Bool = true, center: Bool = true, gammaInitializer: Initializer = .ones,
        betaInitializer: Initializer = .zeros
    ) {
        precondition(channels > 0, "BatchNorm: expected channels, found \(channels)")
        precondition(
            epsilon > 0 && epsilon.isFinite,
            "BatchNorm: epsilon must be a small positive number, found \(epsilon)")
        precondition(axis != 0, "BatchNorm: axis 0 is the samples', it cannot be the channel axis")
        self.channels = channels
        self.axis = axis
        self.epsilon = epsilon
        gamma =
            scale
            ? Parameter([channels], role: .scale, initializer: gammaInitializer, name: "weight")
            : nil
        beta =
            center
            ? Parameter([channels], role: .shift, initializer: betaInitializer, name: "bias")
            : nil
        statistics = average.map { RunningStatistics(channels, average: $0, variance: variance) }
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
        super.members() + (statistics?.members ?? [])
    }

    override public func call(_ input: Tensor, _ context: Context) -> Tensor {
        normalize(input, context, mask: nil)
    }

    /// The same with a mask.
    ///
    /// - Parameter mask: the weight of each position in the statistics, of the input's shape without the
    ///   channel axis; 1 counts, 0 does not, and what is masked may even be NaN. Every position is
    ///   normalized.
    public func callAsFunction(_ input: Tensor, _ context: Context, mask: Tensor) -> Tensor {
        normalize(input, context.entering(self), mask: mask)
    }

    private func normalize(_ input: Tensor, _ context: Context, mask: Tensor?) -> Tensor {
        guard input.rank >= 2, axis < input.rank, axis > -input.rank,
            input.shape[input.shape.normalized(axis: axis)] == channels
        else {
            fail(
                context,
                "expected an input of rank 2 or more with \(channels) channels on axis \(axis), "
                    + "found \(input.shape)")
        }
        let usesBatch =
            statistics == nil || normalization == .batch
            || (normalization == .automatic && context.isTraining)
        let updates = context.isTraining && updatesStatistics && statistics != nil
        // Read before this batch's are proposed: reading gives what has been proposed already.
        let running =
            usesBatch ? nil : statistics.map { ($0.runningMean.tensor, $0.runningVariance.tensor) }
        var moments: MomentTensors?
        if usesBatch || updates {
            checkBatchSize(input, context)
            let batch = input.moments(axis: axis, weights: mask?.cast(to: input.elementType))
            batch.variance.requireFinite("\(context.label): batch variance")
            if updates, Trace.current != nil {
                statistics?.propose(batch, mayBeEmpty: mask != nil || input.shape.contains(0))
            }
            moments = batch
        }
        if let (mean, variance) = running {
            return apply(
                input, mean: mean.cast(to: .float64), low: nil,
                variance: variance.cast(to: .float64))
        }
        return apply(input, mean: moments!.mean, low: moments!.low, variance: moments!.variance)
    }

    private func apply(_ input: Tensor, mean: Tensor, low: Tensor?, variance: Tensor) -> Tensor {
        let inverse = (variance + epsilon).rsqrt()
        return input.centredScale(
            axis: axis, mean: mean, low: low,
            scale: gamma.map { $0.tensor.cast(to: .float64) * inverse } ?? inverse,
            shift: beta?.tensor.cast(to: .float64))
    }

    /// One value per channel is its own mean: every output would be beta, whatever the input.
    private func checkBatchSize(_ input: Tensor, _ context: Context) {
        guard context.isTraining, input.shape.elementCount == channels else { return }
        let problem =
            "an input of \(input.shape) has one value per channel, and normalized by itself it is "
            + "always beta; train with two samples or more a batch, drop a last batch of one, "
            + "freeze the statistics, or use LayerNorm"
        guard let diagnosis = context.diagnosis else { fail(context, problem) }
        diagnosis.problems.append("\(context.label): \(problem)")
    }
}
