import Arrays
import CKernels
import Graph

/// Sums over windows of channels.
final class WindowSumKernel: Kernel {
    private let x, y: Operand
    private let view: ShardView
    private let operation: WindowSum

    init?(_ call: KernelCall, _ operation: WindowSum) {
        guard call.inputSpecs[0].type == .float32 else { return nil }
        (x, y) = (call.inputs[0], call.outputs[0])
        view = ShardView(call, call.inputSpecs[0], axis: operation.axis)
        self.operation = operation
    }

    override func run(_ task: ShardTask) {
        ek_window_sum_f32(
            x.pointer(task), view.outerPerUnit * task.count, view.channels, view.inner,
            operation.before, operation.after, y.pointer(task))
    }
}

extension WindowSum: FastOperation {
    func kernel(_ call: KernelCall) -> Kernel? { WindowSumKernel(call, self) }
}
