import Arrays
import Graph
import Layers

/// RMSProp (Hinton 2012), optionally centred (Graves 2013) and with momentum, as PyTorch defines it.
public final class RMSProp: Optimizer {
    public let alpha: Double
    public let epsilon: Double
    public let momentum: Double
    public let isCentred: Bool

    public init(
        learningRate: Double = 0.01, alpha: Double = 0.99, epsilon: Double = 1e-8,
        momentum: Double = 0, centred: Bool = false, groups: [ParameterGroup],
        clipping: GradientClipping? = nil
    ) {
        precondition(
            (0..<1).contains(alpha) && (0..<1).contains(momentum),
            "RMSProp: alpha and momentum must be in 0..<1, found \(alpha) and \(momentum)")
        precondition(epsilon > 0, "RMSProp: epsilon must be positive, found \(epsilon)")
        self.alpha = alpha
        self.epsilon = epsilon
        self.momentum = momentum
        isCentred = centred
        super.init(learningRate: learningRate, groups: groups, clipping: clipping)
    }

    /// With weight decay (L2) and L1 for weights only, not for biases, gamma and beta.
    public convenience init(
        learningRate: Double = 0.01, alpha: Double = 0.99, epsilon: Double = 1e-8,
        momentum: Double = 0, centred: Bool = false, weightDecay: Double = 0, l1: Double = 0,
        clipping: GradientClipping? = nil
    ) {
        self.init(
            learningRate: learningRate, alpha: alpha, epsilon: epsilon, momentum: momentum,
            centred: centred,
            groups: [ParameterGroup(roles: [.weight], weightDecay: weightDecay, l1: l1)],
            clipping: clipping)
    }

    override public var momentNames: [String] {
        ["square_average"] + (isCentred ? ["gradient_average"] : [])
            + (momentum == 0 ? [] : ["velocity"])
    }

    override public func operation(decay: Double) -> any OptimizerUpdate {
        RMSPropUpdate(
            alpha: alpha, epsilon: epsilon, momentum: momentum, isCentred: isCentred, decay: decay)
    }
}
