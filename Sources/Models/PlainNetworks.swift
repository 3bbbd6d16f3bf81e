import Arrays
import Layers

/// Networks without shortcuts: convolutions one behind the other.
public enum PlainNetworks {
    /// LeNet-style (LeCun et al. 1998), with 3x3 kernels, max pooling and a normalizer: two stages of two
    /// convolutions and a hidden dense layer. For images of `[height, width, channels]`, each extent at
    /// least 4.
    public static func cnn(
        image: Shape, classes: Int, widths: [Int] = [32, 64], hidden: Int = 128,
        dropout: Double = 0.25, normalizer: Normalizer = .batch()
    ) -> Sequential {
        precondition(
            image.rank == 3 && image.allSatisfy { $0 > 0 },
            "cnn: expected images of [height, width, channels], found \(image)")
        var (height, width, channels) = (image[0], image[1], image[2])
        var layers: [Module] = []
        for outputs in widths {
            layers += stage(channels, outputs, count: 2, normalizer) + [MaxPool(2)]
            (height, width, channels) = (height / 2, width / 2, outputs)
        }
        precondition(
            height > 0 && width > 0,
            "cnn: images of \(image) are too small for \(widths.count) times pooling")
        layers += [Flatten(), dense(height * width * channels, hidden, normalizer)]
        if let norm = vectorNorm(hidden, normalizer) { layers.append(norm) }
        layers.append(ReLU())
        if dropout > 0 { layers.append(Dropout(dropout)) }
        layers.append(Dense(hidden, classes))
        return Sequential(layers)
    }

    /// VGG-style (Simonyan and Zisserman 2015): stages of 3x3 convolutions between max poolings, then the
    /// mean over positions and a dense layer. The default stages are those of VGG-11.
    public static func vgg(
        channels: Int, classes: Int,
        stages: [(width: Int, count: Int)] = [(64, 1), (128, 1), (256, 2), (512, 2), (512, 2)],
        normalizer: Normalizer = .batch()
    ) -> Sequential {
        var inputs = channels
        var layers: [Module] = []
        for (width, count) in stages {
            layers += stage(inputs, width, count: count, normalizer) + [MaxPool(2)]
            inputs = width
        }
        return Sequential(layers + [GlobalAveragePool(), Dense(inputs, classes)])
    }

    private static func stage(
        _ inputs: Int, _ outputs: Int, count: Int, _ normalizer: Normalizer
    ) -> [Module] {
        (0..<count).flatMap { index -> [Module] in
            let norm = normalizer.layer(outputs)
            return [convolution(index == 0 ? inputs : outputs, outputs, normalizer)]
                + (norm.map { [$0] } ?? []) + [ReLU()]
        }
    }

    private static func dense(_ inputs: Int, _ outputs: Int, _ normalizer: Normalizer) -> Dense {
        Dense(inputs, outputs, bias: normalizer.wantsBias, initializer: .heNormal)
    }

    /// Behind a dense layer there are no positions: what is per channel there would see single values.
    private static func vectorNorm(_ features: Int, _ normalizer: Normalizer) -> Module? {
        switch normalizer {
        case .batch: normalizer.layer(features)
        case .group, .instance, .layer: LayerNorm([features])
        case .none: nil
        }
    }
}
