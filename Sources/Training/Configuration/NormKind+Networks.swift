import Arrays
import Layers
import Models

extension NormKind {
    /// What the named convolutional networks are built with; ``put(into:)`` does the rest.
    package var normalizer: Normalizer {
        switch self {
        case .layer: .layer
        case .group(let groups): .group(groups)
        case .instance: .instance
        case .none, .weight, .spectral, .standardized: .none
        default: .batch()
        }
    }

    /// Puts the normalizers in place that networks are not built with. (Those that bring their own
    /// activation keep the network's behind them.)
    package func put(into network: Module) -> Module {
        switch self {
        case .batch, .layer, .group, .instance, .none: return network
        case .weight: return network.replacing(Conv2D.self) { WeightNorm($0) }
        case .spectral: return network.replacing(Conv2D.self) { SpectralNorm($0) }
        case .standardized: return network.replacing(Conv2D.self) { WeightStandardization($0) }
        default:
            return network.replacing(BatchNorm.self) { norm in
                let module = self.module(for: norm)
                if let gamma = norm.gamma {
                    module.gammaOfNorm?.initializer = gamma.initializer
                }
                return module
            }
        }
    }

    private func module(for norm: BatchNorm) -> Module {
        let (channels, axis, epsilon) = (norm.channels, norm.axis, norm.epsilon)
        switch self {
        case .batchRenorm: return BatchRenorm(channels, axis: axis, epsilon: epsilon)
        case .ghost(let size):
            return GhostBatchNorm(ghostSize: size, channels, axis: axis, epsilon: epsilon)
        case .rms: return RMSNorm([channels], axes: [axis], epsilon: epsilon)
        case .filterResponse: return FilterResponseNorm(channels, axis: axis)
        case .evonormB0: return EvoNormB0(channels, axis: axis, epsilon: epsilon)
        case .evonormS0:
            let groups = (1...min(32, channels)).last { channels % $0 == 0 } ?? 1
            return EvoNormS0(groups: groups, channels, axis: axis, epsilon: epsilon)
        default: return norm
        }
    }
}
