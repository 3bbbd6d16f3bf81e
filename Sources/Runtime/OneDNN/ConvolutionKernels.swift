import Arrays
import CKernels
import COneDNN
import Graph

/// Copies a weight into the layout of a primitive.
final class PackWeightKernel: Kernel {
    private let plain, packed: Operand
    private let call: OneDNNCall
    private let scratchpadBytes: Int

    init?(_ call: KernelCall, _ problem: ConvolutionProblem) {
        guard let from = problem.plainWeight(call.inputSpecs[0].type),
            let to = problem.packedWeight(), let reorder = OneDNNPrimitive.reorder(from, to)
        else { return nil }
        (plain, packed) = (call.inputs[0], call.outputs[0])
        self.call = OneDNNCall(
            reorder, [(CInt(DNNL_ARG_FROM), from), (CInt(DNNL_ARG_TO), to)])
        scratchpadBytes = reorder.scratchpadBytes
    }

    override var workspaceBytes: Int { scratchpadBytes }

    override func run(_ task: ShardTask) {
        call.bind(0, plain.address(task))
        call.bind(1, packed.address(task))
        call.run(workspace: task.workspace)
    }
}

/// A convolution or its gradient by the image, with a packed weight.
final class ConvolutionKernel: Kernel {
    private let source, weight, target: Operand
    private let bias, residual: Operand?
    private let calls: ShardCalls

    init?(_ call: KernelCall, _ problem: ConvolutionProblem) {
        guard let packed = problem.packedWeight() else { return nil }
        let isForward = problem.direction == .forward
        let calls = ShardCalls(
            call, samples: call.rowsPerUnit(call.inputSpecs[0]),
            primitive: { problem.primitive($0, packed: packed) },
            arguments: { samples in
                isForward
                    ? problem.forwardArguments(samples, packed: packed)
                    : [
                        (CInt(DNNL_ARG_DIFF_DST), problem.result(samples)!),
                        (CInt(DNNL_ARG_WEIGHTS), packed),
                        (CInt(DNNL_ARG_DIFF_SRC), problem.image(samples)!),
                    ]
            })
        guard let calls else { return nil }
        (source, weight, target) = (call.inputs[0], call.inputs[1], call.outputs[0])
        bias = problem.hasBias ? call.inputs[2] : nil
        residual = problem.addsResidual ? call.inputs[call.inputs.count - 1] : nil
        self.calls = calls
        // Binding clears the padding of a layout: now, not while other groups read the same weight.
        if case .fixed(let base) = weight.place { calls.bind(1, base + weight.offset) }
    }

    override var workspaceBytes: Int { calls.scratchpadBytes }

    override func run(_ task: ShardTask) {
        guard let call = calls[task] else { return }
        call.bind(0, source.address(task))
        call.bind(1, weight.address(task))
        call.bind(2, target.address(task))
        if let bias { call.bind(3, bias.address(task)) }
        if let residual { call.bind(bias == nil ? 3 : 4, residual.address(task)) }
        call.run(workspace: task.workspace)
    }
}

/// A convolution's gradient by its weight. Each group of shards has a sum of its own in the primitive's
/// layout; sums merge in the fixed tree as groups finish, while they are in cache and beside other work,
/// and who completes the last merge writes the result.
final class WeightGradientKernel: Kernel {
    private let image, gradient, result, sums: Operand
    private let byteCount: Int
    private let calls: ShardCalls
    private let unpack: OneDNNCall
    private let tree: MergeTree
    private let scratchpadBytes: Int

    init?(_ call: KernelCall, _ problem: ConvolutionProblem, _ byteCount: Int) {
        guard let packed = problem.packedWeight(), let plain = problem.plainWeight(.float32),
            let reorder = OneDNNPrimitive.reorder(packed, plain),
            let calls = ShardCalls(
                call, samples: call.rowsPerUnit(call.inputSpecs[0]),
                primitive: { problem.primitive($0, packed: packed) },
                arguments: { samples in
                    [
                        (CInt(DNNL_ARG_SRC), problem.image(samples)!),
                        (CInt(DNNL_ARG_DIFF_DST), problem.result(samples)!),
                        (CInt(DNNL_ARG_DIFF_WEIGHTS), packed),
                    ]
                })
        else { return nil }
        (image, gradient) = (call.inputs[0], call.inputs[1])
        (result, sums) = (call.outputs[0], call.outputs[1])
        self.byteCount = byteCount
        self.calls = calls
        unpack = OneDNNCall(
            reorder, [(CInt(DNNL_ARG_FROM), packed), (CInt(DNNL_ARG_TO), plain)])
        scratchpadBytes = max(calls.scratchpadBytes, reorder.scratchpadBytes)
        tree = MergeTree(count: max(call.groupCount, 1))
    }

    /// The primitive's working memory, and behind it a shard's result before it is added.
    override var workspaceBytes: Int { scratchpadOffset + scratchpadBytes }
    private var scratchpadOffset: Int { byteCount }

    override func run(_ task: ShardTask) {
        guard let call = calls[task] else { return }
        let sum = sums.address(task) + task.group * byteCount
        let target = task.opensGroup ? sum : task.workspace
        call.bind(0, image.address(task))
        call.bind(1, gradient.address(task))
        call.bind(2, target)
        call.run(workspace: task.workspace + scratchpadOffset)
        if !task.opensGroup { add(task.workspace, to: sum) }
        guard task.closesGroup else { return }
        let base = sums.address(task)
        let isComplete = tree.arrive(task.group) { into, from in
            add(base + from * byteCount, to: base + into * byteCount)
        }
        if isComplete {
            unpack.bind(0, base)
            unpack.bind(1, result.address(task))
            unpack.run(workspace: task.workspace + scratchpadOffset)
        }
    }

    private func add(_ source: UnsafeMutableRawPointer, to target: UnsafeMutableRawPointer) {
        ek_axpy_f32(
            1, source.assumingMemoryBound(to: Float.self),
            target.assumingMemoryBound(to: Float.self), byteCount / 4)
    }
}
