import Arrays

/// The gradients of a scalar with respect to tensors, as new nodes of the graph.
///
/// A tensor on which the scalar does not depend gets zeros. The result can be differentiated again.
/// Traps unless `scalar` has exactly one element and a floating-point type.
public func gradients(of scalar: Tensor, withRespectTo targets: [Tensor]) -> [Tensor] {
    precondition(
        scalar.shape.elementCount == 1 && scalar.elementType.isFloatingPoint,
        "gradients: expected a floating-point scalar to differentiate, found \(scalar.spec)")
    let seed = Tensor.ones(scalar.shape, scalar.elementType)
    return pullback(of: [scalar], seeds: [seed], to: targets)
}

/// Vector-Jacobian products: the gradients of `sum(output * seed)` with respect to `targets`.
public func pullback(of outputs: [Tensor], seeds: [Tensor], to targets: [Tensor]) -> [Tensor] {
    let nodes = topologicalOrder(outputs)
    let targetNodes = Set(targets.map(\.node))

    // Only nodes on a path from a target need a gradient.
    var active: Set<Node> = []
    for node in nodes {
        let reaches =
            targetNodes.contains(node) || node.inputs.contains { active.contains($0.node) }
        if reaches { active.insert(node) }
    }

    var parts: [Tensor: [Tensor]] = [:]
    func accumulate(_ gradient: Tensor, into tensor: Tensor) {
        precondition(
            gradient.shape == tensor.shape,
            "gradient rule: expected shape \(tensor.shape), found \(gradient.shape)")
        parts[tensor, default: []].append(gradient)
    }
    func sum(_ tensor: Tensor) -> Tensor? {
        guard let given = parts[tensor] else { return nil }
        let sum = sumOfGradients(given)
        parts[tensor] = [sum]
        return sum
    }
    for (output, seed) in zip(outputs, seeds) where active.contains(output.node) {
        accumulate(seed, into: output)
    }
    for node in nodes.reversed() where active.contains(node) && !node.inputs.isEmpty {
        let upstream = node.tensors.map(sum)
        guard upstream.contains(where: { $0 != nil }) else { continue }
        let wanted = node.inputs.map { active.contains($0.node) && $0.elementType.isFloatingPoint }
        let call = GradientCall(node: node, upstream: upstream, wanted: wanted)
        for ((input, gradient), isWanted) in zip(
            zip(node.inputs, node.operation.inputGradients(call)), wanted)
        {
            if isWanted, let gradient { accumulate(gradient, into: input) }
        }
    }
    return targets.map { sum($0) ?? Tensor.zeros($0.shape, $0.elementType) }
}

extension Tensor {
    /// The gradients of this scalar with respect to the given tensors.
    public func gradients(_ targets: [Tensor]) -> [Tensor] {
        Graph.gradients(of: self, withRespectTo: targets)
    }
}
