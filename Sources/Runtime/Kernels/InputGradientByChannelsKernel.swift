import Arrays
import CKernels
import Graph

/// Batch norm's input gradient of `[samples, channels]` for a shard of channels, channels first.
final class InputGradientByChannelsKernel: Kernel {
    private let dy, x, a, b, c, dx: Operand
    private let parts: CentredOperands
    private let rows, channels: Int
    private let channelsPerUnit: Int
    private let activation: (kind: Int32, slope: Float)
    private let fallback: ReferenceRowsKernel

    init?(_ call: KernelCall, _ operation: CentredInputGradient) {
        let spec = call.inputSpecs[1]
        guard spec.type == .float32, operation.parts.hasMean else { return nil }
        (dy, x) = (call.inputs[0], call.inputs[1])
        (a, b, c) = (call.inputs[2], call.inputs[3], call.inputs[4])
        dx = call.outputs[0]
        (rows, channels) = (spec.shape[0], spec.shape[1])
        channelsPerUnit = call.rowsPerUnit(call.outputSpecs[0])
        parts = CentredOperands(call, operation.parts.positions(after: 5), channels: channels)
        activation = operation.activation.code
        fallback = ReferenceRowsKernel(fallbackFor: call)
    }

    override func run(_ task: ShardTask) {
        if ReferenceRowsKernel.isExtreme(b.pointer(task), count: channels) {
            fallback.run(task)
            return
        }
        ek_centred_input_gradient_columns_f32(
            dy.pointer(task), x.pointer(task), rows, channels, task.start * channelsPerUnit,
            task.count * channelsPerUnit, parts.mean(task), a.pointer(task), b.pointer(task),
            c.pointer(task), parts.scale(task), parts.shift(task), activation.kind,
            activation.slope, dx.pointer(task))
    }
}

extension CentredInputGradientByChannels: FastOperation {
    func kernel(_ call: KernelCall) -> Kernel? {
        InputGradientByChannelsKernel(call, gradient)
    }
}
