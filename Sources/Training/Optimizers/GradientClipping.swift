import Arrays
import Graph

/// How large gradients are made smaller before an update.
public enum GradientClipping: Hashable, Sendable {
    /// All gradients together are scaled so that their Euclidean norm is at most this (Pascanu, Mikolov
    /// and Bengio 2013; as PyTorch's `clip_grad_norm_`, with 1e-6 beside the norm).
    case norm(Double)
    /// Every element is clamped to plus or minus this.
    case value(Double)

    /// The clipped gradients without their common scale, and the scale (a float64 scalar).
    package func apply(_ gradients: [Tensor]) -> (gradients: [Tensor], scale: Tensor) {
        let one = Tensor.ones([], .float64)
        switch self {
        case .value(let limit):
            return (gradients.map { $0.clamped(to: -limit...limit) }, one)
        case .norm(let limit):
            let squares = gradients.map { $0.square().sum().cast(to: .float64) }
            guard let first = squares.first else { return (gradients, one) }
            let norm = squares.dropFirst().reduce(first, +).sqrt()
            norm.requireFinite("gradient norm")
            return (gradients, Tensor.minimum(limit / (norm + 1e-6), one))
        }
    }
}
