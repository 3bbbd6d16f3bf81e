import Arrays
import Graph

/// Filter response normalization with its thresholded linear unit (Singh and Krishnan 2020): each channel
/// of each sample by the root of its mean square, independent of the batch.
///
///     y = max(x / sqrt(mean(x^2) + epsilon) * gamma + beta, tau)
///
/// Input and output `[samples, ..., channels]`, or with the channels on another `axis`. gamma is `weight`,
/// beta is `bias` in checkpoints. It takes the place of normalization and activation.
public final class FilterResponseNorm: Module {
    public let channels: Int
    public let axis: Int
    public let epsilon: Double
    public let gamma: Parameter
    public let beta: Parameter
    /// The threshold per channel; nil without the activation.
    public let tau: Parameter?

    /// - Parameter thresholds: whether the activation is there; false normalizes only.
    public init(_ channels: Int, axis: Int = -1, epsilon: Double = 1e-6, thresholds: Bool = true) {
        precondition(channels > 0, "FilterResponseNorm: expected channels, found \(channels)")
        precondition(
            axis != 0, "FilterResponseNorm: axis 0 is the samples', it cannot be the channel axis")
        checkEpsilon(epsilon, "FilterResponseNorm")
        self.channels = channels
        self.axis = axis
        self.epsilon = epsilon
        gamma = .gamma([channels])
        beta = .beta([channels])
        tau = thresholds ? Parameter([channels], role: .shift, initializer: .zeros) : nil
        super.init()
    }

    override public func call(_ input: Tensor, _ context: Context) -> Tensor {
        checkChannels(input, channels, axis: axis, context)
        return input.throughFloat32 { x in
            let y = x.normalizedGroups(
                axis: axis, groups: channels, epsilon: epsilon, isCentred: false,
                gamma: gamma.tensor, beta: beta.tensor)
            return tau.map { Tensor.maximum(y, $0.tensor.perChannel(axis: axis, like: y)) } ?? y
        }
    }
}
