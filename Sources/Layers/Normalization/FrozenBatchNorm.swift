import Arrays
import Graph

/// Batch norm that neither learns nor follows batches: a fixed scale and shift per channel, as for
/// backbones of detectors. All four vectors are states, none is a parameter.
///
/// Shapes and names in checkpoints are those of ``BatchNorm``: `weight`, `bias`, `running_mean` and
/// `running_var`. It is the same in training and inference.
public final class FrozenBatchNorm: Module {
    public let channels: Int
    public let axis: Int
    public let epsilon: Double
    public let gamma: State
    public let beta: State
    public let runningMean: State
    public let runningVariance: State

    public init(_ channels: Int, axis: Int = -1, epsilon: Double = 1e-5) {
        precondition(channels > 0, "FrozenBatchNorm: expected channels, found \(channels)")
        precondition(
            axis != 0, "FrozenBatchNorm: axis 0 is the samples', it cannot be the channel axis")
        checkEpsilon(epsilon, "FrozenBatchNorm")
        self.channels = channels
        self.axis = axis
        self.epsilon = epsilon
        gamma = State("weight", NDArray(repeating: Float(1), shape: [channels]))
        beta = State("bias", NDArray(zeros: [channels]))
        runningMean = State("running_mean", NDArray(zeros: [channels]))
        runningVariance = State("running_var", NDArray(repeating: Float(1), shape: [channels]))
        super.init()
    }

    /// What a trained batch norm computes in inference. Traps when it keeps no running statistics.
    public convenience init(_ norm: BatchNorm) {
        guard let statistics = norm.statistics else {
            preconditionFailure("FrozenBatchNorm: the batch norm keeps no running statistics")
        }
        self.init(norm.channels, axis: norm.axis, epsilon: norm.epsilon)
        let type = statistics.runningMean.value.elementType
        for state in [gamma, beta, runningMean, runningVariance] { state.widen(to: type) }
        if let scale = norm.gamma { gamma.value = scale.value.converted(to: type) }
        if let shift = norm.beta { beta.value = shift.value.converted(to: type) }
        runningMean.value = statistics.runningMean.value
        runningVariance.value = statistics.runningVariance.value
    }

    override public func call(_ input: Tensor, _ context: Context) -> Tensor {
        checkChannels(input, channels, axis: axis, context)
        let variance = runningVariance.tensor.cast(to: .float64)
        let scale = inverseDeviation(variance, epsilon: epsilon) * gamma.tensor.cast(to: .float64)
        return input.centredScale(
            axis: axis, mean: runningMean.tensor.cast(to: .float64), scale: scale,
            shift: beta.tensor.cast(to: .float64))
    }
}
