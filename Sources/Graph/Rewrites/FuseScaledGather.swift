import Arrays

/// Gathering bytes, converting and scaling them becomes one pass over the batch.
public struct FuseScaledGather: Rewrite {
    public let name = "gather + convert + scale"

    public init() {}

    public func replacement(for node: Node, in context: RewriteContext) -> [Tensor]? {
        if let gather = node.inputs.first?.node, let cast = node.operation as? Cast,
            cast.type == .float32,
            gather.operation is Gather, gather.inputs[0].elementType == .uint8,
            gather.inputs[1].rank == 1
        {
            return Node(ScaledGather(scale: 1, shift: 0), gather.inputs).tensors
        }
        // Scales and shifts that follow are taken in while nothing else wants the unscaled rows.
        guard let unary = node.operation as? Unary,
            let source = node.inputs.first, let gather = source.node.operation as? ScaledGather,
            context.isUsedOnce(source)
        else { return nil }
        switch unary.function {
        case .multiply(let factor):
            let fused = ScaledGather(scale: gather.scale * factor, shift: gather.shift * factor)
            return Node(fused, source.node.inputs).tensors
        case .add(let term):
            let fused = ScaledGather(scale: gather.scale, shift: gather.shift + term)
            return Node(fused, source.node.inputs).tensors
        default: return nil
        }
    }
}
