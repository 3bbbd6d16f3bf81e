import Graph
import Layers

/// A 1x1 convolution that widens, a depthwise 3x3 convolution and a 1x1 convolution that narrows, with a
/// shortcut where extents and channels stay (Sandler et al. 2018).
public final class InvertedResidual: Module {
    let conv: Sequential
    private let hasShortcut: Bool

    init(
        _ inputs: Int, _ outputs: Int, stride: Int, expansion: Int, _ normalizer: Normalizer,
        zeroGamma: Bool
    ) {
        hasShortcut = stride == 1 && inputs == outputs
        let hidden = inputs * expansion
        var layers: [Module] = []
        if expansion != 1 {
            layers.append(normalizedReLU6(inputs, hidden, kernel: 1, normalizer: normalizer))
        }
        layers.append(
            normalizedReLU6(hidden, hidden, stride: stride, groups: hidden, normalizer: normalizer))
        layers.append(convolution(hidden, outputs, kernel: 1, normalizer))
        if let norm = normalizer.layer(outputs, zeroGamma: zeroGamma && hasShortcut) {
            layers.append(norm)
        }
        conv = Sequential(layers)
        super.init()
    }

    override public func call(_ input: Tensor, _ context: Context) -> Tensor {
        let result = conv(input, context)
        return hasShortcut ? input + result : result
    }
}

/// A convolution, its normalizer, and min(max(x, 0), 6).
private func normalizedReLU6(
    _ inputs: Int, _ outputs: Int, kernel: Int = 3, stride: Int = 1, groups: Int = 1,
    normalizer: Normalizer
) -> Sequential {
    let norm = normalizer.layer(outputs)
    return Sequential(
        [convolution(inputs, outputs, kernel: kernel, stride: stride, groups: groups, normalizer)]
            + (norm.map { [$0] } ?? []) + [ReLU6()])
}

/// MobileNetV2 (Sandler et al. 2018): `[samples, height, width, channels]` to logits
/// `[samples, classes]`. The names of parameters are torchvision's: `features.1.conv.0.0.weight`,
/// `classifier.1.bias`.
public final class MobileNetV2: Module {
    let features: Sequential
    let classifier: Sequential

    /// - Parameters:
    ///   - reduction: by how much the first stages divide the extents: 32 for large images, 8 for images of
    ///     about 32 positions, whose first two halvings are then left out.
    public init(
        channels: Int = 3, classes: Int = 1000, widthMultiplier: Double = 1, reduction: Int = 32,
        dropout: Double = 0.2, normalizer: Normalizer = .batch(), zeroGamma: Bool = false
    ) {
        precondition(
            [8, 16, 32].contains(reduction),
            "MobileNetV2: expected a reduction of 8, 16 or 32, found \(reduction)")
        // Widths are multiples of 8, and not less than nine tenths of what was asked for.
        func width(_ channels: Int, _ multiplier: Double) -> Int {
            let wanted = Double(channels) * multiplier
            let rounded = max(8, Int(wanted + 4) / 8 * 8)
            return Double(rounded) < 0.9 * wanted ? rounded + 8 : rounded
        }
        let stages = [
            (1, 16, 1, 1), (6, 24, 2, reduction == 8 ? 1 : 2), (6, 32, 3, 2), (6, 64, 4, 2),
            (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1),
        ]
        var inputs = width(32, widthMultiplier)
        var layers: [Module] = [
            normalizedReLU6(
                channels, inputs, stride: reduction == 32 ? 2 : 1, normalizer: normalizer)
        ]
        for (expansion, channels, count, stride) in stages {
            let outputs = width(channels, widthMultiplier)
            for index in 0..<count {
                layers.append(
                    InvertedResidual(
                        inputs, outputs, stride: index == 0 ? stride : 1, expansion: expansion,
                        normalizer, zeroGamma: zeroGamma))
                inputs = outputs
            }
        }
        let last = width(1280, max(1, widthMultiplier))
        layers.append(normalizedReLU6(inputs, last, kernel: 1, normalizer: normalizer))
        features = Sequential(layers)
        classifier = Sequential([Dropout(dropout), Dense(last, classes)])
        super.init()
    }

    override public func call(_ input: Tensor, _ context: Context) -> Tensor {
        classifier(features(input, context).globalAveragePooled(), context)
    }
}
