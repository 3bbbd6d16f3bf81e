import Arrays
import CKernels
import Graph

/// The convolutions of images, without groups or dilation, for which we have kernels of our own: where
/// oneDNN does not reach what the processor can do.
extension ConvolutionProblem {
    /// The gradient of a weight, from pairs of bfloat16 images. Nil where that kernel does not fit.
    var pairs: ek_convolution? {
        guard direction == .weightGradient, type == .bfloat16, var convolution = plain,
            ek_weight_gradient_bf16_fits(&convolution) != 0
        else { return nil }
        return convolution
    }

    /// A convolution of float32 images, or a gradient by such an image, for vectors of eight floats. Nil
    /// where that kernel does not fit.
    var direct: ek_convolution? {
        guard direction != .weightGradient, type == .float32, var convolution = plain
        else { return nil }
        if direction == .inputGradient {
            // A convolution of the result's gradient, with the kernel turned by half a circle.
            guard geometry.strides == [1, 1], geometry.before[0] < weight[2],
                geometry.before[1] < weight[3]
            else { return nil }
            convolution = ek_convolution(
                height: convolution.rows, width: convolution.columns,
                channels: convolution.outputs, rows: convolution.height,
                columns: convolution.width, outputs: convolution.channels,
                kernel: convolution.kernel, strides: (1, 1),
                before: (
                    convolution.kernel.0 - 1 - convolution.before.0,
                    convolution.kernel.1 - 1 - convolution.before.1
                ))
        }
        return ek_convolution_f32_fits(&convolution) != 0 ? convolution : nil
    }

    private var plain: ek_convolution? {
        guard extents.count == 2, geometry.groups == 1, geometry.dilations == [1, 1]
        else { return nil }
        func pair(_ numbers: [Int]) -> (Int, Int) { (numbers[0], numbers[1]) }
        return ek_convolution(
            height: extents[0], width: extents[1], channels: weight[1], rows: positions[0],
            columns: positions[1], outputs: weight[0], kernel: (weight[2], weight[3]),
            strides: pair(geometry.strides), before: pair(geometry.before))
    }

    /// Bytes of the weight as the convolution computes with it; nil where nothing computes it.
    var packedByteCount: Int? {
        if var direct { return ek_convolution_f32_packed(&direct) }
        return packedWeight().map(OneDNN.byteCount)
    }

    /// Whether the weight that is packed for the first of some convolutions serves all of them, for one
    /// sample.
    static func shareWeight(_ problems: [ConvolutionProblem]) -> Bool {
        if problems[0].direct != nil { return problems.allSatisfy { $0.direct != nil } }
        guard let packed = problems[0].packedWeight() else { return false }
        return problems.allSatisfy { $0.primitive(1, packed: packed) != nil }
    }
}
