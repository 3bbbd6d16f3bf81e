import Arrays
import RealModule

/// An activation that a normalization kernel applies on its way.
public enum FusedActivation: Hashable, Sendable {
    case identity
    /// x > 0 ? x : slope * x
    case leakyReLU(slope: Double)
    /// min(max(x, 0), 6)
    case relu6
}

extension FusedActivation: CustomStringConvertible {
    public var description: String {
        switch self {
        case .identity: "identity"
        case .leakyReLU(slope: 0): "relu"
        case .leakyReLU(let slope): "leakyReLU(\(slope))"
        case .relu6: "relu6"
        }
    }
}

/// Which per-channel vectors, and what else, an operation of this family takes after its leading inputs.
public struct CentredParts: Hashable, Sendable {
    /// mean and the rest that its rounding left
    public var hasMean = false
    public var hasLow = false
    public var hasScale = false
    public var hasShift = false
    /// A tensor of x's shape, added before the activation.
    public var hasResidual = false

    public init(mean: Bool, low: Bool, scale: Bool, shift: Bool, residual: Bool = false) {
        (hasMean, hasLow, hasScale, hasShift) = (mean, low, scale, shift)
        hasResidual = residual
    }

    /// The positions of the parts among the inputs, given how many inputs come before them.
    public func positions(after leading: Int) -> Positions {
        var next = leading
        func take(_ present: Bool) -> Int? {
            guard present else { return nil }
            defer { next += 1 }
            return next
        }
        return Positions(
            mean: take(hasMean), low: take(hasLow), scale: take(hasScale), shift: take(hasShift),
            residual: take(hasResidual))
    }

    public struct Positions {
        public let mean, low, scale, shift, residual: Int?
        var vectors: [Int] { [mean, low, scale, shift].compactMap { $0 } }
    }
}

/// `activation((x - mean - low) * scale + shift + residual)`, with one mean, scale and shift per channel:
/// the normalization of batch norm with known statistics, and the shape of its gradients.
///
/// Inputs: `x`, then those of mean, low, scale, shift (float64 `[channels]`) and residual that are present.
public struct CentredScale: Operation {
    public let axis: Int
    public let parts: CentredParts
    public let activation: FusedActivation

    public init(axis: Int, parts: CentredParts, activation: FusedActivation = .identity) {
        self.axis = axis
        self.parts = parts
        self.activation = activation
    }

    public var name: String {
        "centredScale" + (parts.hasResidual ? "+add" : "")
            + (activation == .identity ? "" : "+\(activation)")
    }

    public func outputSpecs(_ inputs: [TensorSpec]) -> [TensorSpec] {
        let channels = checkChannels(inputs[0], axis: axis)
        let positions = parts.positions(after: 1)
        checkVectors(positions.vectors.map { inputs[$0] }, channels: channels)
        if let residual = positions.residual, inputs[residual] != inputs[0] {
            fail("expected a residual of \(inputs[0]), found \(inputs[residual])")
        }
        return [inputs[0]]
    }

    public func sharding(_ inputs: [TensorSpec], _ outputs: [TensorSpec]) -> Sharding {
        let residual = parts.positions(after: 1).residual
        return .rows(aligned: inputs.indices.map { $0 == 0 || $0 == residual })
    }

    /// Only the plain form is differentiated; activations and residuals are fused after differentiation.
    public func inputGradients(_ call: GradientCall) -> [Tensor?] {
        precondition(
            activation == .identity && !parts.hasResidual,
            "\(name): fused forms have no gradient rule")
        let positions = parts.positions(after: 1)
        let input = { (position: Int?) in position.map { call.inputs[$0] } }
        let (mean, low, scale) = (
            input(positions.mean), input(positions.low), input(positions.scale)
        )
        let dy = call.gradient
        let sums = dy.centredSums(with: call.inputs[0], axis: axis, mean: mean, low: low)
        var result = [Tensor?](repeating: nil, count: call.inputs.count)
        result[0] = scale.map { dy.centredScale(axis: axis, scale: $0) } ?? dy
        if let position = positions.mean {
            result[position] = -(scale.map { sums.sum * $0 } ?? sums.sum)
        }
        if let position = positions.scale { result[position] = sums.centredSum }
        if let position = positions.shift { result[position] = sums.sum }
        return result
    }

    public func reference<T: ReferenceScalar>(_ inputs: [Values<T>]) -> [Values<T>] {
        var y = inputs[0]
        let evaluate = centredEvaluator(inputs, x: 0, positions: parts.positions(after: 1))
        ChannelView(y.shape, axis: axis).forEach { offset, channel, _ in
            y.elements[offset] = activation.apply(evaluate(offset, channel))
        }
        return [y]
    }
}

/// `(x - mean - low) * scale + shift + residual` at an offset of a channel.
func centredEvaluator<T: ReferenceScalar>(
    _ inputs: [Values<T>], x: Int, positions: CentredParts.Positions
) -> (Int, Int) -> T {
    func vector(_ position: Int?) -> [T]? { position.map { inputs[$0].elements } }
    let (mean, low) = (vector(positions.mean), vector(positions.low))
    let (scale, shift, residual) = (
        vector(positions.scale), vector(positions.shift), vector(positions.residual)
    )
    let values = inputs[x].elements
    return { offset, channel in
        let centred = (values[offset] - (mean?[channel] ?? 0)) - (low?[channel] ?? 0)
        return centred * (scale?[channel] ?? 1) + (shift?[channel] ?? 0) + (residual?[offset] ?? 0)
    }
}

extension FusedActivation {
    func apply<T: ReferenceScalar>(_ x: T) -> T {
        switch self {
        case .identity: x
        case .leakyReLU(let slope): Unary(.leakyReLU(slope: slope)).apply(x)
        case .relu6: Unary(.clamp(lower: 0, upper: 6)).apply(x)
        }
    }

    /// The derivative at x, times dy.
    func gradient<T: ReferenceScalar>(_ dy: T, at x: T) -> T {
        switch self {
        case .identity: dy
        case .leakyReLU(let slope): Binary(.leakyReLUGradient(slope: slope)).apply(dy, x)
        case .relu6: Binary(.clampGradient(lower: 0, upper: 6)).apply(dy, x)
        }
    }
}

extension Tensor {
    /// `(x - mean - low) * scale + shift` per channel; missing parts are 0, 0, 1 and 0.
    public func centredScale(
        axis: Int, mean: Tensor? = nil, low: Tensor? = nil, scale: Tensor? = nil,
        shift: Tensor? = nil
    ) -> Tensor {
        let parts = CentredParts(
            mean: mean != nil, low: low != nil, scale: scale != nil, shift: shift != nil)
        let operation = CentredScale(axis: shape.normalized(axis: axis), parts: parts)
        return Node(operation, [self] + [mean, low, scale, shift].compactMap { $0 }).tensor
    }
}
