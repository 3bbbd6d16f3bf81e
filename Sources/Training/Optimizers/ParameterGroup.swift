import Arrays
import Layers

/// Parameters that an optimizer treats alike.
public struct ParameterGroup {
    /// Whether a parameter with a name such as `1.weight` belongs to the group.
    public var matches: (_ name: String, _ parameter: Parameter) -> Bool
    /// What the learning rate is multiplied with.
    public var learningRateFactor: Double
    /// The factor of the weights themselves in the gradient (L2), or of decoupled decay in AdamW.
    public var weightDecay: Double
    /// The factor of the weights' signs in the gradient: the gradient of `l1 * |w|`.
    public var l1: Double

    public init(
        learningRateFactor: Double = 1, weightDecay: Double = 0, l1: Double = 0,
        _ matches: @escaping (_ name: String, _ parameter: Parameter) -> Bool
    ) {
        precondition(
            weightDecay >= 0 && l1 >= 0 && learningRateFactor >= 0,
            "a parameter group's factors cannot be negative, found learning rate factor "
                + "\(learningRateFactor), weight decay \(weightDecay) and l1 \(l1)")
        self.matches = matches
        self.learningRateFactor = learningRateFactor
        self.weightDecay = weightDecay
        self.l1 = l1
    }

    /// All parameters of some roles.
    public init(
        roles: Set<Parameter.Role>, learningRateFactor: Double = 1, weightDecay: Double = 0,
        l1: Double = 0
    ) {
        self.init(learningRateFactor: learningRateFactor, weightDecay: weightDecay, l1: l1) {
            roles.contains($1.role)
        }
    }
}
