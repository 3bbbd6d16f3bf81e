import Arrays
import Graph
import Layers

/// Stochastic gradient descent, with momentum and Nesterov's variant of it (Sutskever et al. 2013), as
/// PyTorch defines them.
public final class SGD: Optimizer {
    public let momentum: Double
    public let isNesterov: Bool

    /// - Parameter groups: by default weights decay, and biases, gamma and beta do not.
    public init(
        learningRate: Double = 0.01, momentum: Double = 0, nesterov: Bool = false,
        groups: [ParameterGroup], clipping: GradientClipping? = nil
    ) {
        precondition(
            momentum >= 0 && momentum < 1, "SGD: momentum must be in 0..<1, found \(momentum)")
        precondition(!nesterov || momentum > 0, "SGD: Nesterov's variant needs a momentum")
        self.momentum = momentum
        isNesterov = nesterov
        super.init(learningRate: learningRate, groups: groups, clipping: clipping)
    }

    /// With weight decay (L2) and L1 for weights only, not for biases, gamma and beta.
    public convenience init(
        learningRate: Double = 0.01, momentum: Double = 0, nesterov: Bool = false,
        weightDecay: Double = 0, l1: Double = 0, clipping: GradientClipping? = nil
    ) {
        self.init(
            learningRate: learningRate, momentum: momentum, nesterov: nesterov,
            groups: [ParameterGroup(roles: [.weight], weightDecay: weightDecay, l1: l1)],
            clipping: clipping)
    }

    override public var momentNames: [String] { momentum == 0 ? [] : ["velocity"] }

    override public func operation(decay: Double) -> any OptimizerUpdate {
        SGDUpdate(momentum: momentum, isNesterov: isNesterov, decay: decay)
    }
}
