import Arrays
import Graph

/// Layer normalization (Ba, Kiros and Hinton 2016): each sample (each position, for sequences) is
/// normalized over its own last axes, so samples never meet and training equals inference.
///
/// Input and output `[..., normalizedShape...]`. In checkpoints gamma is `weight` and beta is `bias`.
public final class LayerNorm: Module {
    public let normalizedShape: Shape
    public let epsilon: Double
    public let gamma: Parameter?
    public let beta: Parameter?

    /// - Parameters:
    ///   - normalizedShape: the extents of the last axes, over which mean and variance are taken.
    ///   - epsilon: added to the biased variance. Positive.
    public init(
        _ normalizedShape: Shape, epsilon: Double = 1e-5, scale: Bool = true, center: Bool = true,
        gammaInitializer: Initializer = .ones, betaInitializer: Initializer = .zeros
    ) {
        precondition(
            normalizedShape.rank > 0 && normalizedShape.allSatisfy { $0 > 0 },
            "LayerNorm: expected positive extents to normalize over, found \(normalizedShape)")
        precondition(
            epsilon > 0 && epsilon.isFinite,
            "LayerNorm: epsilon must be a small positive number, found \(epsilon)")
        self.normalizedShape = normalizedShape
        self.epsilon = epsilon
        gamma =
            scale
            ? Parameter(
                normalizedShape, role: .scale, initializer: gammaInitializer, name: "weight")
            : nil
        beta =
            center
            ? Parameter(normalizedShape, role: .shift, initializer: betaInitializer, name: "bias")
            : nil
        super.init()
    }

    /// Over the last axis, of the given extent.
    public convenience init(
        _ features: Int, epsilon: Double = 1e-5, scale: Bool = true, center: Bool = true
    ) {
        self.init([features], epsilon: epsilon, scale: scale, center: center)
    }

    override public func call(_ input: Tensor, _ context: Context) -> Tensor {
        let rank = normalizedShape.rank
        guard input.rank > rank, input.shape.suffix(rank).elementsEqual(normalizedShape) else {
            fail(
                context,
                "expected an input of [samples, ...] + \(normalizedShape), found \(input.shape)")
        }
        let axes = Array((input.rank - rank)..<input.rank)
        let centred = input - input.mean(axes: axes, keepingDimensions: true)
        // What the rounding of the mean left over; without it a large mean costs digits.
        let exact = centred - centred.mean(axes: axes, keepingDimensions: true)
        let variance = exact.square().mean(axes: axes, keepingDimensions: true)
        var result = exact * (variance + epsilon).rsqrt()
        if let gamma { result = result * gamma.tensor }
        if let beta { result = result + beta.tensor }
        return result
    }
}
