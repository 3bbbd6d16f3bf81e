/// The layers that a description can name.
public enum LayerKind: String, Hashable, Sendable, CaseIterable {
    case dense
    case conv1D, conv2D, conv3D, depthwiseConv1D, depthwiseConv2D, depthwiseConv3D
    case convTranspose1D, convTranspose2D
    case batchNorm, layerNorm
    case batchRenorm, ghostBatchNorm, groupNorm, instanceNorm, rmsNorm, filterResponseNorm
    case evonormB0, evonormS0
    case relu, relu6, leakyRelu, elu, gelu, silu, sigmoid, tanh, softplus, softmax
    case maxPool, averagePool, globalMaxPool, globalAveragePool
    case adaptiveMaxPool, adaptiveAveragePool
    case pad, upsample
    case dropout, flatten, reshape
    case residual

    enum OptionType {
        case flag, integer, number, text, integers
        /// A whole number for all spatial axes, or one for each.
        case extents
        /// `same`, `valid`, or zeros around the image as for extents.
        case padding
        case layers
    }

    /// The options, with their types.
    var options: [String: OptionType] {
        switch self {
        case .dense: ["outputs": .integer, "bias": .flag, "init": .text, "weight": .text]
        case .conv1D, .conv2D, .conv3D:
            Self.convolution.merging(["outputs": .integer, "groups": .integer, "weight": .text]) {
                $1
            }
        case .depthwiseConv1D, .depthwiseConv2D, .depthwiseConv3D:
            Self.convolution.merging(["multiplier": .integer, "weight": .text]) { $1 }
        case .convTranspose1D, .convTranspose2D:
            Self.convolution.merging(
                ["outputs": .integer, "groups": .integer, "outputPadding": .extents]) { $1 }
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
        case .maxPool:
            ["size": .extents, "strides": .extents, "padding": .padding, "roundsUp": .flag]
        case .averagePool:
            [
                "size": .extents, "strides": .extents, "padding": .padding, "roundsUp": .flag,
                "countsPadding": .flag,
            ]
        case .adaptiveMaxPool, .adaptiveAveragePool: ["extents": .extents]
        case .pad: ["sides": .extents, "before": .extents, "after": .extents, "mode": .text]
        case .upsample: ["factor": .integer, "mode": .text]
        case .dropout: ["rate": .number]
        case .reshape: ["shape": .integers]
        case .residual: ["layers": .layers, "shortcut": .layers, "zeroGamma": .flag]
        case .relu, .relu6, .silu, .sigmoid, .tanh, .softplus, .softmax, .flatten, .globalMaxPool,
            .globalAveragePool:
            [:]
        }
    }

    private static let convolution: [String: OptionType] = [
        "kernel": .extents, "strides": .extents, "padding": .padding, "dilations": .extents,
        "bias": .flag, "init": .text,
    ]

    /// The option that a single value stands for: `dense: 128`.
    var shorthand: String? {
        switch self {
        case .dense: "outputs"
        case .ghostBatchNorm, .maxPool, .averagePool: "size"
        case .groupNorm, .evonormS0: "groups"
        case .dropout: "rate"
        case .leakyRelu: "slope"
        case .reshape: "shape"
        case .adaptiveMaxPool, .adaptiveAveragePool: "extents"
        case .pad: "sides"
        case .upsample: "factor"
        case .residual: "layers"
        default: nil
        }
    }

    /// Whether it works on each element by itself.
    public var isActivation: Bool {
        switch self {
        case .relu, .relu6, .leakyRelu, .elu, .gelu, .silu, .sigmoid, .tanh, .softplus: true
        default: false
        }
    }
}
