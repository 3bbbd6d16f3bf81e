/// An activation behind a normalization (and an addition between them) becomes part of its pass.
public struct FuseActivation: Rewrite {
    public let name = "normalize + add + activation"

    public init() {}

    public func replacement(for node: Node, in context: RewriteContext) -> [Tensor]? {
        guard let unary = node.operation as? Unary,
            let activation = FusedActivation(unary.function),
            let source = NormalizedSum(node.inputs[0])
        else { return nil }
        let operation = CentredScale(
            axis: source.axis, parts: source.parts, activation: activation)
        return Node(operation, [source.x] + source.vectors + source.residuals).tensors
    }
}

/// The gradient of an activation behind a normalization is computed again inside the passes that use it,
/// from the normalization's input: the activation's own argument need not be kept.
///
/// Where something else wants that gradient too, as the other branch of a residual sum does, it is taken
/// once while the gradient behind it is in cache, and read by all.
public struct FuseActivationGradient: Rewrite {
    public let name = "recompute normalize + activation in backward"

    public init() {}

    public func replacement(for node: Node, in context: RewriteContext) -> [Tensor]? {
        switch node.operation {
        case let sums as CentredSums where sums.activation == .identity:
            guard let (dy, source, activation) = match(node, x: node.inputs[1], context) else {
                return nil
            }
            guard source.axis == sums.axis,
                source.sharesMean(with: node.inputs, sums.parts, after: 2)
            else { return nil }
            let fused = CentredSums(axis: sums.axis, parts: source.parts, activation: activation)
            return Node(fused, [dy, source.x] + source.vectors + source.residuals).tensors
        case let gradient as CentredInputGradient where gradient.activation == .identity:
            guard let (dy, source, activation) = match(node, x: node.inputs[1], context) else {
                return nil
            }
            guard source.axis == gradient.axis,
                source.sharesMean(with: node.inputs, gradient.parts, after: 5)
            else { return nil }
            let fused = CentredInputGradient(
                axis: gradient.axis, parts: source.parts, activation: activation,
                givesInnerGradient: gradient.givesInnerGradient)
            return Node(
                fused, [dy, source.x] + node.inputs[2..<5] + source.vectors + source.residuals
            ).tensors
        default: return nil
        }
    }

    /// `dy' = activation gradient(dy, normalized sum of x)`
    private func match(
        _ node: Node, x: Tensor, _ context: RewriteContext
    ) -> (Tensor, NormalizedSum, FusedActivation)? {
        let outer = node.inputs[0].node
        guard context.useCount(node.inputs[0]) <= 2, let binary = outer.operation as? Binary,
            let activation = FusedActivation(gradient: binary.function),
            let source = NormalizedSum(outer.inputs[1]), source.x == x
        else { return nil }
        return (outer.inputs[0], source, activation)
    }
}

/// `centredScale(x) [+ residual]`, taken apart.
struct NormalizedSum {
    let axis: Int
    let x: Tensor
    let vectors: [Tensor]
    let residuals: [Tensor]
    let parts: CentredParts

    init?(_ tensor: Tensor) {
        var scaled = tensor.node
        var residual: Tensor?
        if let sum = tensor.node.operation as? Binary, sum.function == .add,
            tensor.node.inputs[0].spec == tensor.node.inputs[1].spec
        {
            let sides = tensor.node.inputs
            let left = sides[0].node.operation is CentredScale
            scaled = (left ? sides[0] : sides[1]).node
            residual = left ? sides[1] : sides[0]
        }
        guard let operation = scaled.operation as? CentredScale, operation.activation == .identity,
            !operation.parts.hasResidual, operation.parts.hasMean
        else { return nil }
        axis = operation.axis
        x = scaled.inputs[0]
        vectors = Array(scaled.inputs.dropFirst())
        residuals = residual.map { [$0] } ?? []
        var parts = operation.parts
        parts.hasResidual = residual != nil
        self.parts = parts
    }

    /// Whether another operation of the family centres by the same tensors.
    func sharesMean(with inputs: [Tensor], _ other: CentredParts, after leading: Int) -> Bool {
        let mine = parts.positions(after: 1)
        let theirs = other.positions(after: leading)
        func same(_ a: Int?, _ b: Int?) -> Bool {
            guard let a, let b else { return a == nil && b == nil }
            return vectors[a - 1] == inputs[b]
        }
        return same(mine.mean, theirs.mean) && same(mine.low, theirs.low)
    }
}

extension FusedActivation {
    /// Nil for functions that are not fused.
    public init?(_ function: Unary.Function) {
        switch function {
        case .leakyReLU(let slope): self = .leakyReLU(slope: slope)
        case .clamp(lower: 0, upper: 6): self = .relu6
        default: return nil
        }
    }

    init?(gradient function: Binary.Function) {
        switch function {
        case .leakyReLUGradient(let slope): self = .leakyReLU(slope: slope)
        case .clampGradient(lower: 0, upper: 6): self = .relu6
        default: return nil
        }
    }
}
