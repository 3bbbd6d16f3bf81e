import Arrays
import COneDNN
import Graph

/// One of a convolution's three computations, on images and weights of given extents: what a oneDNN
/// primitive is made for, up to the number of samples.
struct ConvolutionProblem: Hashable {
    enum Direction: Hashable {
        case forward, inputGradient, weightGradient
    }

    let direction: Direction
    let geometry: ConvolutionGeometry
    /// The spatial extents of the image.
    let extents: [Int]
    /// `[outputs, inputs / groups, kernel extents...]`
    let weight: Shape
    /// The type of images; float32 or bfloat16.
    let type: ElementType
    /// Whether a number per output channel is added, forward.
    var hasBias = false

    var imageChannels: Int { weight[1] * geometry.groups }

    /// The spatial extents of the result.
    private var positions: [Int] {
        extents.indices.map {
            geometry.positions(extents[$0], kernel: weight[$0 + 2], axis: $0)
        }
    }

    /// The samples of which the layout of packed weights is asked; it serves any number of them.
    private static let typicalSamples = 8

    // MARK: - Layouts

    private var dataType: dnnl_data_type_t { type == .bfloat16 ? dnnl_bf16 : dnnl_f32 }
    private var channelsLast: dnnl_format_tag_t {
        [dnnl_nwc, dnnl_nhwc, dnnl_ndhwc][extents.count - 1]
    }

    private var weightExtents: [Int] {
        geometry.groups == 1
            ? Array(weight)
            : [geometry.groups, weight[0] / geometry.groups] + weight.dropFirst()
    }

    /// The image's layout, channels last.
    func image(_ samples: Int) -> dnnl_memory_desc_t? {
        OneDNN.layout([samples, imageChannels] + extents, dataType, channelsLast)
    }

    /// The result's layout, channels last.
    func result(_ samples: Int) -> dnnl_memory_desc_t? {
        OneDNN.layout([samples, weight[0]] + positions, dataType, channelsLast)
    }

    /// The weight as variables hold it, in a type of its own.
    func plainWeight(_ type: ElementType) -> dnnl_memory_desc_t? {
        let tags = [dnnl_abc, dnnl_abcd, dnnl_abcde, dnnl_abcdef]
        return OneDNN.layout(
            weightExtents, type == .bfloat16 ? dnnl_bf16 : dnnl_f32, tags[weightExtents.count - 3])
    }

    /// The bias, in the images' type.
    func bias() -> dnnl_memory_desc_t? { OneDNN.layout([weight[0]], dataType, dnnl_a) }

    private var weightType: dnnl_data_type_t {
        // Gradients are summed in float32, whatever the images' type.
        direction == .weightGradient ? dnnl_f32 : dataType
    }

    // MARK: - Primitives

    /// The layout of the weight (or its gradient) that the processor computes with; nil where oneDNN has
    /// no such convolution.
    func packedWeight() -> dnnl_memory_desc_t? {
        guard let descriptor = descriptor(Self.typicalSamples, packed: nil) else { return nil }
        defer { dnnl_primitive_desc_destroy(descriptor) }
        let query =
            direction == .weightGradient ? dnnl_query_diff_weights_md : dnnl_query_weights_md
        return dnnl_primitive_desc_query_md(descriptor, query, 0)?.pointee
    }

    /// The computation for a number of samples, on packed weights.
    func primitive(_ samples: Int, packed: dnnl_memory_desc_t) -> OneDNNPrimitive? {
        descriptor(samples, packed: packed).flatMap(OneDNNPrimitive.init(owning:))
    }

    private func descriptor(_ samples: Int, packed: dnnl_memory_desc_t?) -> dnnl_primitive_desc_t? {
        guard var x = image(samples), var y = result(samples), let bias = bias(),
            var w = packed ?? OneDNN.layout(weightExtents, weightType, dnnl_format_tag_any)
        else { return nil }
        let strides = geometry.strides.map(dnnl_dim_t.init)
        let before = geometry.before.map(dnnl_dim_t.init)
        // What no position of the kernel reaches need not be padded.
        let after = positions.indices.map { axis in
            let used =
                (positions[axis] - 1) * geometry.strides[axis]
                + geometry.reach(weight[axis + 2], axis: axis)
            return dnnl_dim_t(used - extents[axis] - geometry.before[axis])
        }
        let dilations = geometry.dilations.map { dnnl_dim_t($0 - 1) }
        var operation = dnnl_convolution_desc_t()
        let algorithm = dnnl_convolution_direct
        let status =
            switch direction {
            case .forward:
                withUnsafePointer(to: bias) { bias in
                    dnnl_dilated_convolution_forward_desc_init(
                        &operation, dnnl_forward_training, algorithm, &x, &w,
                        hasBias ? bias : nil, &y, strides, dilations, before, after)
                }
            case .inputGradient:
                dnnl_dilated_convolution_backward_data_desc_init(
                    &operation, algorithm, &x, &w, &y, strides, dilations, before, after)
            case .weightGradient:
                dnnl_dilated_convolution_backward_weights_desc_init(
                    &operation, algorithm, &x, &w, nil, &y, strides, dilations, before, after)
            }
        return status == dnnl_success ? OneDNNPrimitive.descriptor(&operation) : nil
    }
}
