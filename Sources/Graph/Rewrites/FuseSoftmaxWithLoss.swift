/// Where a step takes both a softmax cross-entropy and its gradient, one pass gives both.
public struct FuseSoftmaxWithLoss: Rewrite {
    public let name = "softmax cross-entropy + gradient"

    public init() {}

    public func replacement(for node: Node, in context: RewriteContext) -> [Tensor]? {
        switch node.operation {
        case let loss as SoftmaxCrossEntropy where loss.smoothing == 0:
            return [Node(SoftmaxWithLoss(), node.inputs).tensors[0]]
        case let binary as Binary where binary.function == .subtract:
            let (softmax, hot) = (node.inputs[0].node, node.inputs[1].node)
            guard let rows = softmax.operation as? RowSoftmax, !rows.isLogarithmic,
                hot.operation is OneHot, node.inputs[0].spec == node.inputs[1].spec
            else { return nil }
            return [Node(SoftmaxWithLoss(), [softmax.inputs[0], hot.inputs[0]]).tensors[1]]
        default: return nil
        }
    }
}
