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
/// Images are `[height, width, channels]`, and residual blocks hold layers of their own:
///
///     layers:
///       - conv2D: {outputs: 16, kernel: 3, padding: same, bias: false}
///       - batchNorm
///       - relu
///       - residual:
///           layers:
///             - conv2D: {outputs: 32, kernel: 3, strides: 2, padding: 1, bias: false}
///             - batchNorm
///           shortcut:
///             - conv2D: {outputs: 32, kernel: 1, strides: 2, bias: false}
///             - batchNorm
///       - relu
///       - globalAveragePool
///       - dense: 10
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
        /// The layers of a part.
        case layers([Layer])
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
