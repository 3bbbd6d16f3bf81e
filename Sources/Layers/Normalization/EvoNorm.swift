import Arrays
import Graph
import Normalization

/// EvoNorm-B0 (Liu et al. 2020): normalization and activation in one, with statistics of the
/// batch and of each sample.
///
///     y = x / max(sqrt(batch variance + epsilon), v x + sqrt(instance variance + epsilon)) * gamma + beta
///
/// The batch variance is the running one in inference. Input and output `[samples, ..., channels]`, or
/// with the channels on another `axis`. States are `running_var` and `num_batches_tracked`.
public final class EvoNormB0: Module {
    public let channels: Int
    public let axis: Int
    public let epsilon: Double
    public let gamma: Parameter
    public let beta: Parameter
    public let v: Parameter
    /// Nil when none are kept.
    public let statistics: RunningStatistics?

    public init(
        _ channels: Int, axis: Int = -1, epsilon: Double = 1e-5,
        average: RunningAverage? = .pytorch(), variance: VarianceKind = .unbiased
    ) {
        precondition(channels > 0, "EvoNormB0: expected channels, found \(channels)")
        precondition(axis != 0, "EvoNormB0: axis 0 is the samples', it cannot be the channel axis")
        checkEpsilon(epsilon, "EvoNormB0")
        self.channels = channels
        self.axis = axis
        self.epsilon = epsilon
        gamma = .gamma([channels])
        beta = .beta([channels])
        v = Parameter([channels], role: .scale, initializer: .ones)
        statistics = average.map {
            RunningStatistics(channels, average: $0, variance: variance, keepsMean: false)
        }
        super.init()
    }

    override public func members() -> [(name: String, member: Module.Member)] {
        super.members() + (statistics?.members ?? [])
    }

    override public func call(_ input: Tensor, _ context: Context) -> Tensor {
        checkChannels(input, channels, axis: axis, context)
        if context.isTraining { checkBatch(input, channels, context) }
        return input.throughFloat32 { x in
            let batch = deviation(variance(x, context), epsilon: epsilon)
            let instance = deviation(
                x.groupMoments(axis: axis, groups: channels).variance, epsilon: epsilon)
            return x.evoNormScale(
                axis: axis, batch: batch, slope: v.tensor.cast(to: .float64), sample: instance,
                gamma: gamma.tensor.cast(to: .float64), beta: beta.tensor.cast(to: .float64))
        }
    }

    private func variance(_ x: Tensor, _ context: Context) -> Tensor {
        if !context.isTraining, let statistics {
            return statistics.runningVariance.tensor.cast(to: .float64)
        }
        let moments = x.moments(axis: axis)
        moments.variance.requireFinite("\(context.label): batch variance")
        if context.isTraining, Trace.current != nil { statistics?.propose(moments) }
        return moments.variance
    }
}

/// EvoNorm-S0 (Liu et al. 2020): normalization and activation in one, by groups of each sample's
/// channels; independent of the batch.
///
///     y = x sigmoid(v x) / sqrt(group variance + epsilon) * gamma + beta
///
/// Input and output `[samples, ..., channels]`, or with the channels on another `axis`.
public final class EvoNormS0: Module {
    public let channels: Int
    public let groups: Int
    public let axis: Int
    public let epsilon: Double
    public let gamma: Parameter
    public let beta: Parameter
    public let v: Parameter

    /// - Parameter groups: divides the number of channels.
    public init(groups: Int = 32, _ channels: Int, axis: Int = -1, epsilon: Double = 1e-5) {
        precondition(
            groups > 0 && channels > 0 && channels % groups == 0,
            "EvoNormS0: \(groups) groups do not divide \(channels) channels")
        precondition(axis != 0, "EvoNormS0: axis 0 is the samples', it cannot be the channel axis")
        checkEpsilon(epsilon, "EvoNormS0")
        self.channels = channels
        self.groups = groups
        self.axis = axis
        self.epsilon = epsilon
        gamma = .gamma([channels])
        beta = .beta([channels])
        v = Parameter([channels], role: .scale, initializer: .ones)
        super.init()
    }

    override public func call(_ input: Tensor, _ context: Context) -> Tensor {
        checkChannels(input, channels, axis: axis, context)
        return input.throughFloat32 { x in
            let variance = x.groupMoments(axis: axis, groups: groups).variance
            let gated = x * gate(x * v.tensor.perChannel(axis: axis, like: x))
            return gated.groupScale(
                axis: axis, groups: groups, scale: inverseDeviation(variance, epsilon: epsilon),
                gamma: gamma.tensor.cast(to: .float64), beta: beta.tensor.cast(to: .float64))
        }
    }

    /// The sigmoid, in a form whose gradient keeps its digits where the gate is nearly open: there `x^2`
    /// can be large. Below -80 it is as good as closed.
    private func gate(_ argument: Tensor) -> Tensor {
        ((-Tensor.maximum(argument, Tensor(repeating: -80, argument.elementType))).exp() + 1)
            .reciprocal()
    }
}

extension Module {
    /// Stops, or notes the problem, when a training batch has one value per channel.
    func checkBatch(_ input: Tensor, _ channels: Int, _ context: Context) {
        guard input.shape.elementCount == channels else { return }
        let problem =
            "an input of \(input.shape) has one value per channel and no variance; train with two "
            + "samples or more a batch"
        guard let diagnosis = context.diagnosis else { fail(context, problem) }
        diagnosis.problems.append("\(context.label): \(problem)")
    }
}
