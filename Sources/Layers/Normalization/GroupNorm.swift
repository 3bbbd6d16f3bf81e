import Arrays
import Graph

/// Group normalization (Wu and He 2018): the channels of each sample are normalized in groups of
/// adjacent ones, over all positions. Independent of the batch.
///
///     y = (x - mean) / sqrt(variance + epsilon) * gamma + beta
///
/// Input and output `[samples, ..., channels]`, or with the channels on another `axis`. One group is layer
/// norm over everything but the samples (with parameters per channel); a group for every channel is
/// ``InstanceNorm``. In checkpoints gamma is `weight` and beta is `bias`.
public final class GroupNorm: Module {
    public let groups: Int
    public let channels: Int
    public let axis: Int
    public let epsilon: Double
    public let gamma: Parameter?
    public let beta: Parameter?

    /// - Parameters:
    ///   - groups: divides the number of channels.
    ///   - axis: the channel axis; -1 is the last. The first axis is the samples'.
    ///   - epsilon: added to the biased variance. With 0, values that do not vary become beta.
    public init(
        groups: Int, _ channels: Int, axis: Int = -1, epsilon: Double = 1e-5, scale: Bool = true,
        center: Bool = true, gammaInitializer: Initializer = .ones,
        betaInitializer: Initializer = .zeros
    ) {
        precondition(
            groups > 0 && channels > 0 && channels % groups == 0,
            "GroupNorm: \(groups) groups do not divide \(channels) channels")
        precondition(axis != 0, "GroupNorm: axis 0 is the samples', it cannot be the channel axis")
        checkEpsilon(epsilon, "GroupNorm")
        self.groups = groups
        self.channels = channels
        self.axis = axis
        self.epsilon = epsilon
        gamma = scale ? .gamma([channels], gammaInitializer) : nil
        beta = center ? .beta([channels], betaInitializer) : nil
        super.init()
    }

    override public func call(_ input: Tensor, _ context: Context) -> Tensor {
        checkChannels(input, channels, axis: axis, context)
        return input.normalizedGroups(
            axis: axis, groups: groups, epsilon: epsilon, gamma: gamma?.tensor, beta: beta?.tensor)
    }
}
