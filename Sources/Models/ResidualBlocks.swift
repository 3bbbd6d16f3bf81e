import Graph
import Layers

/// How a residual network's branches are built.
struct BlockStyle {
    var normalizer: Normalizer
    /// Whether the last normalizer of each branch starts with a scale of zero.
    var zeroGamma: Bool

    /// What brings the input to the branch's extents, where they differ: a projection.
    func projection(_ inputs: Int, _ outputs: Int, stride: Int, isNormalized: Bool = true)
        -> Sequential?
    {
        guard stride != 1 || inputs != outputs else { return nil }
        let norm = isNormalized ? normalizer.layer(outputs) : nil
        return Sequential(
            [convolution(inputs, outputs, kernel: 1, stride: stride, normalizer)]
                + (norm.map { [$0] } ?? []))
    }
}

/// Two 3x3 convolutions and a shortcut around them (He et al. 2016a, figure 5, left).
public final class BasicBlock: Module {
    let conv1: Conv2D
    let bn1: Module?
    let conv2: Conv2D
    let bn2: Module?
    let downsample: Sequential?

    init(_ inputs: Int, _ width: Int, stride: Int, _ style: BlockStyle) {
        conv1 = convolution(inputs, width, stride: stride, style.normalizer)
        bn1 = style.normalizer.layer(width)
        conv2 = convolution(width, width, style.normalizer)
        bn2 = style.normalizer.layer(width, zeroGamma: style.zeroGamma)
        downsample = style.projection(inputs, width, stride: stride)
        super.init()
    }

    override public func call(_ input: Tensor, _ context: Context) -> Tensor {
        let hidden = conv1(input, context).through(bn1, context).relu()
        let branch = conv2(hidden, context).through(bn2, context)
        return (branch + input.through(downsample, context)).relu()
    }
}

/// A 1x1, a 3x3 and a widening 1x1 convolution and a shortcut around them (He et al. 2016a, figure 5,
/// right), with the stride in the 3x3 convolution.
public final class Bottleneck: Module {
    static let expansion = 4

    let conv1: Conv2D
    let bn1: Module?
    let conv2: Conv2D
    let bn2: Module?
    let conv3: Conv2D
    let bn3: Module?
    let downsample: Sequential?

    init(_ inputs: Int, _ width: Int, stride: Int, _ style: BlockStyle) {
        let outputs = width * Self.expansion
        conv1 = convolution(inputs, width, kernel: 1, style.normalizer)
        bn1 = style.normalizer.layer(width)
        conv2 = convolution(width, width, stride: stride, style.normalizer)
        bn2 = style.normalizer.layer(width)
        conv3 = convolution(width, outputs, kernel: 1, style.normalizer)
        bn3 = style.normalizer.layer(outputs, zeroGamma: style.zeroGamma)
        downsample = style.projection(inputs, outputs, stride: stride)
        super.init()
    }

    override public func call(_ input: Tensor, _ context: Context) -> Tensor {
        var hidden = conv1(input, context).through(bn1, context).relu()
        hidden = conv2(hidden, context).through(bn2, context).relu()
        let branch = conv3(hidden, context).through(bn3, context)
        return (branch + input.through(downsample, context)).relu()
    }
}

/// The basic block with normalization and activation in front of each convolution, so that nothing
/// stands between the shortcuts (He et al. 2016b).
public final class PreActivationBlock: Module {
    let bn1: Module?
    let conv1: Conv2D
    let bn2: Module?
    let conv2: Conv2D
    let downsample: Sequential?

    init(_ inputs: Int, _ width: Int, stride: Int, _ style: BlockStyle) {
        bn1 = style.normalizer.layer(inputs)
        conv1 = convolution(inputs, width, stride: stride, style.normalizer)
        bn2 = style.normalizer.layer(width)
        conv2 = convolution(width, width, style.normalizer)
        downsample = style.projection(inputs, width, stride: stride, isNormalized: false)
        super.init()
    }

    override public func call(_ input: Tensor, _ context: Context) -> Tensor {
        let activated = input.through(bn1, context).relu()
        // The projection also takes the normalized input.
        let shortcut = downsample.map { $0(activated, context) } ?? input
        let hidden = conv1(activated, context).through(bn2, context).relu()
        return conv2(hidden, context) + shortcut
    }
}

extension Tensor {
    /// What a module makes of the tensor; the tensor itself where there is none.
    func through(_ module: Module?, _ context: Context) -> Tensor {
        module.map { $0(self, context) } ?? self
    }
}
