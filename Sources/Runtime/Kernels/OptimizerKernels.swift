import Arrays
import CKernels
import Graph

/// An optimizer's update of parameters and moments, in place where they already share memory.
final class OptimizerKernel: Kernel {
    /// Parameter, gradient, moments, the four scalars, and the number of elements.
    typealias Body = (
        _ weight: UnsafeMutablePointer<Float>, _ gradient: UnsafePointer<Float>,
        _ moments: [UnsafeMutablePointer<Float>], _ scalars: UnsafePointer<Double>, _ count: Int
    ) -> Void

    private let values: [Operand]
    private let gradient, scalars: Operand
    private let outputs: [Operand]
    private let elementsPerUnit: Int
    private let body: Body

    init?(_ call: KernelCall, moments: Int, _ body: @escaping Body) {
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
        let pointers = zip(values, outputs).map { source, target in
            let (from, to): (UnsafeMutablePointer<Float>, UnsafeMutablePointer<Float>) = (
                source.pointer(task), target.pointer(task)
            )
            if from != to { to.update(from: from, count: count) }
            return to
        }
        body(
            pointers[0], gradient.pointer(task), Array(pointers.dropFirst()), scalars.pointer(task),
            count)
    }
}

extension SGDUpdate: FastOperation {
    func kernel(_ call: KernelCall) -> Kernel? {
        let (momentum, nesterov, decay) = (momentum, isNesterov ? Int32(1) : 0, decay)
        return OptimizerKernel(call, moments: momentCount) { w, g, moments, scalars, n in
            ek_sgd_f32(
                w, g, moments.first, n, scalars[0], momentum, 0, nesterov, decay, scalars[2],
                scalars[3])
        }
    }
}

extension AdamUpdate: FastOperation {
    func kernel(_ call: KernelCall) -> Kernel? {
        let (beta1, beta2, epsilon, decay) = (beta1, beta2, epsilon, decay)
        return OptimizerKernel(call, moments: momentCount) { w, g, moments, scalars, n in
            ek_adam_f32(
                w, g, moments[0], moments[1], n, beta1, beta2, scalars[0], scalars[1], epsilon,
                decay,
                scalars[2], scalars[3])
        }
    }
}

extension RMSPropUpdate: FastOperation {
    func kernel(_ call: KernelCall) -> Kernel? {
        let (alpha, epsilon, momentum, decay) = (alpha, epsilon, momentum, decay)
        let isCentred = isCentred
        return OptimizerKernel(call, moments: momentCount) { w, g, moments, scalars, n in
            ek_rmsprop_f32(
                w, g, moments[0], isCentred ? moments[1] : nil, momentum == 0 ? nil : moments.last,
                n,
                scalars[0], alpha, epsilon, momentum, decay, scalars[2], scalars[3])
        }
    }
}
