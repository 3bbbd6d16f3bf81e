import Graph
import Layers

/// Residual networks for images, channels last: `[samples, height, width, channels]` to logits
/// `[samples, classes]`.
///
/// The names of parameters are torchvision's (`layer1.0.conv1.weight`, `layer2.0.downsample.1.weight`,
/// `fc.bias`), so that its checkpoints load by name; `bn1` and so on name the normalizer, whichever it is.
public final class ResNet: Module {
    /// What stands in front of the first block.
    public enum Stem: Hashable, Sendable {
        /// A 3x3 convolution, for small images.
        case small
        /// A 7x7 convolution with stride 2 and max pooling, for large ones.
        case large
    }

    /// What the residual blocks are.
    public enum Block: Hashable, Sendable {
        case basic, bottleneck, preActivation
    }

    let conv1: Conv2D
    let bn1: Module?
    let layer1: Sequential
    let layer2: Sequential?
    let layer3: Sequential?
    let layer4: Sequential?
    /// The normalizer behind the last block, where blocks begin with theirs.
    let bn: Module?
    let fc: Dense
    private let stem: Stem
    private let isPreActivation: Bool

    /// - Parameters:
    ///   - depths: the number of blocks of each stage, one to four stages; each stage after the first
    ///     halves the extents and doubles the width.
    ///   - width: the channels of the first stage.
    ///   - zeroGamma: whether the last normalizer of each branch starts with a scale of zero, so that
    ///     blocks begin as identities (Goyal et al. 2017). Pre-activation blocks have no such normalizer.
    public init(
        channels: Int, classes: Int, depths: [Int], width: Int, block: Block = .basic,
        stem: Stem = .small, normalizer: Normalizer = .batch(), zeroGamma: Bool = false
    ) {
        precondition(
            (1...4).contains(depths.count) && depths.allSatisfy { $0 > 0 },
            "ResNet: expected one to four stages of at least one block, found \(depths)")
        self.stem = stem
        isPreActivation = block == .preActivation
        let style = BlockStyle(normalizer: normalizer, zeroGamma: zeroGamma)
        conv1 =
            stem == .small
            ? convolution(channels, width, normalizer)
            : convolution(channels, width, kernel: 7, stride: 2, normalizer)
        bn1 = isPreActivation ? nil : normalizer.layer(width)
        var inputs = width
        let stages = depths.enumerated().map { stage, depth in
            Sequential(
                (0..<depth).map { index -> Module in
                    let (stride, stageWidth) = (stage > 0 && index == 0 ? 2 : 1, width << stage)
                    defer {
                        inputs =
                            block == .bottleneck ? stageWidth * Bottleneck.expansion : stageWidth
                    }
                    return switch block {
                    case .basic: BasicBlock(inputs, stageWidth, stride: stride, style)
                    case .bottleneck: Bottleneck(inputs, stageWidth, stride: stride, style)
                    case .preActivation:
                        PreActivationBlock(inputs, stageWidth, stride: stride, style)
                    }
                })
        }
        layer1 = stages[0]
        layer2 = stages.count > 1 ? stages[1] : nil
        layer3 = stages.count > 2 ? stages[2] : nil
        layer4 = stages.count > 3 ? stages[3] : nil
        bn = isPreActivation ? normalizer.layer(inputs) : nil
        fc = Dense(inputs, classes)
        super.init()
    }

    override public func call(_ input: Tensor, _ context: Context) -> Tensor {
        var x = conv1(input, context).through(bn1, context)
        if !isPreActivation { x = x.relu() }
        if stem == .large { x = x.maxPooled([3], strides: [2], padding: 1) }
        for stage in [layer1, layer2, layer3, layer4] { x = x.through(stage, context) }
        if isPreActivation { x = x.through(bn, context).relu() }
        return fc(x.globalAveragePooled(), context)
    }

    /// A network of `6 n + 2` layers for small images (He et al. 2016a, section 4.2): depth 20, 32, 44, 56
    /// or 110. Where extents change the shortcut is a projection.
    public static func small(
        depth: Int, channels: Int, classes: Int, width: Int = 16, preActivation: Bool = false,
        normalizer: Normalizer = .batch(), zeroGamma: Bool = false
    ) -> ResNet {
        precondition(
            depth >= 8 && (depth - 2) % 6 == 0,
            "ResNet: expected a depth of 6 n + 2, such as 20, 32 or 56, found \(depth)")
        let blocks = (depth - 2) / 6
        return ResNet(
            channels: channels, classes: classes, depths: [blocks, blocks, blocks], width: width,
            block: preActivation ? .preActivation : .basic, normalizer: normalizer,
            zeroGamma: zeroGamma)
    }

    /// ResNet-18, for large images with the default stem.
    public static func resNet18(
        channels: Int = 3, classes: Int = 1000, stem: Stem = .large,
        normalizer: Normalizer = .batch(), zeroGamma: Bool = false
    ) -> ResNet {
        ResNet(
            channels: channels, classes: classes, depths: [2, 2, 2, 2], width: 64, stem: stem,
            normalizer: normalizer, zeroGamma: zeroGamma)
    }

    /// ResNet-50, for large images with the default stem.
    public static func resNet50(
        channels: Int = 3, classes: Int = 1000, stem: Stem = .large,
        normalizer: Normalizer = .batch(), zeroGamma: Bool = false
    ) -> ResNet {
        ResNet(
            channels: channels, classes: classes, depths: [3, 4, 6, 3], width: 64,
            block: .bottleneck, stem: stem, normalizer: normalizer, zeroGamma: zeroGamma)
    }
}
