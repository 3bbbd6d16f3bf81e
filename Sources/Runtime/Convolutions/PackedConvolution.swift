import Arrays
import COneDNN
import Graph

/// The weight of a convolution in the layout that a primitive computes with, made once per step.
///
/// Input: the weight, float32 or bfloat16. Output: bytes. Only the fast backend knows it.
struct PackWeight: FastOperation {
    let problem: ConvolutionProblem
    let byteCount: Int

    /// Nil where nothing computes such a convolution.
    init?(_ problem: ConvolutionProblem) {
        guard let byteCount = problem.packedByteCount else { return nil }
        self.problem = problem
        self.byteCount = byteCount
    }

    var name: String {
        problem.direction == .forward ? "packWeight" : "packWeight(for input gradient)"
    }

    func outputSpecs(_ inputs: [TensorSpec]) -> [TensorSpec] { [TensorSpec([byteCount], .uint8)] }
    func sharding(_ inputs: [TensorSpec], _ outputs: [TensorSpec]) -> Sharding { .whole }
    func inputGradients(_ call: GradientCall) -> [Tensor?] { fastBackendOnly() }
    func reference<T: ReferenceScalar>(_ inputs: [Values<T>]) -> [Values<T>] { fastBackendOnly() }
    func kernel(_ call: KernelCall) -> Kernel? {
        problem.direct == nil ? PackWeightKernel(call, problem) : OwnPackKernel(call, problem)
    }
}

/// A convolution, or its gradient by the image, with a packed weight.
///
/// Inputs: the image (or the gradient of the result), the packed weight, with a bias that, and with a
/// residual that.
struct PackedConvolution: FastOperation {
    let problem: ConvolutionProblem
    /// Of one sample.
    let output: Shape

    var name: String { problem.name }

    func outputSpecs(_ inputs: [TensorSpec]) -> [TensorSpec] {
        [TensorSpec(Shape([inputs[0].shape[0]] + output), inputs[0].type)]
    }

    func sharding(_ inputs: [TensorSpec], _ outputs: [TensorSpec]) -> Sharding {
        .rows(
            aligned: inputs.indices.map {
                $0 == 0 || (problem.addsResidual && $0 == inputs.count - 1)
            })
    }

    func inputGradients(_ call: GradientCall) -> [Tensor?] { fastBackendOnly() }
    func reference<T: ReferenceScalar>(_ inputs: [Values<T>]) -> [Values<T>] { fastBackendOnly() }
    func kernel(_ call: KernelCall) -> Kernel? {
        problem.direct == nil
            ? ConvolutionKernel(call, problem) : OwnConvolutionKernel(call, problem)
    }
}

extension PackedConvolution {
    /// A convolution whose primitive does more, with further inputs for it; nil where oneDNN has none.
    static func extended(
        _ tensor: Tensor, by more: [Tensor] = [], _ change: (inout ConvolutionProblem) -> Void
    ) -> [Tensor]? {
        guard let convolution = tensor.node.operation as? PackedConvolution else { return nil }
        var problem = convolution.problem
        change(&problem)
        // The weight is packed for this primitive, should it prefer another layout.
        var inputs = tensor.node.inputs + more
        guard let pack = PackWeight(problem) else { return nil }
        inputs[1] = Tensor(pack, inputs[1].node.inputs[0])
        return Node(PackedConvolution(problem: problem, output: convolution.output), inputs).tensors
    }
}

/// A convolution's gradient by its weight, summed over samples in float32.
///
/// Inputs: the image and the gradient of the result. Outputs: of the weight's shape, float32; and the
/// memory in which groups of shards sum.
struct SummedWeightGradient: FastOperation {
    let problem: ConvolutionProblem
    /// Of one group's sum.
    let byteCount: Int

    /// Nil where oneDNN has no such convolution.
    init?(_ problem: ConvolutionProblem) {
        guard let packed = problem.packedWeight() else { return nil }
        self.problem = problem
        byteCount = (OneDNN.byteCount(packed) + 63) / 64 * 64
    }

    var name: String { "convolutionWeightGradient" }

    func outputSpecs(_ inputs: [TensorSpec]) -> [TensorSpec] {
        [
            TensorSpec(problem.weight, .float32),
            TensorSpec([ExecutableSegment.maximalGroupCount, byteCount], .uint8),
        ]
    }

    func sharding(_ inputs: [TensorSpec], _ outputs: [TensorSpec]) -> Sharding {
        .reduction(aligned: [true, true])
    }

    func inputGradients(_ call: GradientCall) -> [Tensor?] { fastBackendOnly() }
    func reference<T: ReferenceScalar>(_ inputs: [Values<T>]) -> [Values<T>] { fastBackendOnly() }
    func kernel(_ call: KernelCall) -> Kernel? { WeightGradientKernel(call, problem, byteCount) }
}

extension FastOperation {
    /// For operations that rewrites for the fast backend make, after differentiation.
    func fastBackendOnly() -> Never {
        fail("only the kernels of the fast backend know this operation")
    }
}

/// Gives convolutions weights that are packed once per step, where oneDNN computes them.
struct PackConvolutionWeights: Rewrite {
    let name = "pack the weights of convolutions once per step"

    func replacement(for node: Node, in context: RewriteContext) -> [Tensor]? {
        let spec = node.inputs.first?.spec
        guard let type = spec?.type, type == .float32 || type == .bfloat16 else { return nil }
        func problem(
            _ direction: ConvolutionProblem.Direction, _ geometry: ConvolutionGeometry,
            _ image: Shape, _ weight: Shape
        ) -> ConvolutionProblem {
            ConvolutionProblem(
                direction: direction, geometry: geometry,
                extents: Array(image.dropFirst().dropLast()), weight: weight, type: type)
        }
        let output = node.outputs[0].shape
        if type == .bfloat16, !Processor.hasBFloat16, let result = throughFloat32(node, context) {
            return result
        }
        switch node.operation {
        case let operation as Convolution:
            return packed(
                node,
                problem(
                    .forward, operation.geometry, node.inputs[0].shape, node.inputs[1].shape))
        case let operation as ConvolutionInputGradient:
            return packed(
                node, problem(.inputGradient, operation.geometry, output, node.inputs[1].shape))
        case let operation as ConvolutionWeightGradient:
            let problem = problem(
                .weightGradient, operation.geometry, node.inputs[0].shape, output)
            guard node.inputs[0].shape[0] > 0, let operation = SummedWeightGradient(problem)
            else { return nil }
            let sum = Node(operation, node.inputs).tensors[0]
            return [type == .float32 ? sum : sum.cast(to: type)]
        case let operation as Cast where operation.type == .float32:
            // The sum is float32 before it is rounded: whoever wants that gets it.
            let rounding = node.inputs[0].node
            guard rounding.operation is Cast,
                rounding.inputs[0].node.operation is SummedWeightGradient
            else { return nil }
            return [rounding.inputs[0]]
        case let operation as Binary where operation == Binary(.add):
            return withBias(node, context)
        default: return nil
        }
    }

    /// A processor without instructions for bfloat16 multiplies float32 numbers: the same, rounded once at
    /// the end. Nil for what is not a convolution.
    private func throughFloat32(_ node: Node, _ context: RewriteContext) -> [Tensor]? {
        switch node.operation {
        case is Convolution, is ConvolutionInputGradient, is ConvolutionWeightGradient: break
        default: return nil
        }
        let wide = Node(node.operation, node.inputs.map { $0.cast(to: .float32) })
        let result = replacement(for: wide, in: context)?[0] ?? wide.tensor
        return [result.cast(to: .bfloat16)]
    }

    /// A convolution to whose output channels numbers are added: the primitive does that when it stores.
    private func withBias(_ node: Node, _ context: RewriteContext) -> [Tensor]? {
        let (sum, bias) = (node.inputs[0], node.inputs[1])
        guard let convolution = sum.node.operation as? PackedConvolution,
            convolution.problem.direction == .forward, !convolution.problem.hasBias,
            bias.shape == [convolution.problem.weight[0]], context.isUsedOnce(sum)
        else { return nil }
        return PackedConvolution.extended(sum, by: [bias]) { $0.hasBias = true }
    }

    private func packed(_ node: Node, _ problem: ConvolutionProblem) -> [Tensor]? {
        guard node.inputs[0].shape[0] > 0, let pack = PackWeight(problem) else { return nil }
        // Packing also converts: a float32 weight need not become bfloat16 first.
        var weight = node.inputs[1]
        if weight.node.operation is Cast, weight.node.inputs[0].elementType == .float32 {
            weight = weight.node.inputs[0]
        }
        let convolution = PackedConvolution(
            problem: problem, output: Shape(Array(node.outputs[0].shape.dropFirst())))
        return [Tensor(convolution, node.inputs[0], Tensor(pack, weight))]
    }
}
