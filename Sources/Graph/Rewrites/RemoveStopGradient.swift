/// What only kept derivatives out is the tensor behind it, once they have been taken.
public struct RemoveStopGradient: Rewrite {
    public let name = "nothing for what stopped gradients"

    public init() {}

    public func replacement(for node: Node, in context: RewriteContext) -> [Tensor]? {
        node.operation is StopGradient ? [node.inputs[0]] : nil
    }
}
