import Arrays
import Graph

/// Instance normalization (Ulyanov, Vedaldi and Lempitsky 2016): each channel of each sample by itself,
/// over its positions. The same in training and inference.
///
///     y = (x - mean) / sqrt(variance + epsilon) * gamma + beta
///
/// Input and output `[samples, ..., channels]`, or with the channels on another `axis`. As in PyTorch it
/// has no gamma and beta unless asked for.
public final class InstanceNorm: Module {
    public let channels: Int
    public let axis: Int
    public let epsilon: Double
    public let gamma: Parameter?
    public let beta: Parameter?

    /// - Parameters:
    ///   - axis: the channel axis; -1 is the last. The first axis is the samples'.
    ///   - epsilon: added to the biased variance. With 0, values that do not vary become beta.
    public init(
        _ channels: Int, axis: Int = -1, epsilon: Double = 1e-5, scale: Bool = false,
        center: Bool = false
    ) {
        precondition(channels > 0, "InstanceNorm: expected channels, found \(channels)")
        precondition(
            axis != 0, "InstanceNorm: axis 0 is the samples', it cannot be the channel axis")
        checkEpsilon(epsilon, "InstanceNorm")
        self.channels = channels
        self.axis = axis
        self.epsilon = epsilon
        gamma = scale ? .gamma([channels]) : nil
        beta = center ? .beta([channels]) : nil
        super.init()
    }

    override public func call(_ input: Tensor, _ context: Context) -> Tensor {
        checkChannels(input, channels, axis: axis, context)
        return input.normalizedGroups(
            axis: axis, groups: channels, epsilon: epsilon, gamma: gamma?.tensor,
            beta: beta?.tensor)
    }
}
