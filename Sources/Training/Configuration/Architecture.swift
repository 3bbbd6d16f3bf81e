import Arrays
import Layers
import Models

/// The convolutional networks that have a name, for `--model`.
public enum Architecture: String, Hashable, Sendable, CaseIterable {
    /// Two stages of two convolutions and a hidden dense layer.
    case cnn
    case vgg11
    /// Residual networks for small images (He et al. 2016), and their pre-activation form.
    case resnet20, resnet32, resnet56
    case preresnet20, preresnet32, preresnet56
    /// Residual networks for large images; small ones get a small stem.
    case resnet18, resnet50
    case mobilenetv2

    /// Whether it has residual branches that end with a normalizer, whose gamma can begin at zero.
    public var endsBranchesWithNorm: Bool {
        switch self {
        case .resnet20, .resnet32, .resnet56, .resnet18, .resnet50, .mobilenetv2: true
        case .cnn, .vgg11, .preresnet20, .preresnet32, .preresnet56: false
        }
    }

    /// The network for images of `[height, width, channels]`. Throws when the samples are no images, or too
    /// small.
    package func build(
        image: Shape, classes: Int, norm: NormKind, zeroGamma: Bool = false
    ) throws(ConfigurationError) -> Module {
        norm.put(
            into: try network(image: image, classes: classes, norm: norm, zeroGamma: zeroGamma))
    }

    private func network(
        image: Shape, classes: Int, norm: NormKind, zeroGamma: Bool
    ) throws(ConfigurationError) -> Module {
        guard image.rank == 3, image[0] >= 8, image[1] >= 8 else {
            throw ConfigurationError(
                "model \(rawValue): expected images of [height, width, channels], at least 8 by 8, "
                    + "found samples of \(image)")
        }
        let isSmall = min(image[0], image[1]) < 64
        let channels = image[2]
        let normalizer = norm.normalizer
        switch self {
        case .cnn: return PlainNetworks.cnn(image: image, classes: classes, normalizer: normalizer)
        case .vgg11:
            guard min(image[0], image[1]) >= 32 else {
                throw ConfigurationError(
                    "model vgg11: five poolings need images of at least 32 by 32, found \(image)")
            }
            return PlainNetworks.vgg(channels: channels, classes: classes, normalizer: normalizer)
        case .resnet20, .resnet32, .resnet56:
            let depth = Int(rawValue.dropFirst("resnet".count))!
            return ResNet.small(
                depth: depth, channels: channels, classes: classes, normalizer: normalizer,
                zeroGamma: zeroGamma)
        case .preresnet20, .preresnet32, .preresnet56:
            let depth = Int(rawValue.dropFirst("preresnet".count))!
            return ResNet.small(
                depth: depth, channels: channels, classes: classes, preActivation: true,
                normalizer: normalizer)
        case .resnet18:
            return ResNet.resNet18(
                channels: channels, classes: classes, stem: isSmall ? .small : .large,
                normalizer: normalizer, zeroGamma: zeroGamma)
        case .resnet50:
            return ResNet.resNet50(
                channels: channels, classes: classes, stem: isSmall ? .small : .large,
                normalizer: normalizer, zeroGamma: zeroGamma)
        case .mobilenetv2:
            return MobileNetV2(
                channels: channels, classes: classes, reduction: isSmall ? 8 : 32,
                normalizer: normalizer, zeroGamma: zeroGamma)
        }
    }
}
