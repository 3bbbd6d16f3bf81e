/// What divides the sum of squared distances from the mean.
///
/// Batch norm normalizes with the biased variance. What the running variance stores differs between
/// libraries, and is a choice here: unbiased as PyTorch and MLX, biased as Keras, Flax and ONNX.
public enum VarianceKind: String, Hashable, Sendable, CaseIterable {
    /// Divides by the number of values: the variance of these values.
    case biased
    /// Divides by one less (Bessel's correction): an estimate of the variance they were drawn from.
    case unbiased

    /// The variance, 0 when there are no values. The unbiased variance of a single value does not exist;
    /// it is given as 0.
    public func variance(squaredDistances: Double, count: Double) -> Double {
        let divisor = self == .biased ? count : count - 1
        return divisor > 0 ? squaredDistances / divisor : 0
    }

    /// What the biased variance of `count` values is multiplied with to get this kind.
    public func factor(count: Double) -> Double {
        self == .biased || count <= 1 ? 1 : count / (count - 1)
    }
}
