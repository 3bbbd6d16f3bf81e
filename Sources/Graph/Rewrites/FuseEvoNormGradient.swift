import Arrays

/// What the deviations of batch and samples add to EvoNorm-B0's input gradient is added in one pass.
public struct FuseEvoNormGradient: Rewrite {
    public let name = "EvoNorm-B0's input gradient in one pass"

    public init() {}

    public func replacement(for node: Node, in context: RewriteContext) -> [Tensor]? {
        let terms = terms(Tensor(node: node, index: 0), 2)
        guard terms.count == 3 else { return nil }
        func first<T: Operation>(_ type: T.Type) -> (T, Node)? {
            terms.lazy.compactMap { term in
                (term.node.operation as? T).map { ($0, term.node) }
            }.first
        }
        guard let (gradient, point) = first(EvoNormInputGradient.self), !gradient.hasMoments,
            let (batch, ofBatch) = first(CentredScale.self),
            let (sample, ofSample) = first(GroupScale.self),
            batch.axis == gradient.axis, batch.activation == .identity,
            batch.parts == CentredParts(mean: true, low: true, scale: true, shift: true),
            sample.axis == gradient.axis, sample.groups == point.inputs[1].shape[sample.axis],
            sample.parts == GroupParts(mean: true, low: true, scale: true),
            ofBatch.inputs[0] == point.inputs[1], ofSample.inputs[0] == point.inputs[1]
        else { return nil }
        let operation = EvoNormInputGradient(axis: gradient.axis, hasMoments: true)
        return Node(
            operation, point.inputs + ofBatch.inputs.dropFirst() + ofSample.inputs.dropFirst()
        ).tensors
    }

    /// What a sum of sums adds up.
    private func terms(_ tensor: Tensor, _ depth: Int) -> [Tensor] {
        guard depth > 0, (tensor.node.operation as? Binary)?.function == .add else {
            return [tensor]
        }
        return tensor.node.inputs.flatMap { terms($0, depth - 1) }
    }
}
