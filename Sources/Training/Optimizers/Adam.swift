import Arrays
import Graph
import Layers

/// Adam (Kingma and Ba 2015), and AdamW, whose weight decay is decoupled from the gradient (Loshchilov and
/// Hutter 2019); both as PyTorch defines them.
public final class Adam: Optimizer {
    public let beta1: Double
    public let beta2: Double
    public let epsilon: Double
    private let decouplesDecay: Bool

    public init(
        learningRate: Double = 1e-3, beta1: Double = 0.9, beta2: Double = 0.999,
        epsilon: Double = 1e-8, decoupledDecay: Bool = false, groups: [ParameterGroup],
        clipping: GradientClipping? = nil
    ) {
        precondition(
            (0..<1).contains(beta1) && (0..<1).contains(beta2),
            "Adam: beta1 and beta2 must be in 0..<1, found \(beta1) and \(beta2)")
        precondition(epsilon > 0, "Adam: epsilon must be positive, found \(epsilon)")
        self.beta1 = beta1
        self.beta2 = beta2
        self.epsilon = epsilon
        decouplesDecay = decoupledDecay
        super.init(learningRate: learningRate, groups: groups, clipping: clipping)
    }

    /// With weight decay (L2) and L1 for weights only, not for biases, gamma and beta.
    public convenience init(
        learningRate: Double = 1e-3, beta1: Double = 0.9, beta2: Double = 0.999,
        epsilon: Double = 1e-8, weightDecay: Double = 0, l1: Double = 0,
        clipping: GradientClipping? = nil
    ) {
        self.init(
            learningRate: learningRate, beta1: beta1, beta2: beta2, epsilon: epsilon,
            groups: [ParameterGroup(roles: [.weight], weightDecay: weightDecay, l1: l1)],
            clipping: clipping)
    }

    /// AdamW, with decoupled weight decay for weights only, not for biases, gamma and beta.
    public static func decoupled(
        learningRate: Double = 1e-3, beta1: Double = 0.9, beta2: Double = 0.999,
        epsilon: Double = 1e-8, weightDecay: Double = 0.01, l1: Double = 0,
        clipping: GradientClipping? = nil
    ) -> Adam {
        Adam(
            learningRate: learningRate, beta1: beta1, beta2: beta2, epsilon: epsilon,
            decoupledDecay: true,
            groups: [ParameterGroup(roles: [.weight], weightDecay: weightDecay, l1: l1)],
            clipping: clipping)
    }

    override public var momentNames: [String] { ["first_moment", "second_moment"] }
    override public var isDecayDecoupled: Bool { decouplesDecay }

    override public func operation(decay: Double) -> any OptimizerUpdate {
        AdamUpdate(beta1: beta1, beta2: beta2, epsilon: epsilon, decay: decay)
    }

    override public func stepSize(_ learningRate: Tensor, count: Tensor) -> (
        stepSize: Tensor, rootCorrection: Tensor
    ) {
        func correction(_ beta: Double) -> Tensor {
            1 - Tensor(repeating: beta, .float64).power(count)
        }
        return (learningRate / correction(beta1), correction(beta2).rsqrt())
    }
}
