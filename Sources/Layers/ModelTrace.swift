import Arrays
import Graph
import Runtime

/// What a model computes for a batch, to see which layers stand beside each other, in whatever code.
struct ModelTrace {
    private let model: Module
    private let observer: MomentObserver
    private let nodes: [Node]
    private let variables: [Variable: (name: String, parameter: Parameter)]

    /// - Parameter sample: the shape of a sample.
    init(_ model: Module, sample: Shape) {
        self.model = model
        let observer = MomentObserver()
        let type = model.parameters.first?.variable.spec.type ?? .float32
        let spec = TensorSpec(Shape([2] + sample), type)
        let traced = TracedStep(inputs: [spec]) { inputs in
            var context = Context(.inference)
            context.observer = observer
            return [model(inputs[0], context)]
        }
        self.observer = observer
        nodes = topologicalOrder(traced.outputs)
        variables = Dictionary(
            model.namedParameters.map { ($0.parameter.variable, $0) },
            uniquingKeysWith: { a, _ in a })
    }

    /// Biases in front of a batch norm, which takes them away again with the mean.
    var biasWarnings: [String] {
        observer.inputs.compactMap { norm, input in
            guard norm.normalization != .running, let bias = bias(addedIn: input) else {
                return nil
            }
            return
                "\(bias): this bias has no effect in front of a batch norm, which takes the mean "
                + "away; leave it out"
        }
    }

    /// Channels that a ReLU behind a batch norm keeps at 0, whatever comes.
    var silentChannelWarnings: [String] {
        observer.inputs.compactMap { norm, input in
            guard let gamma = norm.gamma, let beta = norm.beta, isRectified(input) else {
                return nil
            }
            let pairs = zip(
                gamma.value.elements(as: Double.self), beta.value.elements(as: Double.self))
            let silent = pairs.count { $1 + ModelWarnings.farDeviations * abs($0) <= 0 }
            guard silent > 0 else { return nil }
            let name = variables[gamma.variable]?.name ?? "gamma"
            return
                "\(name): \(silent) of \(norm.channels) channels are dead: beta is so far below 0 "
                + "that the ReLU behind is never open"
        }
    }

    /// The name of a bias that the tensor is a sum with.
    private func bias(addedIn tensor: Tensor) -> String? {
        guard let operation = tensor.node.operation as? Binary, operation.function == .add else {
            return isView(tensor) ? bias(addedIn: tensor.node.inputs[0]) : nil
        }
        for input in tensor.node.inputs {
            var source = input
            while isView(source) { source = source.node.inputs[0] }
            if let leaf = source.node.operation as? VariableLeaf,
                let found = variables[leaf.variable], found.parameter.role == .bias
            {
                return found.name
            }
        }
        return nil
    }

    /// Whether the tensor holds another one's numbers in another form.
    private func isView(_ tensor: Tensor) -> Bool {
        switch tensor.node.operation {
        case is Graph.Reshape, is Broadcast, is Cast: true
        default: false
        }
    }

    /// Whether a ReLU follows the normalization of this tensor.
    private func isRectified(_ tensor: Tensor) -> Bool {
        nodes.contains { node in
            guard let unary = node.operation as? Unary, unary.function == .leakyReLU(slope: 0)
            else {
                return false
            }
            let source = node.inputs[0].node
            return source.operation is CentredScale && source.inputs[0] == tensor
        }
    }
}
