import Arrays
import Graph

/// Evaluates a graph node by node with the operations' reference implementations, in one precision `T`
/// throughout: slow, single-threaded, obviously right. In Double it is the oracle of the fast backend.
public struct ReferenceInterpreter<T: ReferenceScalar> {
    /// The values of input leaves, by position.
    public var inputs: [NDArray]

    public init(inputs: [NDArray] = []) { self.inputs = inputs }

    /// The values of the given tensors.
    public func evaluate(_ roots: [Tensor]) -> [Values<T>] {
        var results: [Node: [Values<T>]] = [:]
        for node in topologicalOrder(roots) {
            if let leaf = node.operation as? InputLeaf {
                results[node] = [Values(inputs[leaf.position])]
            } else {
                results[node] = node.operation.reference(
                    node.inputs.map { results[$0.node]![$0.index] })
            }
        }
        return roots.map { results[$0.node]![$0.index] }
    }
}
