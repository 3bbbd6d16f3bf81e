import Arrays
import Graph
import Normalization

/// Batch renormalization (Ioffe 2017): batch norm whose training output is corrected towards what the
/// running statistics would give, so that small batches train the function that inference computes.
///
///     y = ((x - mean) / sigma_batch * r + d) * gamma + beta
///     r = sigma_batch / sigma, clipped to 1 / rmax ... rmax
///     d = (mean - running mean) / sigma, clipped to -dmax ... dmax
///
/// with `sigma = sqrt(running variance + epsilon)` before this batch's update. r and d are constants in
/// the gradient. Shapes and states are those of ``BatchNorm``.
public final class BatchRenorm: Module {
    public let channels: Int
    public let axis: Int
    public let epsilon: Double
    public let gamma: Parameter
    public let beta: Parameter
    public let statistics: RunningStatistics
    public let limits: Limits

    /// How far the correction may go.
    public struct Limits: Hashable, Sendable {
        public let rmax: Double
        public let dmax: Double
        /// Until how many batches there is no correction at all.
        public let start: Int
        /// From how many batches on the limits are full; between, they grow linearly.
        public let end: Int

        /// The same limits all the time.
        public static func constant(rmax: Double = 3, dmax: Double = 5) -> Limits {
            Limits(rmax: rmax, dmax: dmax, start: 0, end: 0)
        }

        /// From plain batch norm (rmax 1, dmax 0) to full limits, as in the paper's section 4.1.
        public static func ramp(
            rmax: Double = 3, dmax: Double = 5, from start: Int = 5000, to end: Int = 40000
        ) -> Limits { Limits(rmax: rmax, dmax: dmax, start: start, end: end) }

        private init(rmax: Double, dmax: Double, start: Int, end: Int) {
            precondition(rmax >= 1, "BatchRenorm: rmax must be at least 1, found \(rmax)")
            precondition(dmax >= 0, "BatchRenorm: dmax must not be negative, found \(dmax)")
            precondition(
                start >= 0 && end >= start,
                "BatchRenorm: limits cannot grow from batch \(start) to batch \(end)")
            (self.rmax, self.dmax, self.start, self.end) = (rmax, dmax, start, end)
        }
    }

    public init(
        _ channels: Int, axis: Int = -1, epsilon: Double = 1e-5,
        average: RunningAverage = .exponential(weight: 0.01), variance: VarianceKind = .unbiased,
        limits: Limits = .ramp()
    ) {
        precondition(channels > 0, "BatchRenorm: expected channels, found \(channels)")
        precondition(
            axis != 0, "BatchRenorm: axis 0 is the samples', it cannot be the channel axis")
        checkEpsilon(epsilon, "BatchRenorm")
        self.channels = channels
        self.axis = axis
        self.epsilon = epsilon
        self.limits = limits
        gamma = .gamma([channels])
        beta = .beta([channels])
        statistics = RunningStatistics(channels, average: average, variance: variance)
        super.init()
    }

    override public func members() -> [(name: String, member: Module.Member)] {
        super.members() + statistics.members
    }

    override public func call(_ input: Tensor, _ context: Context) -> Tensor {
        normalize(input, context, mask: nil)
    }

    /// The same with a mask; see ``BatchNorm/callAsFunction(_:_:mask:)``.
    public func callAsFunction(_ input: Tensor, _ context: Context, mask: Tensor) -> Tensor {
        normalize(input, context.entering(self), mask: mask)
    }

    private func normalize(_ input: Tensor, _ context: Context, mask: Tensor?) -> Tensor {
        checkChannels(input, channels, axis: axis, context)
        if context.isTraining { checkBatch(input, channels, context) }
        if mask != nil, input.isSmallFloat32(channels: channels) {
            return normalize(input.cast(to: .float64), context, mask: mask).cast(to: .float32)
        }
        return input.throughFloat32 { x in
            let weights = mask?.cast(to: x.elementType)
            let x = weights.map { x.maskingNonFinite(axis: axis, weights: $0) } ?? x
            let (scale, shift) = (gamma.tensor.cast(to: .float64), beta.tensor.cast(to: .float64))
            let mean = statistics.runningMean.tensor.cast(to: .float64)
            let variance = statistics.runningVariance.tensor.cast(to: .float64)
            guard context.isTraining else {
                return x.centredScale(
                    axis: axis, mean: mean,
                    scale: scale * inverseDeviation(variance, epsilon: epsilon), shift: shift)
            }
            let batch = x.moments(axis: axis, weights: weights)
            batch.variance.requireFinite("\(context.label): batch variance")
            let (r, d) = correction(batch, mean, inverseDeviation(variance, epsilon: epsilon))
            if Trace.current != nil { statistics.propose(batch) }
            let inverse = inverseDeviation(batch.variance, epsilon: epsilon)
            return x.centredScale(
                axis: axis, mean: batch.mean, low: batch.low, scale: inverse * r * scale,
                shift: d * scale + shift)
        }
    }

    /// r and d, as constants.
    private func correction(
        _ batch: MomentTensors, _ mean: Tensor, _ inverse: Tensor
    ) -> (r: Tensor, d: Tensor) {
        let ratio = deviation(batch.variance, epsilon: epsilon) * inverse
        let distance = ((batch.mean - mean) + batch.low) * inverse
        let number = statistics.batchCount.tensor.cast(to: .float64)
        let length = Double(max(limits.end - limits.start, 1))
        let share =
            limits.end == 0
            ? Tensor.ones([], .float64)
            : ((number - Double(limits.start)) * (1 / length)).clamped(to: 0...1)
        let rmax = share * (limits.rmax - 1) + 1
        let dmax = share * limits.dmax
        let r = Tensor.minimum(Tensor.maximum(ratio, rmax.reciprocal()), rmax)
        let d = Tensor.minimum(Tensor.maximum(distance, -dmax), dmax)
        return (r.stoppingGradient(), d.stoppingGradient())
    }
}
