import Arrays
import COneDNN
import Graph

/// The convolution of a single image, cut by the rows of its result, so that workers can share it. The
/// cut follows from the shapes alone.
///
/// Inputs: the image, the packed weight, with a bias that, with a residual that `[rows, ..., channels]`.
/// Output: `[rows, ..., channels]`, without the sample axis.
struct RowConvolution: FastOperation {
    /// The whole convolution.
    let problem: ConvolutionProblem
    let output: Shape
    let rowsPerShard: Int
    /// What the weight is packed for: the first shard.
    let packing: ConvolutionProblem

    /// Multiplications and additions below which another shard is not worth its overhead.
    static let smallestWork = 800_000

    /// Nil where rows of the result need nothing of the image but padding, or one weight cannot serve
    /// all shards.
    init?(_ problem: ConvolutionProblem, output: Shape) {
        self.problem = problem
        self.output = output
        let work = 2 * output.elementCount * problem.weight.dropFirst().reduce(1, *)
        let shards = max(1, min(work / Self.smallestWork, ExecutableSegment.maximalGroupCount))
        rowsPerShard = max(1, (output[0] + shards - 1) / shards)
        guard let parts = Self.parts(problem, output[0], rowsPerShard),
            ConvolutionProblem.shareWeight(parts.map(\.problem))
        else { return nil }
        packing = parts[0].problem
    }

    var name: String { problem.name + " by rows" }

    /// The shards: a problem for each, and the first row of the image that it reads.
    static func parts(_ problem: ConvolutionProblem, _ rows: Int, _ rowsPerShard: Int)
        -> [(problem: ConvolutionProblem, firstRow: Int)]?
    {
        var result: [(problem: ConvolutionProblem, firstRow: Int)] = []
        for start in stride(from: 0, to: rows, by: rowsPerShard) {
            let range = start..<min(start + rowsPerShard, rows)
            guard let part = problem.rows(range) else { return nil }
            result.append(part)
        }
        return result
    }

    func outputSpecs(_ inputs: [TensorSpec]) -> [TensorSpec] {
        [TensorSpec(output, inputs[0].type)]
    }

    func sharding(_ inputs: [TensorSpec], _ outputs: [TensorSpec]) -> Sharding {
        .rows(aligned: inputs.indices.map { problem.addsResidual && $0 == inputs.count - 1 })
    }

    func inputGradients(_ call: GradientCall) -> [Tensor?] { fastBackendOnly() }
    func reference<T: ReferenceScalar>(_ inputs: [Values<T>]) -> [Values<T>] { fastBackendOnly() }
    func kernel(_ call: KernelCall) -> Kernel? {
        problem.direct == nil
            ? RowConvolutionKernel(call, self) : OwnConvolutionKernel(call, rows: self)
    }
}

extension ConvolutionProblem {
    /// The same for a run of rows of the result: the rows of the image that they need, padded where they
    /// reach beyond the image. Nil where they need none.
    func rows(_ range: Range<Int>) -> (problem: ConvolutionProblem, firstRow: Int)? {
        let reach = geometry.reach(weight[2], axis: 0)
        let start = range.lowerBound * geometry.strides[0] - geometry.before[0]
        let end = (range.upperBound - 1) * geometry.strides[0] - geometry.before[0] + reach
        let (first, last) = (max(0, start), min(extents[0], end))
        guard first < last else { return nil }
        var part = self
        part.geometry = ConvolutionGeometry(
            strides: geometry.strides, before: [first - start] + geometry.before.dropFirst(),
            after: [end - last] + geometry.after.dropFirst(), dilations: geometry.dilations,
            groups: geometry.groups)
        part.extents[0] = last - first
        return (part, first)
    }
}

/// One primitive with arguments of its own for each shard.
final class RowConvolutionKernel: Kernel {
    private let image, weight, target: Operand
    private let bias, residual: Operand?
    private let calls: [OneDNNCall]
    private let offsets: [Int]
    private let rowsPerShard: Int
    private let scratchpadBytes: Int

    init?(_ call: KernelCall, _ operation: RowConvolution) {
        let problem = operation.problem
        let rows = operation.output[0]
        rowsPerShard = call.units == nil ? rows : call.unitsPerShard
        guard let packed = operation.packing.packedWeight(),
            let parts = RowConvolution.parts(problem, rows, rowsPerShard)
        else { return nil }
        var calls: [OneDNNCall] = []
        var scratchpad = 0
        for part in parts {
            guard let primitive = part.problem.primitive(1, packed: packed) else { return nil }
            scratchpad = max(scratchpad, primitive.scratchpadBytes)
            calls.append(OneDNNCall(primitive, part.problem.forwardArguments(1, packed: packed)))
        }
        let rowBytes = call.inputSpecs[0].byteCount / problem.extents[0]
        offsets = parts.map { $0.firstRow * rowBytes }
        (image, weight, target) = (call.inputs[0], call.inputs[1], call.outputs[0])
        bias = problem.hasBias ? call.inputs[2] : nil
        residual = problem.addsResidual ? call.inputs[call.inputs.count - 1] : nil
        scratchpadBytes = scratchpad
        self.calls = calls
        if case .fixed(let base) = weight.place {
            for call in calls { call.bind(1, base + weight.offset) }
        }
    }

    override var workspaceBytes: Int { scratchpadBytes }

    override func run(_ task: ShardTask) {
        let shard = task.start / rowsPerShard
        let call = calls[shard]
        call.bind(0, image.address(task) + offsets[shard])
        call.bind(1, weight.address(task))
        call.bind(2, target.address(task))
        if let bias { call.bind(3, bias.address(task)) }
        if let residual { call.bind(bias == nil ? 3 : 4, residual.address(task)) }
        call.run(workspace: task.workspace)
    }
}
