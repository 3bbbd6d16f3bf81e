import Arrays
import CKernels
import Graph

/// Packs a weight for our own convolution.
final class OwnPackKernel: Kernel {
    private let plain, packed: Operand
    private let convolution: ek_convolution
    private let isTurned: Bool

    init?(_ call: KernelCall, _ problem: ConvolutionProblem) {
        guard let convolution = problem.direct, call.inputSpecs[0].type == .float32
        else { return nil }
        self.convolution = convolution
        isTurned = problem.direction == .inputGradient
        (plain, packed) = (call.inputs[0], call.outputs[0])
    }

    override func run(_ task: ShardTask) {
        withUnsafePointer(to: convolution) {
            ek_convolution_f32_pack(
                $0, isTurned ? 1 : 0, plain.address(task).assumingMemoryBound(to: Float.self),
                packed.address(task).assumingMemoryBound(to: Float.self))
        }
    }
}

/// Our own convolution, or its gradient by the image, with a packed weight.
final class OwnConvolutionKernel: Kernel {
    /// What shards compute, and where in the image they begin: all the same, or each its own.
    private let parts: [(convolution: ek_convolution, offset: Int)]
    private let unitsPerPart: Int
    private let samplesPerUnit: Int?
    private let source, weight, target: Operand
    private let bias, residual: Operand?
    private let slope, limit: Float
    private let workspace: Int

    /// Of a batch.
    convenience init?(_ call: KernelCall, _ problem: ConvolutionProblem) {
        guard let convolution = problem.direct else { return nil }
        self.init(
            call, problem, [(convolution, 0)], unitsPerPart: .max,
            samplesPerUnit: call.rowsPerUnit(call.inputSpecs[0]))
    }

    /// Of a single image, by rows of its result.
    convenience init?(_ call: KernelCall, rows operation: RowConvolution) {
        let rows = operation.output[0]
        let rowsPerShard = call.units == nil ? rows : call.unitsPerShard
        guard operation.problem.direct != nil,
            let parts = RowConvolution.parts(operation.problem, rows, rowsPerShard)
        else { return nil }
        let rowBytes = call.inputSpecs[0].byteCount / operation.problem.extents[0]
        self.init(
            call, operation.problem,
            parts.map { ($0.problem.direct!, $0.firstRow * rowBytes) },
            unitsPerPart: rowsPerShard, samplesPerUnit: nil)
    }

    private init(
        _ call: KernelCall, _ problem: ConvolutionProblem,
        _ parts: [(convolution: ek_convolution, offset: Int)], unitsPerPart: Int,
        samplesPerUnit: Int?
    ) {
        (self.parts, self.unitsPerPart, self.samplesPerUnit) = (parts, unitsPerPart, samplesPerUnit)
        (source, weight, target) = (call.inputs[0], call.inputs[1], call.outputs[0])
        bias = problem.hasBias ? call.inputs[2] : nil
        residual = problem.addsResidual ? call.inputs[call.inputs.count - 1] : nil
        (slope, limit) =
            switch problem.activation {
            case .identity: (1, .infinity)
            case .leakyReLU(let slope): (Float(slope), .infinity)
            case .relu6: (0, 6)
            }
        workspace = parts.map {
            withUnsafePointer(to: $0.convolution, ek_convolution_f32_workspace)
        }.max()!
    }

    override var workspaceBytes: Int { workspace }

    override func run(_ task: ShardTask) {
        let part = parts[task.start / unitsPerPart]
        func floats(_ operand: Operand) -> UnsafeMutablePointer<Float> {
            operand.address(task).assumingMemoryBound(to: Float.self)
        }
        var output = ek_convolution_output(
            bias: bias.map { UnsafePointer(floats($0)) },
            residual: residual.map { UnsafePointer(floats($0)) }, slope: slope, limit: limit)
        let image = (source.address(task) + part.offset).assumingMemoryBound(to: Float.self)
        withUnsafePointer(to: part.convolution) {
            ek_convolution_f32(
                $0, image, samplesPerUnit.map { $0 * task.count } ?? 1, floats(weight), &output,
                floats(target), task.workspace)
        }
    }
}
