/// The two terms of batch norm's input gradient, `dy * a` and `(x - mean) * b + c`, are added in one pass.
public struct FuseInputGradient: Rewrite {
    public let name = "batch norm's input gradient in one pass"

    public init() {}

    public func replacement(for node: Node, in context: RewriteContext) -> [Tensor]? {
        guard let binary = node.operation as? Binary, binary.function == .add else { return nil }
        for (first, second) in [(0, 1), (1, 0)] {
            let (left, right) = (node.inputs[first].node, node.inputs[second].node)
            guard let scaled = left.operation as? CentredScale, scaled.isScaleOnly,
                let centred = right.operation as? CentredScale, centred.isPlain,
                centred.parts.hasMean, centred.parts.hasScale, centred.parts.hasShift,
                scaled.axis == centred.axis, left.inputs[0].spec == right.inputs[0].spec
            else { continue }
            let positions = centred.parts.positions(after: 1)
            let mean = [positions.mean, positions.low].compactMap { $0 }.map { right.inputs[$0] }
            let parts = CentredParts(
                mean: true, low: centred.parts.hasLow, scale: false, shift: false)
            let operation = CentredInputGradient(
                axis: centred.axis, parts: parts, activation: .identity, givesInnerGradient: false)
            let inputs = [
                left.inputs[0], right.inputs[0], left.inputs[1], right.inputs[positions.scale!],
                right.inputs[positions.shift!],
            ]
            return Node(operation, inputs + mean).tensors
        }
        return nil
    }
}

extension CentredScale {
    /// Without activation and residual.
    var isPlain: Bool { activation == .identity && !parts.hasResidual }
    /// Only a scale per channel.
    var isScaleOnly: Bool {
        isPlain && parts == CentredParts(mean: false, low: false, scale: true, shift: false)
    }
}
