import Arrays
import Layers
import Normalization

/// A stack of layers in words, as a YAML file holds it:
///
///     layers:
///       - dense: 128
///       - batchNorm: {epsilon: 1e-3, variance: biased}
///       - relu
///       - dense: {outputs: 10, init: xavier}
///
/// What a layer takes in follows from the layer before it, so only outputs are written. A list without the
/// key `layers` is a description too.
public struct ModelDescription: Hashable, Sendable {
    public struct Layer: Hashable, Sendable {
        public var kind: LayerKind
        public var options: [String: Option]

        public init(_ kind: LayerKind, _ options: [String: Option] = [:]) {
            self.kind = kind
            self.options = options
        }
    }

    /// The value of an option.
    public enum Option: Hashable, Sendable {
        case flag(Bool)
        case integer(Int)
        case number(Double)
        case text(String)
        case integers([Int])
    }

    public var layers: [Layer]

    public init(_ layers: [Layer]) { self.layers = layers }

    /// Dense layers with normalization, activation and dropout behind each hidden one, and the
    /// normalization also behind the last: the articles' network for hidden widths `[128]`.
    ///
    /// In front of a batch norm there is no bias: its beta does that work.
    public static func perceptron(
        hidden: [Int], outputs: Int, norm: NormKind, activation: LayerKind = .relu,
        initializer: String = "he", dropout: Double = 0
    ) -> ModelDescription {
        var layers: [Layer] = []
        func dense(_ outputs: Int, isLast: Bool) {
            var options: [String: Option] = [
                "outputs": .integer(outputs), "init": .text(initializer),
            ]
            // What has an activation of its own does not belong behind logits.
            let following = isLast && norm.isActivation ? nil : norm.layer(width: outputs)
            if following != nil, norm.centresBatch { options["bias"] = .flag(false) }
            if let name = norm.reparametrization { options["weight"] = .text(name) }
            layers.append(Layer(.dense, options))
            if let following { layers.append(following) }
        }
        for width in hidden {
            dense(width, isLast: false)
            if !norm.isActivation { layers.append(Layer(activation)) }
            if dropout > 0 { layers.append(Layer(.dropout, ["rate": .number(dropout)])) }
        }
        dense(outputs, isLast: true)
        return ModelDescription(layers)
    }
}

/// The layers that a description can name.
public enum LayerKind: String, Hashable, Sendable, CaseIterable {
    case dense, batchNorm, layerNorm
    case batchRenorm, ghostBatchNorm, groupNorm, instanceNorm, rmsNorm, filterResponseNorm
    case evonormB0, evonormS0
    case relu, leakyRelu, elu, gelu, silu, sigmoid, tanh, softplus, softmax
    case dropout, flatten, reshape

    enum OptionType { case flag, integer, number, text, integers }

    /// The options, with their types.
    var options: [String: OptionType] {
        switch self {
        case .dense: ["outputs": .integer, "bias": .flag, "init": .text, "weight": .text]
        case .batchNorm:
            [
                "epsilon": .number, "axis": .integer, "scale": .flag, "center": .flag,
                "average": .text, "momentum": .number, "window": .integer, "debiased": .flag,
                "weightedByCount": .flag, "variance": .text,
            ]
        case .layerNorm: ["epsilon": .number, "scale": .flag, "center": .flag]
        case .batchRenorm, .evonormB0: ["epsilon": .number]
        case .ghostBatchNorm: ["size": .integer, "epsilon": .number]
        case .groupNorm, .evonormS0: ["groups": .integer, "epsilon": .number]
        case .instanceNorm, .rmsNorm, .filterResponseNorm: ["epsilon": .number]
        case .leakyRelu: ["slope": .number]
        case .elu: ["scale": .number]
        case .gelu: ["approximate": .flag]
        case .dropout: ["rate": .number]
        case .reshape: ["shape": .integers]
        case .relu, .silu, .sigmoid, .tanh, .softplus, .softmax, .flatten: [:]
        }
    }

    /// The option that a single value stands for: `dense: 128`.
    var shorthand: String? {
        switch self {
        case .dense: "outputs"
        case .ghostBatchNorm: "size"
        case .groupNorm, .evonormS0: "groups"
        case .dropout: "rate"
        case .leakyRelu: "slope"
        case .reshape: "shape"
        default: nil
        }
    }

    /// Whether it works on each element by itself.
    public var isActivation: Bool {
        switch self {
        case .relu, .leakyRelu, .elu, .gelu, .silu, .sigmoid, .tanh, .softplus: true
        default: false
        }
    }
}
