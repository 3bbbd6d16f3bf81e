import Arrays
import Graph
import Normalization

/// Which batch norms of a model become part of which layers.
struct FoldingPlan {
    struct Fold {
        let name: String
        let norm: any FoldableNorm
        let layer: any FoldableLayer
        /// How often the norm's channels repeat among the layer's: once for each position of a flattened
        /// image.
        var repetitions = 1
        /// Whether the norm stands behind the layer.
        let isBehind: Bool
    }

    private(set) var folds: [Fold] = []
    /// Why the other norms stay, by their names.
    private(set) var kept: [String: String] = [:]

    /// - Parameter input: the shape and type of some inputs.
    init(_ model: Module, input: TensorSpec) throws(FoldingError) {
        let graph = FoldingGraph(model, input: input)
        let names = Dictionary(
            model.namedModules.map { (ObjectIdentifier($0.module), $0.name) },
            uniquingKeysWith: { first, _ in first })
        for norm in graph.norms {
            let name = names[ObjectIdentifier(norm)] ?? "BatchNorm"
            guard norm.usesRunningStatistics else {
                throw FoldingError(
                    description: "\(name): normalizes by the batch, in inference too; there is "
                        + "nothing to fold")
            }
            guard let call = graph.call(of: norm) else {
                kept[name] = "it is called more than once"
                continue
            }
            guard norm.axis == -1 || norm.axis == call.outputs[0].shape.rank - 1 else {
                kept[name] = "its channel axis is not the last"
                continue
            }
            if let layer = graph.layer(making: call.inputs[0]) {
                folds.append(Fold(name: name, norm: norm, layer: layer, isBehind: true))
                continue
            }
            switch graph.layer(taking: call.tensor) {
            case .success(let (layer, repetitions)):
                folds.append(
                    Fold(
                        name: name, norm: norm, layer: layer, repetitions: repetitions,
                        isBehind: false))
            case .failure(let reason): kept[name] = reason.description
            case nil: kept[name] = "no dense layer or convolution stands alone beside it"
            }
        }
    }

    /// Folds. Throws, and changes nothing, where the statistics do not allow it.
    ///
    /// - Returns: what takes it back.
    func apply() throws(FoldingError) -> () -> Void {
        var numbers: [ObjectIdentifier: (weight: LinearWeight, bias: [Double]?)] = [:]
        for fold in folds {
            let affine = try fold.norm.affine(fold.name).repeated(fold.repetitions)
            let known =
                numbers[ObjectIdentifier(fold.layer)]
                ?? (fold.layer.linearWeight, fold.layer.bias?.value.elements())
            numbers[ObjectIdentifier(fold.layer)] =
                fold.isBehind
                ? affine.folded(after: known.weight, bias: known.bias)
                : affine.folded(before: known.weight, bias: known.bias)
        }
        return replace { layer in
            let (weight, bias) = numbers[ObjectIdentifier(layer)]!
            return layer.replaced(weight, bias ?? [])
        }
    }

    /// Makes the layers that folding makes, without values.
    func applyStructure() { _ = replace { $0.makeWithBias() } }

    private func replace(_ make: (any FoldableLayer) -> any FoldableLayer) -> () -> Void {
        var replaced: [Module] = []
        for fold in folds {
            fold.norm.replacement = Identity()
            // A layer between two norms takes both.
            if fold.layer.replacement == nil {
                let layer = make(fold.layer)
                fold.layer.replacement = layer
            }
            replaced += [fold.norm, fold.layer]
        }
        return { for module in replaced { module.replacement = nil } }
    }
}
