import Arrays
import Graph
import Runtime

/// A model's inference as a graph, and what folding asks about it: what stands beside a batch norm, and
/// whether anything else sees what lies between them.
///
/// The graph knows what the modules' structure does not: in which order a module calls its parts, and
/// where a shortcut branches off.
struct FoldingGraph {
    /// The norms that inference reaches.
    private(set) var norms: [any FoldableNorm]
    private var users: [Tensor: [Node]] = [:]
    private var roots: Set<Tensor> = []
    private var layers: [Variable: any FoldableLayer] = [:]
    private var scales: [Variable: [Node]] = [:]

    init(_ model: Module, input: TensorSpec) {
        let observer = MomentObserver()
        let traced = TracedStep(inputs: [input]) { inputs in
            var context = Context(.inference)
            context.observer = observer
            return [model(inputs[0], context)]
        }
        // A ghost batch norm is observed as the norm within it, and folded as a whole.
        let ghosts = Dictionary(
            model.namedModules.compactMap { $0.module as? GhostBatchNorm }.map {
                (ObjectIdentifier($0.norm), $0)
            }, uniquingKeysWith: { first, _ in first })
        norms = observer.order.map { norm -> any FoldableNorm in
            ghosts[ObjectIdentifier(norm)] ?? norm
        }
        roots = Set(traced.outputs)
        for case let layer as any FoldableLayer in model.namedModules.map(\.module) {
            layers[layer.weight.variable] = layer
        }
        for node in topologicalOrder(traced.outputs) {
            for input in node.inputs { users[input, default: []].append(node) }
            guard let scale = node.operation as? CentredScale,
                let position = scale.parts.positions(after: 1).mean,
                let mean = variable(node.inputs[position])
            else { continue }
            scales[mean, default: []].append(node)
        }
        // Frozen ones are not observed; they are reached where something is centred by their mean.
        norms += model.namedModules.compactMap { $0.module as? FrozenBatchNorm }.filter {
            scales[$0.runningMean.variable] != nil
        }
    }

    /// Where a norm was called: nil unless it was called exactly once, with its running statistics.
    func call(of norm: any FoldableNorm) -> Node? {
        guard let mean = norm.runningMeanVariable, let calls = scales[mean],
            calls.count == 1
        else { return nil }
        return calls[0]
    }

    /// The layer whose output a tensor is, if nothing else uses that layer or its output.
    func layer(making tensor: Tensor) -> (any FoldableLayer)? {
        guard isPrivate(tensor) else { return nil }
        var product = tensor
        while let inner = unwrapped(product.node) {
            guard isPrivate(inner) else { return nil }
            product = inner
        }
        switch product.node.operation {
        case is Convolution, is ConvolutionInputGradient, is MatrixProduct:
            return layer(withWeight: product.node.inputs[1])
        default: return nil
        }
    }

    /// The layer that alone takes a tensor, and how often the tensor's channels repeat among the layer's;
    /// or why it cannot take what comes before as well; nil when there is none.
    func layer(
        taking tensor: Tensor, repetitions: Int = 1
    ) -> Result<(any FoldableLayer, repetitions: Int), FoldingError>? {
        guard isPrivate(tensor), let user = users[tensor]?.first else { return nil }
        if user.operation is Graph.Reshape {
            // The channels stay, or are those of each position, one after the other.
            let (from, to) = (tensor.shape[tensor.rank - 1], user.outputs[0].shape.last ?? 1)
            guard from > 0, to % from == 0 else { return nil }
            return layer(taking: user.tensor, repetitions: repetitions * (to / from))
        }
        if isAverage(user) { return layer(taking: user.tensor, repetitions: repetitions) }
        guard user.inputs[0] == tensor, user.inputs.count == 2,
            let layer = layer(withWeight: user.inputs[1])
        else { return nil }
        switch user.operation {
        case is MatrixProduct: return .success((layer, repetitions))
        case let convolution as Convolution:
            guard (convolution.geometry.before + convolution.geometry.after).allSatisfy({ $0 == 0 })
            else {
                return .failure(
                    FoldingError(
                        description: "the convolution behind it pads with zeros, which are not "
                            + "normalized"))
            }
            return .success((layer, repetitions))
        case is ConvolutionInputGradient:
            return .failure(
                FoldingError(
                    description:
                        "the transposed convolution behind it does not sum the same taps everywhere"
                ))
        default: return nil
        }
    }

    // MARK: - Steps through the graph

    /// Whether exactly one node uses a tensor, and it is no result.
    private func isPrivate(_ tensor: Tensor) -> Bool {
        users[tensor]?.count == 1 && !roots.contains(tensor)
    }

    /// Whether a node averages over positions, which a scale and a shift per channel do not mind: pooling
    /// whose weights add up to 1 everywhere, so without zeros in the padding that count.
    private func isAverage(_ node: Node) -> Bool {
        guard let map = node.operation as? AxisMap, map.axis < node.outputs[0].shape.rank - 1,
            map.axis > 0
        else { return false }
        return (0..<map.outputExtent).allSatisfy {
            abs(map.taps(at: $0).reduce(0) { $0 + $1.weight } - 1) < 1e-6
        }
    }

    /// What a bias was added to, what was averaged over positions, or what was reshaped with its channels
    /// kept.
    private func unwrapped(_ node: Node) -> Tensor? {
        if node.operation as? Binary == Binary(.add), variable(node.inputs[1]) != nil,
            node.inputs[1].rank == 1
        {
            return node.inputs[0]
        }
        if isAverage(node) { return node.inputs[0] }
        if node.operation is Graph.Reshape, node.outputs[0].shape.last == node.inputs[0].shape.last
        {
            return node.inputs[0]
        }
        return nil
    }

    private func layer(withWeight weight: Tensor) -> (any FoldableLayer)? {
        guard isPrivate(weight), let variable = variable(weight) else { return nil }
        return layers[variable]
    }

    /// The variable whose value, perhaps of another type, a tensor is.
    private func variable(_ tensor: Tensor) -> Variable? {
        if tensor.node.operation is Cast { return variable(tensor.node.inputs[0]) }
        return (tensor.node.operation as? VariableLeaf)?.variable
    }
}
