import Arrays
import Graph

// What the layers of this folder share.

/// `1 / sqrt(variance + epsilon)`. Without an epsilon, what does not vary is divided by nothing: it is 0
/// then, so that equal values come out as beta and not as NaN.
func inverseDeviation(_ variance: Tensor, epsilon: Double) -> Tensor {
    if epsilon > 0 { return (variance + epsilon).rsqrt() }
    let isConstant = variance .== 0
    let root = Tensor.select(isConstant, Tensor.ones([], .float64), variance).rsqrt()
    return Tensor.select(isConstant, Tensor.zeros([], .float64), root)
}

/// `sqrt(variance + epsilon)`, with the derivative 0 where it would be infinite.
func deviation(_ variance: Tensor, epsilon: Double) -> Tensor {
    if epsilon > 0 { return (variance + epsilon).sqrt() }
    let isConstant = variance .== 0
    let root = Tensor.select(isConstant, Tensor.ones([], .float64), variance).sqrt()
    return Tensor.select(isConstant, Tensor.zeros([], .float64), root)
}

extension Tensor {
    /// Where there are no 16-bit kernels, such floats are computed with as float32 and rounded at the
    /// end; gradients likewise.
    func throughFloat32(_ compute: (Tensor) -> Tensor) -> Tensor {
        guard elementType == .bfloat16 || elementType == .float16 else { return compute(self) }
        return compute(cast(to: .float32)).cast(to: elementType)
    }

    /// Layer, group and instance norm: rows and groups by their own statistics.
    ///
    /// - Parameter isCentred: false divides by the root of the mean square instead of the deviation.
    func normalizedGroups(
        axis: Int, groups: Int, epsilon: Double, isCentred: Bool = true, gamma: Tensor?,
        beta: Tensor?
    ) -> Tensor {
        // Kernels exist for float32 and bfloat16.
        if elementType == .float16 {
            return throughFloat32 {
                $0.normalizedGroups(
                    axis: axis, groups: groups, epsilon: epsilon, isCentred: isCentred,
                    gamma: gamma, beta: beta)
            }
        }
        let gamma = gamma?.cast(to: .float64)
        let beta = beta?.cast(to: .float64)
        guard isCentred else {
            let square = groupMeanSquare(axis: axis, groups: groups)
            return groupScale(
                axis: axis, groups: groups, scale: inverseDeviation(square, epsilon: epsilon),
                gamma: gamma, beta: beta)
        }
        let moments = groupMoments(axis: axis, groups: groups)
        return groupScale(
            axis: axis, groups: groups, mean: moments.mean, low: moments.low,
            scale: inverseDeviation(moments.variance, epsilon: epsilon), gamma: gamma, beta: beta)
    }

    /// The tensor as rows `[others, values of the axes]`, processed, and put back in its shape.
    func overRows(of axes: [Int], _ compute: (Tensor) -> Tensor) -> Tensor {
        let axes = shape.normalized(axes: axes)
        let others = (0..<rank).filter { !axes.contains($0) }
        let order = others + axes
        let length = axes.reduce(1) { $0 * shape[$1] }
        let ordered = transposed(axes: order)
        let rows = ordered.reshape([others.reduce(1) { $0 * shape[$1] }, length])
        var inverse = order
        for (position, axis) in order.enumerated() { inverse[axis] = position }
        return compute(rows).reshape(ordered.shape).transposed(axes: inverse)
    }

    /// Whether there are so few values per channel that a masked gradient is worth float64: it is a sum of
    /// parts, which nearly cancel.
    func isSmallFloat32(channels: Int) -> Bool {
        elementType == .float32 && shape.elementCount <= 64 * channels
    }

    /// Zeros in place of what is not finite and excluded by a weight of 0.
    ///
    /// - Parameters:
    ///   - axis: the channel axis.
    ///   - weights: one per position, of this tensor's type and of its shape without the channel axis.
    public func maskingNonFinite(axis: Int, weights: Tensor) -> Tensor {
        let isMasked = (weights .== 0).cast(to: elementType).expanded(axis: axis)
        let isFinite = ((self - self) .== 0).cast(to: elementType)
        return Tensor.select(
            (isMasked * (1 - isFinite)) .== 0, self, Tensor.zeros([], elementType))
    }

    /// A vector of one value per channel, shaped to broadcast against `target`.
    func perChannel(axis: Int, like target: Tensor) -> Tensor {
        var extents = [Int](repeating: 1, count: target.rank)
        extents[target.shape.normalized(axis: axis)] = shape.elementCount
        return cast(to: target.elementType).reshape(Shape(extents))
    }
}

/// Traps unless a layer's epsilon makes sense.
func checkEpsilon(_ epsilon: Double, _ layer: String) {
    precondition(
        epsilon >= 0 && epsilon.isFinite,
        "\(layer): epsilon must be a small number, not negative, found \(epsilon)")
}

extension Module {
    /// The gamma of a normalization layer; nil for another layer, and for one without.
    package var gammaOfNorm: Parameter? {
        for case (_, .parameter(let parameter)) in members()
        where parameter.role == .scale && parameter.name == "weight" {
            return parameter
        }
        return nil
    }
}

extension Parameter {
    /// A gamma, `weight` in checkpoints.
    static func gamma(_ shape: Shape, _ initializer: Initializer = .ones) -> Parameter {
        Parameter(shape, role: .scale, initializer: initializer, name: "weight")
    }

    /// A beta, `bias` in checkpoints.
    static func beta(_ shape: Shape, _ initializer: Initializer = .zeros) -> Parameter {
        Parameter(shape, role: .shift, initializer: initializer, name: "bias")
    }
}

extension Module {
    /// Stops unless the input has rank 2 or more and the channels on the axis, which is not the samples'.
    func checkChannels(_ input: Tensor, _ channels: Int, axis: Int, _ context: Context) {
        guard input.rank >= 2, axis < input.rank, axis > -input.rank, axis != 0,
            input.shape[input.shape.normalized(axis: axis)] == channels
        else {
            fail(
                context,
                "expected an input of rank 2 or more with \(channels) channels on axis \(axis), "
                    + "found \(input.shape)")
        }
    }
}
