import Arrays

/// A weight that every shard would multiply transposed is transposed once per step instead: the matrix
/// product packs its right side for each call, and an untransposed one packs faster.
public struct TransposeWeights: Rewrite {
    public let name = "transpose weights once per step"

    /// Below this the packing costs less than another node.
    static let smallestWeight = 4096

    public init() {}

    public func replacement(for node: Node, in context: RewriteContext) -> [Tensor]? {
        guard let product = node.operation as? MatrixProduct, product.transposesB,
            !product.transposesA,
            node.inputs[0].rank == 2, node.inputs[1].node.operation is VariableLeaf,
            node.inputs[1].shape.elementCount >= Self.smallestWeight
        else { return nil }
        return [node.inputs[0].matmul(node.inputs[1].transposed())]
    }
}
