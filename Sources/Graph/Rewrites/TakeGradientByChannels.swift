import Arrays

/// The gradient of the weight of a dense layer in front of a batch norm is made row by row of the weight,
/// from all samples of that row's channel: where nothing else wants the batch norm's input gradient, each
/// row's shard makes the part it needs, and one phase does what took two.
public struct TakeGradientByChannels: Rewrite {
    public let name = "batch norm's input gradient by channels"

    public init() {}

    public func replacement(for node: Node, in context: RewriteContext) -> [Tensor]? {
        guard let product = node.operation as? MatrixProduct, product.transposesA,
            !product.transposesB, let source = node.inputs.first, source.rank == 2,
            source.elementType == .float32,
            let gradient = source.node.operation as? CentredInputGradient, gradient.axis == 1,
            !gradient.givesInnerGradient, !gradient.parts.hasResidual, context.isUsedOnce(source)
        else { return nil }
        let byChannels = Node(CentredInputGradientByChannels(gradient), source.node.inputs).tensor
        return [byChannels.matmul(node.inputs[1])]
    }
}
