import Arrays
import Graph

/// Weight standardization (Qiao et al. 2019): each unit's weight is centred and divided by its deviation,
/// `w = (v - mean) / sqrt(variance + epsilon)`. Meant to go with ``GroupNorm`` at small batches.
public final class WeightStandardization: Reparametrized {
    public let epsilon: Double

    public init(_ layer: Module, epsilon: Double = 1e-5, weight name: String = "weight") {
        checkEpsilon(epsilon, "WeightStandardization")
        self.epsilon = epsilon
        super.init(layer, weight: name)
    }

    override public func weight(_ raw: Tensor, _ context: Context) -> Tensor {
        Self.weight(raw, epsilon: epsilon)
    }

    /// Each unit's weight centred and scaled, with the biased variance.
    public static func weight(_ raw: Tensor, epsilon: Double) -> Tensor {
        raw.overUnits {
            $0.normalizedGroups(axis: 1, groups: 1, epsilon: epsilon, gamma: nil, beta: nil)
        }
    }
}
