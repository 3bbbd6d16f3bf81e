import Arrays

/// A column times a row is an elementwise product with broadcasting, which joins the elementwise work that
/// reads it.
public struct BroadcastOuterProduct: Rewrite {
    public let name = "outer products by broadcasting"

    public init() {}

    public func replacement(for node: Node, in context: RewriteContext) -> [Tensor]? {
        guard let product = node.operation as? MatrixProduct, node.inputs[0].rank == 2 else {
            return nil
        }
        let (a, b) = (node.inputs[0], node.inputs[1])
        let extents = product.extents(a.shape, b.shape)
        guard extents.k == 1 else { return nil }
        return [a.reshape([extents.m, 1]) * b.reshape([1, extents.n])]
    }
}
