/// The two terms of layer norm's input gradient, `dy * a * gamma` and `(x - mean) * b + c`, are added in
/// one pass.
public struct FuseGroupInputGradient: Rewrite {
    public let name = "layer norm's input gradient in one pass"

    public init() {}

    public func replacement(for node: Node, in context: RewriteContext) -> [Tensor]? {
        guard let binary = node.operation as? Binary, binary.function == .add else { return nil }
        for (first, second) in [(0, 1), (1, 0)] {
            let (left, right) = (node.inputs[first].node, node.inputs[second].node)
            guard let scaled = left.operation as? GroupScale,
                let centred = right.operation as? GroupScale,
                scaled.axis == centred.axis, scaled.groups == centred.groups,
                left.inputs[0].spec == right.inputs[0].spec,
                scaled.parts == GroupParts(scale: true, gamma: scaled.parts.hasGamma),
                !centred.parts.hasGamma, !centred.parts.hasBeta, centred.parts.hasScale
            else { continue }
            var given = GroupTensors(right.inputs, centred.parts.positions(after: 1))
            let outer = GroupTensors(left.inputs, scaled.parts.positions(after: 1))
            given.gamma = outer.gamma
            let operation = GroupInputGradient(
                axis: scaled.axis, groups: scaled.groups, parts: given.parts)
            return Node(
                operation, [left.inputs[0], right.inputs[0], outer.scale!] + given.inputs
            ).tensors
        }
        return nil
    }
}
