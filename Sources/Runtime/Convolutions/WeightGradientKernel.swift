import Arrays
import CKernels
import COneDNN
import Foundation
import Graph

/// A convolution's gradient by its weight. Each group of shards has a sum of its own, in the layout of
/// what computes it; sums merge in the fixed tree as groups finish, while they are in cache and beside
/// other work, and who completes the last merge writes the result.
final class WeightGradientKernel: Kernel {
    /// What is read after this kernel and was stored by an earlier phase: it comes from memory, which computing a
    /// weight gradient leaves alone.
    struct Ahead {
        let operand: Operand
        /// Whether it is read by the next shard, or still by this one.
        let isInNextShard: Bool
    }
    /// Asked for while this kernel computes, in this order.
    var ahead: [Ahead] = []

    private let image, gradient, result, sums: Operand
    private let byteCount: Int
    private let shards: ShardSums
    private let unpack: OneDNNCall
    private let tree: MergeTree

    init?(_ call: KernelCall, _ problem: ConvolutionProblem, _ byteCount: Int) {
        guard let packed = problem.packedWeight(), let plain = problem.plainWeight(.float32),
            let reorder = OneDNNPrimitive.reorder(packed, plain),
            let shards: ShardSums =
                PairedShardSums(call, problem, byteCount)
                ?? PrimitiveShardSums(call, problem, packed, byteCount)
        else { return nil }
        (image, gradient) = (call.inputs[0], call.inputs[1])
        (result, sums) = (call.outputs[0], call.outputs[1])
        self.byteCount = byteCount
        self.shards = shards
        unpack = OneDNNCall(
            reorder, [(CInt(DNNL_ARG_FROM), packed), (CInt(DNNL_ARG_TO), plain)])
        tree = MergeTree(count: max(call.groupCount, 1))
        super.init()
        workspace = max(shards.workspaceBytes, reorder.scratchpadBytes)
    }

    private var workspace = 0
    override var workspaceBytes: Int { workspace }

    override func run(_ task: ShardTask) {
        let sum = sums.address(task) + task.group * byteCount
        shards.add(task, image.address(task), gradient.address(task), ahead, to: sum)
        guard task.closesGroup else { return }
        let base = sums.address(task)
        let isComplete = tree.arrive(task.group) { into, from in
            addFloats(base + from * byteCount, to: base + into * byteCount, byteCount)
        }
        if isComplete {
            unpack.bind(0, base)
            unpack.bind(1, result.address(task))
            unpack.run(workspace: task.workspace)
        }
    }
}

/// Adds a shard's part to its group's sum, or begins the sum with it.
private class ShardSums {
    var workspaceBytes: Int { 0 }

    func add(
        _ task: ShardTask, _ image: UnsafeMutableRawPointer, _ gradient: UnsafeMutableRawPointer,
        _ ahead: [WeightGradientKernel.Ahead], to sum: UnsafeMutableRawPointer
    ) {
        preconditionFailure("a subclass must say how")
    }
}

/// With a primitive of oneDNN, which overwrites its result.
private final class PrimitiveShardSums: ShardSums {
    private let calls: ShardCalls
    private let byteCount: Int

    init?(
        _ call: KernelCall, _ problem: ConvolutionProblem, _ packed: dnnl_memory_desc_t,
        _ byteCount: Int
    ) {
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
        guard let calls else { return nil }
        self.calls = calls
        self.byteCount = byteCount
    }

    /// A shard's result before it is added, and behind it the primitive's working memory.
    override var workspaceBytes: Int { byteCount + calls.scratchpadBytes }

    override func add(
        _ task: ShardTask, _ image: UnsafeMutableRawPointer, _ gradient: UnsafeMutableRawPointer,
        _ ahead: [WeightGradientKernel.Ahead], to sum: UnsafeMutableRawPointer
    ) {
        guard let call = calls[task] else { return }
        call.bind(0, image)
        call.bind(1, gradient)
        call.bind(2, task.opensGroup ? sum : task.workspace)
        call.run(workspace: task.workspace + byteCount)
        if !task.opensGroup { addFloats(task.workspace, to: sum, byteCount) }
    }
}

/// With our own kernel for bfloat16.
private final class PairedShardSums: ShardSums {
    private let convolution: UnsafeMutablePointer<ek_convolution>
    private let samplesPerUnit, byteCount: Int

    init?(_ call: KernelCall, _ problem: ConvolutionProblem, _ byteCount: Int) {
        guard let pairs = problem.pairs else { return nil }
        convolution = .allocate(capacity: 1)
        convolution.initialize(to: pairs)
        samplesPerUnit = call.rowsPerUnit(call.inputSpecs[0])
        self.byteCount = byteCount
    }

    deinit { convolution.deallocate() }

    override var workspaceBytes: Int { ek_weight_gradient_bf16_workspace(convolution) }

    override func add(
        _ task: ShardTask, _ image: UnsafeMutableRawPointer, _ gradient: UnsafeMutableRawPointer,
        _ ahead: [WeightGradientKernel.Ahead], to sum: UnsafeMutableRawPointer
    ) {
        if task.opensGroup { memset(sum, 0, byteCount) }
        var next = task
        if let start = task.next { next.start = start }
        withUnsafeTemporaryAllocation(of: ek_range.self, capacity: ahead.count) { ranges in
            var count = 0
            for ahead in ahead where !ahead.isInNextShard || task.next != nil {
                let range = ek_range(
                    from: ahead.operand.address(ahead.isInNextShard ? next : task),
                    bytes: ahead.operand.unitBytes * task.count)
                ranges.initializeElement(at: count, to: range)
                count += 1
            }
            ek_weight_gradient_bf16(
                convolution, image.assumingMemoryBound(to: UInt16.self),
                gradient.assumingMemoryBound(to: UInt16.self), samplesPerUnit * task.count,
                sum.assumingMemoryBound(to: Float.self), task.workspace, ranges.baseAddress,
                count)
        }
    }
}

private func addFloats(
    _ source: UnsafeMutableRawPointer, to target: UnsafeMutableRawPointer, _ byteCount: Int
) {
    ek_axpy_f32(
        1, source.assumingMemoryBound(to: Float.self), target.assumingMemoryBound(to: Float.self),
        byteCount / 4)
}
