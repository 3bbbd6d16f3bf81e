import Arrays
import Datasets
import Layers
import Models
import Training

/// What an experiment trains.
package enum Network: Hashable, Sendable {
    /// A stack of layers. Where it says `batchNorm`, the trial's normalizer goes.
    case layers(ModelDescription)
    /// Two stages of two convolutions of these widths, and a hidden dense layer.
    case cnn(widths: [Int], hidden: Int)
    /// Residual blocks of dense layers.
    case residual(ResidualDescription)
    /// A network by name.
    case architecture(Architecture)

    /// Dense hidden layers, each with a place for a normalizer.
    ///
    /// - Parameter normIsLast: whether the normalizer stands behind the activation.
    package static func perceptron(
        _ hidden: [Int], activation: LayerKind = .relu, initializer: String = "he",
        normIsLast: Bool = false, dropout: Double = 0
    ) -> Network {
        var layers: [ModelDescription.Layer] = [.init(.flatten)]
        for width in hidden {
            layers.append(.init(.dense, ["outputs": .integer(width), "init": .text(initializer)]))
            let pair: [ModelDescription.Layer] = [.init(.batchNorm), .init(activation)]
            layers += normIsLast ? pair.reversed() : pair
            if dropout > 0 { layers.append(.init(.dropout, ["rate": .number(dropout)])) }
        }
        return .layers(ModelDescription(layers)).ending(initializer: initializer)
    }

    private func ending(initializer: String) -> Network {
        guard case .layers(var description) = self else { return self }
        // The number of classes is the data's; 0 stands for it.
        description.layers.append(
            .init(.dense, ["outputs": .integer(0), "init": .text(initializer)]))
        return .layers(description)
    }

    /// The network for samples of a shape, with a normalizer in its places and with its initial values.
    package func make(norm: NormKind, data: Dataset, seed: UInt64) throws -> Module {
        let classes = data.classCount ?? 1
        let shape = data.featureShape
        let model: Module =
            switch self {
            case .layers(let description):
                try description.normalized(by: norm).ending(in: classes).build(input: shape)
            case .cnn(let widths, let hidden):
                norm.put(
                    into: PlainNetworks.cnn(
                        image: try Self.image(shape), classes: classes, widths: widths,
                        hidden: hidden, dropout: 0, normalizer: norm.normalizer))
            case .residual(let description):
                description.make(inputs: shape.elementCount, classes: classes, norm: norm)
            case .architecture(let architecture):
                try architecture.build(image: shape, classes: classes, norm: norm)
            }
        model.initialize(seed: seed)
        return model
    }

    private static func image(_ shape: Shape) throws -> Shape {
        guard shape.rank == 3, shape[0] >= 4, shape[1] >= 4 else {
            throw ConfigurationError(
                "this experiment needs images of [height, width, channels], at least 4 by 4, found "
                    + "samples of \(shape)")
        }
        return shape
    }
}

extension ModelDescription {
    /// The description with another normalizer in the place of every batch norm, those within blocks
    /// included.
    ///
    /// Where it does not centre the batch, the layer in front of it has a bias again; one that brings its
    /// own activation takes away the one behind it.
    package func normalized(by norm: NormKind) -> ModelDescription {
        ModelDescription(Self.normalized(layers, by: norm))
    }

    private static func normalized(_ layers: [Layer], by norm: NormKind) -> [Layer] {
        var result: [Layer] = []
        var weighted: Int?
        var dropsActivation = false
        for layer in layers {
            if layer.options["outputs"] != nil { weighted = result.count }
            if dropsActivation, layer.kind.isActivation {
                dropsActivation = false
                continue
            }
            guard layer.kind == .batchNorm, let place = weighted,
                case .integer(let width)? = result[place].options["outputs"]
            else {
                result.append(layer.mapParts { normalized($0, by: norm) })
                continue
            }
            if !norm.centresBatch {
                result[place].options["bias"] = nil
            } else if result[place].options["bias"] == nil, place == result.count - 1 {
                result[place].options["bias"] = .flag(false)
            }
            if let name = norm.reparametrization { result[place].options["weight"] = .text(name) }
            // The options of the description's own batch norm stay with it.
            if norm == .batch {
                result.append(layer)
            } else if let replacement = norm.layer(width: width) {
                result.append(replacement)
            }
            dropsActivation = norm.isActivation
        }
        return result
    }

    /// Every layer changed, those within blocks included.
    private func map(_ change: (inout Layer) -> Void) -> ModelDescription {
        func changed(_ layers: [Layer]) -> [Layer] {
            layers.map { layer in
                var layer = layer.mapParts(changed)
                change(&layer)
                return layer
            }
        }
        return ModelDescription(changed(layers))
    }

    /// Whether there is a place for normalizers.
    var hasBatchNorm: Bool {
        func has(_ layers: [Layer]) -> Bool {
            layers.contains { $0.kind == .batchNorm || $0.parts.contains(where: has) }
        }
        return has(layers)
    }

    /// With every batch norm that stands beside an activation before it or behind it.
    ///
    /// What is not centred directly has a bias again, where it had none for the batch norm's sake.
    package func withNorms(behindActivations: Bool) -> ModelDescription {
        func placed(_ layers: [Layer]) -> [Layer] {
            var result = layers.map { $0.mapParts(placed) }
            var place = 0
            while place + 1 < result.count {
                let pair = result[place...(place + 1)].map(\.kind)
                let (isBefore, isBehind) = (
                    pair[0] == .batchNorm && pair[1].isActivation,
                    pair[1] == .batchNorm && pair[0].isActivation
                )
                if behindActivations ? isBefore : isBehind { result.swapAt(place, place + 1) }
                if isBefore || isBehind {
                    if behindActivations, place > 0,
                        result[place - 1].options["bias"] == .flag(false)
                    {
                        result[place - 1].options["bias"] = nil
                    }
                    place += 1
                }
                place += 1
            }
            return result
        }
        return ModelDescription(placed(layers))
    }

    /// With the number of classes in a last dense layer that leaves it open.
    func ending(in classes: Int) -> ModelDescription {
        var result = self
        if let last = layers.indices.last, layers[last].kind == .dense,
            layers[last].options["outputs"] == .integer(0)
        {
            result.layers[last].options["outputs"] = .integer(classes)
        }
        return result
    }

    /// With other initial weights in every layer that has some.
    func initialized(by initializer: String) -> ModelDescription {
        map { if $0.options["outputs"] != nil { $0.options["init"] = .text(initializer) } }
    }

    /// With other options for every batch norm.
    func withBatchNorm(_ options: [String: Option]) -> ModelDescription {
        map { if $0.kind == .batchNorm { $0.options.merge(options) { $1 } } }
    }
}

extension ModelDescription.Layer {
    /// The layers of its parts; most have none.
    fileprivate var parts: [[Self]] {
        options.values.compactMap { if case .layers(let part) = $0 { part } else { nil } }
    }

    /// The layer with its parts changed; most have none.
    fileprivate func mapParts(_ change: ([Self]) -> [Self]) -> Self {
        var result = self
        for (key, option) in options {
            if case .layers(let part) = option { result.options[key] = .layers(change(part)) }
        }
        return result
    }
}

extension Network {
    /// Changes the description of a stack of layers; other networks stay as they are.
    func mapLayers(_ change: (ModelDescription) -> ModelDescription) -> Network {
        if case .layers(let description) = self { .layers(change(description)) } else { self }
    }
}
