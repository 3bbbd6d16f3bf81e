import Arrays
import Graph

/// Layer normalization (Ba, Kiros and Hinton 2016): each sample (each position, for sequences) is
/// normalized over axes of its own, so samples never meet and training equals inference.
///
///     y = (x - mean) / sqrt(variance + epsilon) * gamma + beta
///
/// Input and output `[..., normalizedShape...]`, or any shape that has these extents on the chosen axes.
/// In checkpoints gamma is `weight` and beta is `bias`.
public final class LayerNorm: Module {
    public let normalizedShape: Shape
    public let axes: [Int]
    public let epsilon: Double
    public let gamma: Parameter?
    public let beta: Parameter?

    /// - Parameters:
    ///   - normalizedShape: the extents of the axes over which mean and variance are taken, in the order
    ///     of the axes; the shape of gamma and beta.
    ///   - axes: the axes; the last ones when nil.
    ///   - epsilon: added to the biased variance. With 0, values that do not vary become beta.
    public init(
        _ normalizedShape: Shape, axes: [Int]? = nil, epsilon: Double = 1e-5, scale: Bool = true,
        center: Bool = true, gammaInitializer: Initializer = .ones,
        betaInitializer: Initializer = .zeros
    ) {
        let axes = axes ?? Array(-normalizedShape.rank..<0)
        precondition(
            normalizedShape.rank > 0 && normalizedShape.allSatisfy { $0 > 0 },
            "LayerNorm: expected positive extents to normalize over, found \(normalizedShape)")
        precondition(
            axes.count == normalizedShape.rank,
            "LayerNorm: expected an axis for each extent of \(normalizedShape), found \(axes)")
        checkEpsilon(epsilon, "LayerNorm")
        self.normalizedShape = normalizedShape
        self.axes = axes
        self.epsilon = epsilon
        gamma = scale ? .gamma(normalizedShape, gammaInitializer) : nil
        beta = center ? .beta(normalizedShape, betaInitializer) : nil
        super.init()
    }

    /// Over the last axis, of the given extent.
    public convenience init(
        _ features: Int, epsilon: Double = 1e-5, scale: Bool = true, center: Bool = true
    ) {
        self.init([features], epsilon: epsilon, scale: scale, center: center)
    }

    override public func call(_ input: Tensor, _ context: Context) -> Tensor {
        checkAxes(input, axes, normalizedShape, context)
        return input.overRows(of: axes) {
            $0.normalizedGroups(
                axis: 1, groups: 1, epsilon: epsilon, gamma: gamma?.tensor.flattened(from: 0),
                beta: beta?.tensor.flattened(from: 0))
        }
    }
}

/// Root mean square normalization (Zhang and Sennrich 2019): layer norm that does not centre.
///
///     y = x / sqrt(mean(x^2) + epsilon) * gamma
///
/// Shapes and axes are those of ``LayerNorm``; a beta is there on request.
public final class RMSNorm: Module {
    public let normalizedShape: Shape
    public let axes: [Int]
    public let epsilon: Double
    public let gamma: Parameter?
    public let beta: Parameter?

    /// The parameters mean what they do for ``LayerNorm``.
    public init(
        _ normalizedShape: Shape, axes: [Int]? = nil, epsilon: Double = 1e-5, scale: Bool = true,
        center: Bool = false, gammaInitializer: Initializer = .ones
    ) {
        let axes = axes ?? Array(-normalizedShape.rank..<0)
        precondition(
            normalizedShape.rank > 0 && normalizedShape.allSatisfy { $0 > 0 },
            "RMSNorm: expected positive extents to normalize over, found \(normalizedShape)")
        precondition(
            axes.count == normalizedShape.rank,
            "RMSNorm: expected an axis for each extent of \(normalizedShape), found \(axes)")
        checkEpsilon(epsilon, "RMSNorm")
        self.normalizedShape = normalizedShape
        self.axes = axes
        self.epsilon = epsilon
        gamma = scale ? .gamma(normalizedShape, gammaInitializer) : nil
        beta = center ? .beta(normalizedShape) : nil
        super.init()
    }

    /// Over the last axis, of the given extent.
    public convenience init(_ features: Int, epsilon: Double = 1e-5, scale: Bool = true) {
        self.init([features], epsilon: epsilon, scale: scale)
    }

    override public func call(_ input: Tensor, _ context: Context) -> Tensor {
        checkAxes(input, axes, normalizedShape, context)
        return input.overRows(of: axes) {
            $0.normalizedGroups(
                axis: 1, groups: 1, epsilon: epsilon, isCentred: false,
                gamma: gamma?.tensor.flattened(from: 0), beta: beta?.tensor.flattened(from: 0))
        }
    }
}

extension Module {
    /// Stops unless the input's extents on the axes, in ascending order, are the given ones.
    fileprivate func checkAxes(
        _ input: Tensor, _ axes: [Int], _ extents: Shape, _ context: Context
    ) {
        let rank = input.rank
        let isValid =
            axes.allSatisfy { $0 >= -rank && $0 < rank }
            && Set(axes.map { $0 < 0 ? $0 + rank : $0 }).count == axes.count
            && input.shape.normalized(axes: axes).map { input.shape[$0] } == extents.dimensions
        guard isValid else {
            fail(
                context,
                "expected an input with the extents \(extents) on the axes \(axes), found "
                    + "\(input.shape)")
        }
    }
}
