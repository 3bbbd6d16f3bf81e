import EvenKeel

/// One application of a layer to the tensors of a file, forward and, where dy is given, backward.
struct LayerRun {
    private let options: LayerOptions
    private let tensors: LayerTensors
    private let layer: LayerCase
    private let mask: NDArray?

    init(_ options: LayerOptions, _ tensors: LayerTensors) throws {
        self.options = options
        self.tensors = tensors
        let shape = tensors.x.shape
        if options.isTraining, !options.kind.isReparametrization, shape[0] == 0 {
            throw LayerInputError("x: expected at least one sample in training, found \(shape)")
        }
        layer = try LayerCase(options, tensors)
        guard !tensors.hasMask || layer.takesMask else {
            throw LayerInputError("mask: \(options.kind.rawValue) takes no mask")
        }
        mask =
            tensors.hasMask
            ? try tensors.mask(channelAxis: options.channelAxis(of: shape)) : nil
        if options.isTraining, options.kind.usesBatchStatistics { try checkBatches() }
    }

    /// Every group of samples that shares statistics needs two values per channel.
    private func checkBatches() throws {
        let shape = tensors.x.shape
        let axis = try options.channelAxis(of: shape)
        let positions = shape.enumerated().reduce(1) {
            [0, axis].contains($1.offset) ? $0 : $0 * $1.element
        }
        let weights: [Double]? = mask?.elements()
        let size =
            options.kind == .ghostBatchNorm ? options.ghostSize ?? shape[0] : shape[0]
        for start in stride(from: 0, to: shape[0], by: size) {
            let samples = min(size, shape[0] - start)
            let range = (start * positions)..<((start + samples) * positions)
            let count = weights.map { Int($0[range].reduce(0, +)) } ?? samples * positions
            guard count < 2 else { continue }
            let what = count == 1 ? "one value" : "no value"
            throw LayerInputError(
                "\(weights == nil ? "x" : "mask"): \(what) per channel in training "
                    + (size < shape[0] ? "in the ghost batch from sample \(start) on " : "")
                    + "(x has the shape \(shape)); statistics need two or more")
        }
    }

    /// The tensors of the output file.
    func results() throws -> [String: NDArray] {
        guard tensors.x.elementCount > 0 else { return emptyResults() }
        let step = Step(
            backend: options.backend,
            workers: options.threads.map { Workers(count: $0) } ?? .shared, trace)
        let inputs =
            [tensors.x]
            + [tensors.dy?.converted(to: tensors.x.elementType), mask].compactMap { $0 }
        let outputs = step.run(inputs).outputs
        return Dictionary(uniqueKeysWithValues: zip(names, outputs))
    }

    /// The results' names, in the order in which `trace` returns them.
    private var names: [String] {
        var names = ["y"]
        if tensors.dy != nil { names += ["dx"] + layer.parameters.map { "d" + $0.name } }
        if options.isTraining {
            names += layer.states.map(\.name)
            if options.kind.givesBatchMoments { names += ["batch_mean", "batch_var"] }
        }
        return names
    }

    private func trace(_ inputs: [Tensor]) -> [Tensor] {
        let x = inputs[0]
        let weights = mask == nil ? nil : inputs.last
        let context = Context(options.isTraining ? .training : .inference)
        let parameters = layer.parameters.map(\.parameter.tensor)
        let y = layer.apply(x, context, weights)
        var outputs = [y]
        if tensors.dy != nil {
            // What a mask excludes has no effect, wherever it is not finite.
            let dy =
                weights.map {
                    inputs[1].maskingNonFinite(
                        axis: options.axis, weights: $0.cast(to: x.elementType))
                } ?? inputs[1]
            outputs += pullback(of: [y], seeds: [dy], to: [x] + parameters)
        }
        guard options.isTraining else { return outputs }
        // Reading a state gives what has been proposed for it.
        outputs += layer.states.map(\.state.tensor)
        if options.kind.givesBatchMoments { outputs += batchMoments(x, weights) }
        return outputs
    }

    private func batchMoments(_ x: Tensor, _ weights: Tensor?) -> [Tensor] {
        let type = tensors.wideType
        let moments = x.cast(to: type).moments(axis: options.axis, weights: weights)
        return [(moments.mean + moments.low).cast(to: type), moments.variance.cast(to: type)]
    }

    /// Nothing in, nothing out: no parameter has a gradient then.
    private func emptyResults() -> [String: NDArray] {
        var results = ["y": tensors.x]
        if tensors.dy != nil {
            results["dx"] = tensors.x
            for (name, parameter) in layer.parameters {
                results["d" + name] = NDArray(
                    zeros: layer.emptyShape ?? parameter.shape, tensors.wideType)
            }
        }
        return results
    }
}

extension LayerCommandKind {
    /// Whether the output file tells the moments of the batch.
    var givesBatchMoments: Bool {
        switch self {
        case .batchNorm, .batchRenorm, .ghostBatchNorm: true
        default: false
        }
    }
}
