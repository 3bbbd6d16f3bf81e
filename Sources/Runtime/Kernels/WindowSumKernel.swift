import Arrays
import CKernels
import Graph

/// Sums over windows of channels, row of the inner axes by row.
final class WindowSumKernel: Kernel {
    private let x, y: Operand
    private let view: ShardView
    private let operation: WindowSum

    init?(_ call: KernelCall, _ operation: WindowSum) {
        guard call.inputSpecs[0].type == .float32 else { return nil }
        x = call.inputs[0]
        y = call.outputs[0]
        view = ShardView(call, call.inputSpecs[0], axis: operation.axis)
        self.operation = operation
    }

    override func run(_ task: ShardTask) {
        let x: UnsafeMutablePointer<Float> = x.pointer(task)
        let y: UnsafeMutablePointer<Float> = y.pointer(task)
        let (channels, inner) = (view.channels, view.inner)
        for outer in 0..<(view.outerPerUnit * task.count) {
            let (from, to) = (x + outer * channels * inner, y + outer * channels * inner)
            for channel in 0..<channels {
                let window = operation.window(of: channel, extent: channels)
                if inner == 1 {
                    var sum: Float = 0
                    for other in window { sum += from[other] }
                    to[channel] = sum
                } else {
                    let target = to + channel * inner
                    target.update(repeating: 0, count: inner)
                    for other in window { ek_axpy_f32(1, from + other * inner, target, inner) }
                }
            }
        }
    }
}

extension WindowSum: FastOperation {
    func kernel(_ call: KernelCall) -> Kernel? { WindowSumKernel(call, self) }
}
