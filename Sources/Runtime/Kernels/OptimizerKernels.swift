import Arrays
import CKernels
import Graph

/// The memory of an update: the parameter, its gradient, up to three moments, and the four scalars.
struct UpdateMemory {
    let weight: UnsafeMutablePointer<Float>
    let gradient: UnsafePointer<Float>
    let moments:
        (UnsafeMutablePointer<Float>?, UnsafeMutablePointer<Float>?, UnsafeMutablePointer<Float>?)
    let scalars: UnsafePointer<Double>
    let count: Int
}

/// An optimizer's update of parameters and moments, in place where they already share memory.
final class OptimizerKernel: Kernel {
    private let values: [Operand]
    private let gradient, scalars: Operand
    private let outputs: [Operand]
    private let elementsPerUnit: Int
    private let body: (UpdateMemory) -> Void

    init?(_ call: KernelCall, moments: Int, _ body: @escaping (UpdateMemory) -> Void) {
        guard call.outputSpecs[0].type == .float32 else { return nil }
        values = [call.inputs[0]] + call.inputs[2..<(2 + moments)]
        gradient = call.inputs[1]
        scalars = call.inputs[2 + moments]
        outputs = call.outputs
        elementsPerUnit = call.elementsPerUnit(call.outputSpecs[0])
        self.body = body
    }

    override func run(_ task: ShardTask) {
        let count = elementsPerUnit * task.count
        func memory(_ index: Int) -> UnsafeMutablePointer<Float>? {
            guard index < values.count else { return nil }
            let from: UnsafeMutablePointer<Float> = values[index].pointer(task)
            let to: UnsafeMutablePointer<Float> = outputs[index].pointer(task)
            if from != to { to.update(from: from, count: count) }
            return to
        }
        body(
            UpdateMemory(
                weight: memory(0)!, gradient: gradient.pointer(task),
                moments: (memory(1), memory(2), memory(3)), scalars: scalars.pointer(task),
                count: count))
    }
}

extension SGDUpdate: FastOperation {
    func kernel(_ call: KernelCall) -> Kernel? {
        let (momentum, nesterov, decay) = (momentum, isNesterov ? Int32(1) : 0, decay)
        return OptimizerKernel(call, moments: momentCount) { memory in
            let scalars = memory.scalars
            ek_sgd_f32(
                memory.weight, memory.gradient, memory.moments.0, memory.count, scalars[0],
                momentum, 0,
                nesterov, decay, scalars[2], scalars[3])
        }
    }
}

extension AdamUpdate: FastOperation {
    func kernel(_ call: KernelCall) -> Kernel? {
        let (beta1, beta2, epsilon, decay) = (beta1, beta2, epsilon, decay)
        return OptimizerKernel(call, moments: momentCount) { memory in
            let scalars = memory.scalars
            ek_adam_f32(
                memory.weight, memory.gradient, memory.moments.0, memory.moments.1, memory.count,
                beta1,
                beta2, scalars[0], scalars[1], epsilon, decay, scalars[2], scalars[3])
        }
    }
}

extension RMSPropUpdate: FastOperation {
    func kernel(_ call: KernelCall) -> Kernel? {
        let (alpha, epsilon, momentum, decay) = (alpha, epsilon, momentum, decay)
        let isCentred = isCentred
        return OptimizerKernel(call, moments: momentCount) { memory in
            let scalars = memory.scalars
            let (_, second, third) = memory.moments
            ek_rmsprop_f32(
                memory.weight, memory.gradient, memory.moments.0, isCentred ? second : nil,
                momentum == 0 ? nil : isCentred ? third : second, memory.count, scalars[0], alpha,
                epsilon, momentum, decay, scalars[2], scalars[3])
        }
    }
}
