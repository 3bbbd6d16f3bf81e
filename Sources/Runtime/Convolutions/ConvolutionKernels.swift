import Arrays
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
