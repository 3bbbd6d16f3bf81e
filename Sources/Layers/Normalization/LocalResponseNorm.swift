import Arrays
import Graph

/// Local response normalization across neighbouring channels (Krizhevsky, Sutskever and Hinton 2012, in
/// PyTorch's form):
///
///     y = x / (k + alpha / size * sum of x^2 over the window)^beta
///
/// The window of channel c begins at `c - size / 2` (rounded down) and is `size` channels long; what lies
/// outside counts as 0.
public final class LocalResponseNorm: Module {
    public let size: Int
    public let alpha: Double
    public let beta: Double
    public let k: Double
    public let axis: Int

    /// - Parameters:
    ///   - size: how many neighbouring channels share a sum, at least 1.
    ///   - axis: the channel axis; -1 is the last. The first axis is the samples'.
    public init(
        size: Int, alpha: Double = 1e-4, beta: Double = 0.75, k: Double = 1, axis: Int = -1
    ) {
        precondition(size > 0, "LocalResponseNorm: expected a size of at least 1, found \(size)")
        precondition(
            axis != 0, "LocalResponseNorm: axis 0 is the samples', it cannot be the channel axis")
        (self.size, self.alpha, self.beta, self.k) = (size, alpha, beta, k)
        self.axis = axis
        super.init()
    }

    override public func call(_ input: Tensor, _ context: Context) -> Tensor {
        guard input.rank >= 2, axis < input.rank, axis > -input.rank else {
            fail(
                context,
                "expected an input of rank 2 or more with channels on axis \(axis), found "
                    + "\(input.shape)")
        }
        return input.throughFloat32 { x in
            let sums = x.square().windowSum(
                axis: axis, before: size / 2, after: (size - 1) / 2)
            return x * (sums * (alpha / Double(size)) + k).power(-beta)
        }
    }
}
