import Graph
import Layers
import Normalization

/// Which normalization a model has behind its convolutions.
public enum Normalizer: Hashable, Sendable {
    /// Batch norm, with the running average given.
    case batch(RunningAverage = .pytorch())
    /// Group norm with so many groups, or as many as still divide the channels.
    case group(Int = 32)
    /// Each channel of each sample by itself.
    case instance
    /// Each sample by itself, over channels and positions.
    case layer
    /// None: the convolutions have biases in its place.
    case none

    /// Whether convolutions in front of it have a bias.
    public var wantsBias: Bool { self == .none }

    /// The layer for so many channels, nil for `none`.
    ///
    /// - Parameter zeroGamma: starts with a scale of zero, so that a residual branch begins as nothing.
    public func layer(_ channels: Int, zeroGamma: Bool = false) -> Module? {
        let gamma: Initializer = zeroGamma ? .zeros : .ones
        switch self {
        case .batch(let average):
            return BatchNorm(channels, average: average, gammaInitializer: gamma)
        case .group(let groups):
            let fitting = (1...max(1, min(groups, channels))).last { channels % $0 == 0 } ?? 1
            return GroupNorm(groups: fitting, channels, gammaInitializer: gamma)
        case .instance: return GroupNorm(groups: channels, channels, gammaInitializer: gamma)
        case .layer: return GroupNorm(groups: 1, channels, gammaInitializer: gamma)
        case .none: return nil
        }
    }
}

/// For the weights of convolutions in front of ReLU: variance 2 / (outputs * kernel), as residual networks
/// use it (He et al. 2015).
let convolutionInitializer = Initializer.he(.normal, mode: .fanOut)

/// A convolution without bias where a normalizer follows, padded so that stride 1 keeps the extents.
func convolution(
    _ inputs: Int, _ outputs: Int, kernel: Int = 3, stride: Int = 1, groups: Int = 1,
    _ normalizer: Normalizer
) -> Conv2D {
    Conv2D(
        inputs, outputs, kernel: PerAxis(kernel), strides: PerAxis(stride),
        padding: .symmetric(kernel / 2), groups: groups, bias: normalizer.wantsBias,
        initializer: convolutionInitializer)
}
