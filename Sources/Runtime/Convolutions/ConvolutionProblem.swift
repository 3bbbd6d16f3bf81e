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
    var geometry: ConvolutionGeometry
    /// The spatial extents of the image.
    var extents: [Int]
    /// `[outputs, inputs / groups, kernel extents...]`
    let weight: Shape
    /// The type of images; float32 or bfloat16.
    let type: ElementType
    /// Whether a number per output channel is added, forward.
    var hasBias = false
    /// Whether a tensor of the result's layout is added, forward.
    var addsResidual = false
    /// What is done to results before they are stored, forward.
    var activation = FusedActivation.identity

    /// For plans.
    var name: String {
        guard direction == .forward else { return "convolutionInputGradient" }
        return "convolution" + (hasBias ? "+bias" : "") + (addsResidual ? "+residual" : "")
            + (activation == .identity ? "" : "+\(activation)")
    }

    var imageChannels: Int { weight[1] * geometry.groups }

    /// The spatial extents of the result.
    var positions: [Int] {
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

    /// The layout of the weight (or its gradient) that oneDNN, or our own kernel for pairs, computes with;
    /// nil where oneDNN has no such convolution.
    func packedWeight() -> dnnl_memory_desc_t? {
        if pairs != nil { return OneDNN.layout(weightExtents, dnnl_f32, dnnl_hwio) }
        guard let descriptor = descriptor(Self.typicalSamples, packed: nil) else { return nil }
        defer { dnnl_primitive_desc_destroy(descriptor) }
        let query =
            direction == .weightGradient ? dnnl_query_diff_weights_md : dnnl_query_weights_md
        return dnnl_primitive_desc_query_md(descriptor, query, 0)?.pointee
    }

    /// The arguments of the forward primitive: image, weight and result, then bias and residual where
    /// there are some.
    func forwardArguments(_ samples: Int, packed: dnnl_memory_desc_t)
        -> [(role: CInt, layout: dnnl_memory_desc_t)]
    {
        var arguments = [
            (role: CInt(DNNL_ARG_SRC), layout: image(samples)!),
            (role: CInt(DNNL_ARG_WEIGHTS), layout: packed),
            (role: CInt(DNNL_ARG_DST), layout: result(samples)!),
        ]
        if hasBias { arguments.append((role: CInt(DNNL_ARG_BIAS), layout: bias()!)) }
        if addsResidual {
            // The first operation behind the convolution takes it.
            let role = CInt(DNNL_ARG_ATTR_MULTIPLE_POST_OP_BASE) | CInt(DNNL_ARG_SRC_1)
            arguments.append((role: role, layout: result(samples)!))
        }
        return arguments
    }

    /// What the primitive does to results before it stores them; nil for nothing. The caller destroys it.
    private func postOperations(_ result: dnnl_memory_desc_t) -> dnnl_post_ops_t? {
        guard addsResidual || activation != .identity else { return nil }
        var operations: dnnl_post_ops_t?
        dnnl_post_ops_create(&operations)
        var result = result
        if addsResidual { dnnl_post_ops_append_binary(operations, dnnl_binary_add, &result) }
        switch activation {
        case .identity: break
        case .leakyReLU(let slope):
            dnnl_post_ops_append_eltwise(operations, 1, dnnl_eltwise_relu, Float(slope), 0)
        case .relu6: dnnl_post_ops_append_eltwise(operations, 1, dnnl_eltwise_clip, 0, 6)
        }
        return operations
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
        guard status == dnnl_success else { return nil }
        let operations = postOperations(y)
        defer { if let operations { dnnl_post_ops_destroy(operations) } }
        return OneDNNPrimitive.descriptor(&operation, operations, accepts: Self.isFast)
    }

    /// oneDNN puts its convolution out of small matrix products (`brgconv`) first for channels-last
    /// images, but its direct one for the same instructions is faster, by a tenth with few channels.
    /// Kernels of one position, and processors with matrix tiles, are what the other is for.
    private static func isFast(_ implementation: String) -> Bool {
        implementation.hasPrefix("jit") && implementation.contains("avx512")
            || implementation.hasPrefix("brgconv_1x1") || implementation.contains("amx")
    }
}
