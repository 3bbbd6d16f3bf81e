import Arrays
import Graph

/// What convolution layers of one, two and three spatial axes share; see ``Conv2D``.
public class ConvolutionLayer: Module {
    public let inputs: Int
    public let outputs: Int
    /// The extents of the kernel, one per spatial axis.
    public let kernel: [Int]
    public let strides: [Int]
    public let padding: Padding
    public let dilations: [Int]
    public let groups: Int
    public let weight: Parameter
    public let bias: Parameter?

    fileprivate init(
        _ name: String, rank: Int, _ inputs: Int, _ outputs: Int, kernel: PerAxis,
        strides: PerAxis, padding: Padding, dilations: PerAxis, groups: Int, bias: Bool,
        initializer: Initializer, isTransposed: Bool = false
    ) {
        precondition(
            inputs > 0 && outputs > 0,
            "\(name): expected positive numbers of channels, found \(inputs) and \(outputs)")
        precondition(
            groups > 0 && inputs % groups == 0 && outputs % groups == 0,
            "\(name): \(groups) groups do not divide \(inputs) input and \(outputs) output channels"
        )
        self.inputs = inputs
        self.outputs = outputs
        self.kernel = kernel.expanded(rank, name, "kernel extents", atLeast: 1)
        self.strides = strides.expanded(rank, name, "strides", atLeast: 1)
        self.dilations = dilations.expanded(rank, name, "dilations", atLeast: 1)
        self.padding = padding
        self.groups = groups
        let taps = self.kernel.reduce(1, *)
        let fans = Fans(inputs: inputs / groups * taps, outputs: outputs / groups * taps)
        let channels = isTransposed ? [inputs, outputs / groups] : [outputs, inputs / groups]
        weight = Parameter(Shape(channels + self.kernel), initializer: initializer, fans: fans)
        self.bias =
            bias ? Parameter([outputs], role: .bias, initializer: .zeros, fans: fans) : nil
        super.init()
    }

    fileprivate func check(_ input: Tensor, _ context: Context) {
        guard input.rank == kernel.count + 2, input.shape[input.rank - 1] == inputs else {
            let axes = ["length", "height, width", "depth, height, width"][kernel.count - 1]
            fail(
                context,
                "expected an input of [samples, \(axes), \(inputs)], found \(input.shape)")
        }
    }

    override public func call(_ input: Tensor, _ context: Context) -> Tensor {
        check(input, context)
        let result = input.convolution(
            weight.tensor.cast(to: input.elementType), strides: strides, padding: padding,
            dilations: dilations, groups: groups)
        return adding(bias, to: result)
    }

    fileprivate func adding(_ bias: Parameter?, to result: Tensor) -> Tensor {
        bias.map { result + $0.tensor.cast(to: result.elementType) } ?? result
    }
}

/// Convolution over sequences: input `[samples, length, inputs]`, output `[samples, positions, outputs]`;
/// the weight is `[outputs, inputs / groups, kernel]`. See ``Conv2D``.
public final class Conv1D: ConvolutionLayer {
    public init(
        _ inputs: Int, _ outputs: Int, kernel: PerAxis, strides: PerAxis = 1,
        padding: Padding = .valid, dilations: PerAxis = 1, groups: Int = 1, bias: Bool = true,
        initializer: Initializer = .heUniform
    ) {
        super.init(
            "Conv1D", rank: 1, inputs, outputs, kernel: kernel, strides: strides,
            padding: padding, dilations: dilations, groups: groups, bias: bias,
            initializer: initializer)
    }
}

/// Convolution over images, channels last.
///
/// Input `[samples, height, width, inputs]`, output `[samples, rows, columns, outputs]`. The weight is
/// `[outputs, inputs / groups, kernel height, kernel width]` and the bias `[outputs]`, as in PyTorch, so
/// that its checkpoints load by name. In front of a batch norm leave the bias out: its beta does that work.
///
/// It computes in its input's type: a bfloat16 image is convolved with the weight rounded to bfloat16.
///
/// Traps where the kernel is larger than the padded image, a stride is not positive, or the groups do not
/// divide the channels.
public final class Conv2D: ConvolutionLayer {
    /// - Parameters:
    ///   - kernel: `3`, or `[3, 5]` for height and width; strides and dilations likewise.
    ///   - padding: `.valid`, `.same`, a number of zeros on every side, or `.sides(before:after:)`.
    ///   - groups: how many groups of channels are kept apart; `groups: inputs` is depthwise.
    public init(
        _ inputs: Int, _ outputs: Int, kernel: PerAxis, strides: PerAxis = 1,
        padding: Padding = .valid, dilations: PerAxis = 1, groups: Int = 1, bias: Bool = true,
        initializer: Initializer = .heUniform
    ) {
        super.init(
            "Conv2D", rank: 2, inputs, outputs, kernel: kernel, strides: strides,
            padding: padding, dilations: dilations, groups: groups, bias: bias,
            initializer: initializer)
    }
}

/// Convolution over volumes: input `[samples, depth, height, width, inputs]`; the weight is
/// `[outputs, inputs / groups, kernel depth, kernel height, kernel width]`. See ``Conv2D``.
public final class Conv3D: ConvolutionLayer {
    public init(
        _ inputs: Int, _ outputs: Int, kernel: PerAxis, strides: PerAxis = 1,
        padding: Padding = .valid, dilations: PerAxis = 1, groups: Int = 1, bias: Bool = true,
        initializer: Initializer = .heUniform
    ) {
        super.init(
            "Conv3D", rank: 3, inputs, outputs, kernel: kernel, strides: strides,
            padding: padding, dilations: dilations, groups: groups, bias: bias,
            initializer: initializer)
    }
}

/// What transposed convolutions share; see ``ConvTranspose2D``.
public class TransposedConvolutionLayer: ConvolutionLayer {
    /// Additional positions behind each axis, less than its stride.
    public let outputPadding: [Int]

    fileprivate init(
        _ name: String, rank: Int, _ inputs: Int, _ outputs: Int, kernel: PerAxis,
        strides: PerAxis, padding: Padding, outputPadding: PerAxis, dilations: PerAxis,
        groups: Int, bias: Bool, initializer: Initializer
    ) {
        self.outputPadding = outputPadding.expanded(rank, name, "output paddings", atLeast: 0)
        super.init(
            name, rank: rank, inputs, outputs, kernel: kernel, strides: strides, padding: padding,
            dilations: dilations, groups: groups, bias: bias, initializer: initializer,
            isTransposed: true)
    }

    override public func call(_ input: Tensor, _ context: Context) -> Tensor {
        check(input, context)
        let result = input.transposedConvolution(
            weight.tensor.cast(to: input.elementType), strides: strides, padding: padding,
            outputPadding: outputPadding, dilations: dilations, groups: groups)
        return adding(bias, to: result)
    }
}

/// Transposed convolution over sequences; the weight is `[inputs, outputs / groups, kernel]`. See
/// ``ConvTranspose2D``.
public final class ConvTranspose1D: TransposedConvolutionLayer {
    public init(
        _ inputs: Int, _ outputs: Int, kernel: PerAxis, strides: PerAxis = 1,
        padding: Padding = .valid, outputPadding: PerAxis = 0, dilations: PerAxis = 1,
        groups: Int = 1, bias: Bool = true, initializer: Initializer = .heUniform
    ) {
        super.init(
            "ConvTranspose1D", rank: 1, inputs, outputs, kernel: kernel, strides: strides,
            padding: padding, outputPadding: outputPadding, dilations: dilations, groups: groups,
            bias: bias, initializer: initializer)
    }
}

/// Transposed convolution over images, channels last: takes the result of a convolution with the same
/// strides and padding back to the extents of its image. The weight is
/// `[inputs, outputs / groups, kernel height, kernel width]`, as in PyTorch.
///
/// Output extents: `(extent - 1) * stride - padding + dilation * (kernel - 1) + 1 + outputPadding`, or
/// `extent * stride` with `.same`.
public final class ConvTranspose2D: TransposedConvolutionLayer {
    public init(
        _ inputs: Int, _ outputs: Int, kernel: PerAxis, strides: PerAxis = 1,
        padding: Padding = .valid, outputPadding: PerAxis = 0, dilations: PerAxis = 1,
        groups: Int = 1, bias: Bool = true, initializer: Initializer = .heUniform
    ) {
        super.init(
            "ConvTranspose2D", rank: 2, inputs, outputs, kernel: kernel, strides: strides,
            padding: padding, outputPadding: outputPadding, dilations: dilations, groups: groups,
            bias: bias, initializer: initializer)
    }
}
