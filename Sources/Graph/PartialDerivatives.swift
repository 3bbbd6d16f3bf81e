import Arrays

extension GradientCall {
    /// A gradient rule by way of a formula: the derivatives of what it makes of the inputs, each input for
    /// itself, even where one has been computed from another.
    func partialDerivatives(_ formula: ([Tensor]) -> [Tensor]) -> [Tensor?] {
        let independent = inputs.map { Tensor(IndependentInput(), $0) }
        let outputs = formula(independent)
        let used = zip(outputs, upstream).filter { $1 != nil }
        let targets = zip(independent, wanted).filter(\.1).map(\.0)
        let gradients = pullback(of: used.map(\.0), seeds: used.map { $1! }, to: targets)
        var found = GraphRewriter(RestoreInputs.self)(gradients).makeIterator()
        return wanted.map { $0 ? found.next() : nil }
    }
}

/// An input of a formula, as something that depends on nothing.
private struct IndependentInput: Operation {
    var name: String { "independentInput" }

    func outputSpecs(_ inputs: [TensorSpec]) -> [TensorSpec] { inputs }

    func sharding(_ inputs: [TensorSpec], _ outputs: [TensorSpec]) -> Sharding { .whole }

    func inputGradients(_ call: GradientCall) -> [Tensor?] { [nil] }

    func reference<T: ReferenceScalar>(_ inputs: [Values<T>]) -> [Values<T>] { inputs }
}

/// Puts the inputs back in their places.
private struct RestoreInputs: Rewrite {
    let name = "inputs in their places"

    func replacement(for node: Node, in context: RewriteContext) -> [Tensor]? {
        node.operation is IndependentInput ? [node.inputs[0]] : nil
    }
}
