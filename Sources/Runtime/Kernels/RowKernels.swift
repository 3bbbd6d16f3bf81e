import Arrays
import CKernels
import Graph

/// A loop over rows of the last axis, one input and one output.
final class RowKernel: Kernel {
    typealias Body = (UnsafePointer<Float>, UnsafeMutableRawPointer, _ rows: Int, _ length: Int) ->
        Void

    private let x, y: Operand
    private let rowsPerUnit: Int
    private let length: Int
    private let body: Body

    init(_ call: KernelCall, _ body: @escaping Body) {
        let spec = call.inputSpecs[0]
        x = call.inputs[0]
        y = call.outputs[0]
        length = spec.shape[spec.shape.rank - 1]
        rowsPerUnit = length == 0 ? 0 : call.elementsPerUnit(spec) / length
        self.body = body
    }

    override func run(_ task: ShardTask) {
        body(x.pointer(task), y.address(task), rowsPerUnit * task.count, length)
    }
}

extension RowSoftmax: FastOperation {
    func kernel(_ call: KernelCall) -> Kernel? {
        guard call.inputSpecs[0].type == .float32 else { return nil }
        let function = isLogarithmic ? ek_log_softmax_f32 : ek_softmax_f32
        return RowKernel(call) { x, y, rows, length in
            function(x, rows, length, y.assumingMemoryBound(to: Float.self))
        }
    }
}

extension ArgMax: FastOperation {
    func kernel(_ call: KernelCall) -> Kernel? {
        let spec = call.inputSpecs[0]
        guard spec.type == .float32, axis == spec.shape.rank - 1, axis > 0 else { return nil }
        return RowKernel(call) { x, y, rows, length in
            ek_row_argmax_f32(x, rows, length, y.assumingMemoryBound(to: Int32.self))
        }
    }
}

/// The loss of each row of logits against its label; an impossible label gives NaN.
final class SoftmaxCrossEntropyKernel: Kernel {
    private let logits, labels, losses: Operand
    private let gradient: Operand?
    private let rowsPerUnit: Int
    private let classes: Int
    private let smoothing: Float

    init?(_ call: KernelCall, smoothing: Double) {
        let spec = call.inputSpecs[0]
        guard spec.type == .float32 else { return nil }
        (logits, labels, losses) = (call.inputs[0], call.inputs[1], call.outputs[0])
        classes = spec.shape[spec.shape.rank - 1]
        rowsPerUnit = call.elementsPerUnit(spec) / classes
        self.smoothing = Float(smoothing)
        gradient = call.outputs.count > 1 ? call.outputs[1] : nil
    }

    override func run(_ task: ShardTask) {
        ek_softmax_cross_entropy_f32(
            logits.pointer(task), labels.pointer(task), rowsPerUnit * task.count, classes,
            smoothing, 1,
            losses.pointer(task), gradient?.pointer(task))
    }
}

extension SoftmaxCrossEntropy: FastOperation {
    func kernel(_ call: KernelCall) -> Kernel? {
        SoftmaxCrossEntropyKernel(call, smoothing: smoothing)
    }
}

extension SoftmaxWithLoss: FastOperation {
    func kernel(_ call: KernelCall) -> Kernel? { SoftmaxCrossEntropyKernel(call, smoothing: 0) }
}
